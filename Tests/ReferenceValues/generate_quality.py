"""Reference values for agglomerative clustering and for measures without labels, from SciPy and from the papers' formulas in NumPy.

    python Tests/ReferenceValues/generate_quality.py

writes quality.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
from safetensors.numpy import save_file
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import sqrtm
from scipy.stats import spearmanr

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241122)
out = {}

# Overlapping clouds of unequal sizes and scales, off the origin.
n, d = 150, 40
sizes = rng.multinomial(n, [0.4, 0.25, 0.2, 0.1, 0.05])
centres = rng.normal(size=(5, d)) * 0.35
x = np.concatenate([c + rng.normal(size=(s, d)) * np.linspace(1.5, 0.3, d) for c, s in zip(centres, sizes)]) + 0.4
x = x[rng.permutation(n)].astype(np.float32)
out["rows"] = x
wide = x.astype(np.float64)
unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
for method in ["ward", "average", "complete"]:
    for name, rows in [("unit", unit), ("plain", wide)]:
        tree = linkage(rows, method, metric="euclidean")
        for k in (2, 5, 9):
            out[f"tree.{method}.{name}.{k}"] = fcluster(tree, k, "maxclust")

# α-ReQ: weighted least squares of log λ on log k, weights 1/k (Stringer et al. 2019, as α-ReQ uses it).
spectrum_rows = (rng.normal(size=(300, 64)) @ np.diag(np.arange(1, 65) ** -0.6) @ np.linalg.qr(rng.normal(size=(64, 64)))[0]
                 + rng.normal(size=64)).astype(np.float32)
out["spectrum.rows"] = spectrum_rows
values = np.sort(np.linalg.eigvalsh(np.cov(spectrum_rows.astype(np.float64).T)))[::-1]
for low, high in [(11, 50), (1, 64), (5, 20)]:
    k = np.arange(low, high + 1)
    design, weight = np.stack([-np.log(k), np.ones(len(k))], 1), np.diag(1 / k)
    fit = np.linalg.solve(design.T @ weight @ design, design.T @ weight @ np.log(values[k - 1]))
    out[f"spectrum.alpha.{low}.{high}"] = np.array(fit[0])

# LiDAR (equations 1 to 4): 48 images, 6 views, 33 dimensions.
images, views, width = 48, 6, 33
base = rng.normal(size=(images, 1, width)) @ np.diag(np.linspace(2, 0.1, width)) + 0.7
e = (base + rng.normal(size=(images, views, width)) * np.linspace(0.2, 0.9, width)).astype(np.float32)
out["lidar.views"] = np.ascontiguousarray(e.transpose(1, 0, 2))
e = e.astype(np.float64)
means = e.mean(1)
between = sum(np.outer(m - means.mean(0), m - means.mean(0)) for m in means) / images
for delta in (1e-4, 0.3):
    within = sum(np.outer(v - m, v - m) for m, row in zip(means, e) for v in row) / (images * views) + delta * np.eye(width)
    root = np.linalg.inv(np.real(sqrtm(within)))
    eigenvalues = np.clip(np.linalg.eigvalsh(root @ between @ root), 0, None)
    p = eigenvalues / eigenvalues.sum() + 1e-7
    out[f"lidar.{delta}"] = np.array(np.exp(-(p * np.log(p)).sum()))

# Spearman, with and without ties.
a, b = rng.normal(size=24), rng.normal(size=24)
b += a
out |= {"spearman.a": a, "spearman.b": b, "spearman": np.array(spearmanr(a, b).statistic)}
a, b = np.round(a), np.round(b * 0.7)
out |= {"spearman.ties.a": a, "spearman.ties.b": b, "spearman.ties": np.array(spearmanr(a, b).statistic)}

save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(here, "quality.safetensors"))
