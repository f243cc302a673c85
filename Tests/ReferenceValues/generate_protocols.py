"""Reference values for the evaluation protocols, from scikit-learn, SciPy and PyTorch.

    python Tests/ReferenceValues/generate_protocols.py

writes protocols.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    adjusted_mutual_info_score, adjusted_rand_score, average_precision_score, confusion_matrix, normalized_mutual_info_score)
from sklearn.neighbors import NearestCentroid
from sklearn.svm import LinearSVC

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241121)
out = {}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# Seven overlapping classes of unequal sizes, with an offset and unequal scales.
classes, d = 7, 33
centres = rng.normal(size=(classes, d)) * 0.8
share = np.array([0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05])
scales = np.geomspace(2, 0.2, d)


def draw(n):
    y = rng.choice(classes, n, p=share)
    y[:classes] = np.arange(classes)
    return ((centres[y] + rng.normal(size=(n, d))) * scales + 0.3).astype(np.float32), y


x, y = draw(160)
q, z = draw(90)
out |= {"train": x, "train.labels": y, "test": q, "test.labels": z}
ux, uq = unit(x.astype(np.float64)), unit(q.astype(np.float64))

# Few-shot classifiers.
logistic = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit(ux, y)
svm = LinearSVC(C=1.0, loss="squared_hinge", dual=False, tol=1e-10, max_iter=100000).fit(ux, y)
out |= {
    "logistic.weight": logistic.coef_, "logistic.bias": logistic.intercept_, "logistic.predictions": logistic.predict(uq),
    "svm.weight": svm.coef_, "svm.bias": svm.intercept_, "svm.predictions": svm.predict(uq),
    "centroid.predictions": NearestCentroid().fit(ux, y).predict(uq),
}

# Clusters against classes: random ones, good ones, more and fewer clusters than classes.
for name, k, wrong in [("good", 7, 0.2), ("random", 7, 1.0), ("more", 11, 0.4), ("fewer", 3, 0.3)]:
    clusters = np.where(rng.random(len(y)) < wrong, rng.integers(0, k, len(y)), (y * 3 + 1) % k)
    table = confusion_matrix(y, clusters, labels=np.arange(max(k, classes)))
    rows, columns = linear_sum_assignment(-table)
    out[f"clusters.{name}"] = clusters
    out[f"clusters.{name}.scores"] = np.array([
        normalized_mutual_info_score(y, clusters), adjusted_mutual_info_score(y, clusters), adjusted_rand_score(y, clusters),
        table[rows, columns].sum() / len(y), table.max(0).sum() / len(y)])

# Assignment of rectangular tables.
for name, shape in [("wide", (6, 11)), ("tall", (12, 5)), ("square", (20, 20))]:
    gains = rng.normal(size=shape)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    found = np.full(shape[0], -1)
    found[rows] = columns
    out |= {f"assignment.{name}": gains, f"assignment.{name}.columns": found}

# Retrieval.
for name, scores, relevant in [("test", uq @ ux.T, z[:, None] == y[None]), ("all", ux @ ux.T, y[:, None] == y[None])]:
    precision, recall = [], {k: [] for k in (1, 5, 10)}
    for i in range(len(scores)):
        keep = np.arange(len(y)) != (i if name == "all" else -1)
        s, r = scores[i][keep], relevant[i][keep]
        precision.append(average_precision_score(r, s))
        for k in recall:
            recall[k].append(r[np.argsort(-s, kind="stable")[:k]].any())
    out[f"retrieval.{name}.precision"] = np.array(precision)
    for k, found in recall.items():
        out[f"retrieval.{name}.recall{k}"] = np.array(found).astype(np.int64)

# An MLP trained on all images at once (PyTorch): 25 steps of SGD with momentum, decay of matrices, cosine.
torch.manual_seed(5)
network = torch.nn.Sequential(torch.nn.Linear(d, 24), torch.nn.ReLU(), torch.nn.Linear(24, classes)).double()
for key, value in network.state_dict().items():
    out[f"mlp.{('0' if key[0] == '0' else '2')}{key[1:]}"] = value.numpy().copy()
steps, rate = 25, 0.3
matrices = [p for p in network.parameters() if p.dim() > 1]
vectors = [p for p in network.parameters() if p.dim() <= 1]
sgd = torch.optim.SGD([{"params": matrices, "weight_decay": 0.01}, {"params": vectors}], lr=rate, momentum=0.8)
inputs, targets = torch.tensor(x).double(), torch.tensor(y)
for step in range(steps):
    for group in sgd.param_groups:
        group["lr"] = rate * (1 + np.cos(np.pi * step / steps)) / 2
    sgd.zero_grad()
    torch.nn.functional.cross_entropy(network(inputs), targets).backward()
    sgd.step()
out["mlp.logits"] = network(torch.tensor(q).double()).detach().numpy()

save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(here, "protocols.safetensors"))
