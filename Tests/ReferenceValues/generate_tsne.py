"""t-SNE by scikit-learn, exactly: affinities, divergence, gradient, and where the descent ends.

    python Tests/ReferenceValues/generate_tsne.py

writes tsne.safetensors beside itself.
"""
import os

import numpy as np
from safetensors.numpy import save_file
from scipy.spatial.distance import squareform
from sklearn.manifold import TSNE
from sklearn.manifold import _t_sne
from sklearn.metrics import pairwise_distances

PERPLEXITY = 12.5

random = np.random.default_rng(5)
labels = np.arange(64) % 4
features = 3 + 2 * random.normal(size=(4, 37))[labels] + random.normal(size=(64, 37)) * random.uniform(0.3, 2, size=37)
distances = pairwise_distances(features, metric="euclidean", squared=True)
condensed = _t_sne._joint_probabilities(distances, PERPLEXITY, 0)
places = random.normal(size=(64, 2)) * [2, 0.7]
divergence, gradient = _t_sne._kl_divergence(places.ravel(), condensed, 1, 64, 2)

start = random.normal(size=(64, 2)) * 1e-4
model = TSNE(perplexity=PERPLEXITY, init=start.astype(np.float32), method="exact", max_iter=500, learning_rate="auto")
embedded = model.fit_transform(features)

save_file(
    {
        "features": features,
        "labels": labels.astype(np.int64),
        "affinities": squareform(condensed),
        "places": places,
        "divergence": np.array([divergence]),
        "gradient": np.asarray(gradient, dtype=np.float64).reshape(64, 2),
        "start": start.astype(np.float32).astype(np.float64),
        "final": np.array([model.kl_divergence_]),
        "embedded": embedded.astype(np.float64),
    },
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsne.safetensors"),
)
