"""UMAP by umap-learn (pip install umap-learn): the fuzzy graph, the curve's a and b, and the cross-entropy where its descent ends.

    python Tests/ReferenceValues/generate_umap.py

writes umap.safetensors beside itself.
"""
import os

import numpy as np
import umap
from safetensors.numpy import save_file
from sklearn.metrics import pairwise_distances
from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding

NEIGHBOURS = 15

random = np.random.default_rng(6)
labels = np.arange(96) % 4
features = 3 + 2 * random.normal(size=(4, 21))[labels] + random.normal(size=(96, 21)) * random.uniform(0.3, 2, size=21)
features[95] = features[91]  # a pair that are equal
features = features.astype(np.float32)
distances = pairwise_distances(features.astype(np.float64))
np.fill_diagonal(distances, 0)
distances[95, 91] = distances[91, 95] = 0


def graph_of(metric_distances):
    # The row itself first, also where another is as near.
    order = np.argsort(metric_distances + np.where(np.eye(len(metric_distances), dtype=bool), -1, 0), axis=1, kind="stable")
    order = order[:, :NEIGHBOURS]
    near = np.take_along_axis(metric_distances, order, 1).astype(np.float32)
    return fuzzy_simplicial_set(features, NEIGHBOURS, np.random.RandomState(0), "euclidean", knn_indices=order, knn_dists=near)[0]


graph = graph_of(distances)
a, b = find_ab_params(1.0, 0.1)
start = (random.normal(size=(96, 2)) * 3).astype(np.float32)


def cross_entropy(places):
    """Over all pairs, in float64."""
    w = np.asarray(graph.todense(), dtype=np.float64)
    squared = ((places[:, None] - places[None]) ** 2).sum(2)
    v = 1 / (1 + a * squared**b)
    pairs = np.triu_indices(len(places), 1)
    w, v = np.clip(w[pairs], 1e-12, 1 - 1e-12), np.clip(v[pairs], 1e-12, 1 - 1e-12)
    return (w * np.log(w / v) + (1 - w) * np.log((1 - w) / (1 - v))).sum()


ends = []
for seed in range(5):
    places, _ = simplicial_set_embedding(
        features, graph.copy(), 2, 1.0, a, b, 1.0, 5, 500, start.copy(), np.random.RandomState(seed), "euclidean", {}, False, {}, False)
    ends.append(cross_entropy(places.astype(np.float64)))
print(umap.__version__, a, b, ends, cross_entropy(start.astype(np.float64)))

save_file(
    {
        "features": features,
        "labels": labels.astype(np.int64),
        "graph": np.asarray(graph.todense(), dtype=np.float64),
        "curve": np.array([a, b]),
        "start": start.astype(np.float64),
        "ends": np.array(ends),
    },
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "umap.safetensors"),
)
