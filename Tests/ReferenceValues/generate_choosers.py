"""Which images to label: reference choices by NumPy and scikit-learn in float64.

    python Tests/ReferenceValues/generate_choosers.py

writes choosers.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
from safetensors.numpy import save_file
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241123)
n, d, k, classes = 320, 34, 13, 6

# Overlapping groups of unequal sizes and scales, whose labels follow the groups for the most part.
sizes = rng.multinomial(n, np.geomspace(1, 0.04, k) / np.geomspace(1, 0.04, k).sum())
group = np.repeat(np.arange(k), sizes)
x = ((rng.normal(size=(k, d)) * 1.2)[group] + rng.normal(size=(n, d))) * np.geomspace(3, 0.3, d)
y = np.where(rng.random(n) < 0.85, group % classes, rng.integers(0, classes, n))
order = rng.permutation(n)
x, y, group = x[order], y[order], group[order]
unit = x / np.linalg.norm(x, axis=1, keepdims=True)
distance = np.sqrt(np.maximum(((unit[:, None] - unit[None]) ** 2).sum(-1), 0))
out = {"features": x.astype(np.float32), "labels": y}

# Greedy k-centre from a given start.
start, chosen = 17, [17]
while len(chosen) < 60:
    nearest = distance[:, chosen].min(1)
    nearest[chosen] = -1
    chosen.append(int(nearest.argmax()))
out["kcentre"] = np.array(chosen)

# k-means medoids from given centroids.
initial = unit[rng.choice(n, 21, replace=False)].astype(np.float32)
means = KMeans(21, init=initial, n_init=1, max_iter=300, tol=0).fit(unit)
medoids = [np.flatnonzero(means.labels_ == c)[((unit[means.labels_ == c] - means.cluster_centers_[c]) ** 2).sum(1).argmin()] for c in range(21)]
out |= {"kmeans.initial": initial, "kmeans.rows": np.sort(medoids)}


# TypiClust in given clusters (with clusters below five rows, which are passed over), in two rounds.
def typical(assignments, labelled, count):
    labelled, picked = list(labelled), []
    cluster_ids, cluster_sizes = np.unique(assignments, return_counts=True)
    existing = np.array([sum(assignments[i] == c for i in labelled) for c in cluster_ids])
    kept = [c for c in sorted(range(len(cluster_ids)), key=lambda c: (existing[c], -cluster_sizes[c], cluster_ids[c])) if cluster_sizes[c] >= 5]
    turn = 0
    while len(picked) < count:
        rows = [i for i in np.flatnonzero(assignments == cluster_ids[kept[turn % len(kept)]]) if i not in labelled + picked]
        turn += 1
        if not rows:
            continue
        near = min(20, len(rows) // 2)
        means = np.sort(distance[np.ix_(rows, rows)], 1)[:, 1:near + 1].mean(1) if near else np.zeros(len(rows))
        picked.append(rows[int(means.argmin())])
    return picked


clusters = group.copy()
tiny = rng.choice(n, 6, replace=False)
clusters[tiny[:4]], clusters[tiny[4:]] = 50, 51
first = typical(clusters, [], 9)
second = typical((group * 5 + 1) % 9, first, 30)
out |= {"typiclust.clusters": clusters, "typiclust.first": np.array(first), "typiclust.clusters2": (group * 5 + 1) % 9,
        "typiclust.second": np.array(second)}

# Margins by logistic regression on forty labels.
labelled = np.sort(rng.choice(n, 40, replace=False))
model = LogisticRegression(C=1.0, tol=1e-12, max_iter=20000).fit(unit[labelled], y[labelled])
probabilities = np.sort(model.predict_proba(unit), 1)
margin = probabilities[:, -1] - probabilities[:, -2]
rest = [i for i in np.argsort(margin, kind="stable") if i not in set(labelled)]
out |= {"margin.labelled": labelled, "margin.rows": np.array(rest[:25]), "margin.all": margin}

save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(here, "choosers.safetensors"))
