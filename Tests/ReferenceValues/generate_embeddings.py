"""Reference values for EmbeddingsTests and EvaluationTests, from scikit-learn, faiss, SciPy and NumPy in float64.

    python Tests/ReferenceValues/generate_embeddings.py

writes embeddings.safetensors and evaluation.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import faiss
import numpy as np
import scipy.stats
from safetensors.numpy import save_file
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20240611)


def save(tensors, name):
    # safetensors writes an array's memory as it lies.
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, os.path.join(here, name))


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# A bank with unequal scales, an offset and correlated dimensions; queries near some of its rows.
n, d = 700, 40
mix = rng.normal(size=(d, d)) * np.geomspace(3, 0.05, d)
bank = (rng.normal(size=(n, d)) @ mix + rng.normal(size=d) * 2).astype(np.float32)
queries = (bank[rng.permutation(n)[:90]] + rng.normal(size=(90, d)) * 0.4).astype(np.float32)
out = {"bank": bank, "queries": queries}

# Neighbours: faiss, exact indexes.
k = 12
for name, index, b, q in [
    ("inner", faiss.IndexFlatIP(d), bank, queries),
    ("cosine", faiss.IndexFlatIP(d), unit(bank), unit(queries)),
    ("euclidean", faiss.IndexFlatL2(d), bank, queries),
]:
    index.add(np.ascontiguousarray(b))
    values, indices = index.search(np.ascontiguousarray(q), k)
    out[f"{name}.indices"] = indices.astype(np.int64)
    out[f"{name}.values"] = (np.sqrt(values) if name == "euclidean" else values).astype(np.float32)

# k-means from given centroids.
x = bank.astype(np.float64)
start = x[rng.permutation(n)[:9]]
found = KMeans(9, init=start, n_init=1, algorithm="lloyd", tol=0, max_iter=300).fit(x)
out |= {
    "kmeans.start": start.astype(np.float32), "kmeans.centroids": found.cluster_centers_,
    "kmeans.labels": found.labels_.astype(np.int64), "kmeans.inertia": np.array([found.inertia_]),
}
out["kmeans.inertia.restarts"] = np.array([KMeans(9, n_init=10, random_state=0, tol=0).fit(x).inertia_])

# Principal components.
pca = PCA(11, svd_solver="full").fit(x)
out |= {
    "pca.mean": pca.mean_, "pca.components": pca.components_, "pca.variances": pca.explained_variance_,
    "pca.ratios": pca.explained_variance_ratio_, "pca.coordinates": pca.transform(queries.astype(np.float64)),
    "pca.whitened": PCA(11, svd_solver="full", whiten=True).fit(x).transform(queries.astype(np.float64)),
}


# Health, from the papers' formulas.
def rank_me(z):
    s = np.linalg.svd(z, compute_uv=False)
    p = s / np.abs(s).sum() + 1e-7
    return np.exp(-(p * np.log(p)).sum())


def uniformity(z, t):
    z = unit(z)
    i, j = np.triu_indices(len(z), 1)
    return np.log(np.exp(-t * ((z[i] - z[j]) ** 2).sum(1)).mean())


corr = np.corrcoef(x.T)
off = np.abs(corr[~np.eye(d, dtype=bool)])
other = (bank[:90] + rng.normal(size=(90, d)) * 0.7).astype(np.float32)
low = (rng.normal(size=(500, 6)) @ rng.normal(size=(6, d))).astype(np.float32)
out |= {
    "positives": other, "lowrank": low,
    "rankme": np.array([rank_me(x), rank_me(low.astype(np.float64)), rank_me(x[:25])]),
    "singular": np.linalg.svd(x, compute_uv=False),
    "uniformity": np.array([uniformity(x, 2), uniformity(x, 0.5)]),
    "alignment": np.array([((unit(x[:90]) - unit(other.astype(np.float64))) ** 2).sum(1).mean()]),
    "correlation": np.array([off.mean(), off.max()]),
    "deviation": np.array([unit(x).std(0, ddof=1).mean()]),
}
p = rng.dirichlet(np.full(20, 0.3), size=64)
out |= {
    "targets": p, "targets.entropies": scipy.stats.entropy(p, axis=1),
    "targets.use": np.array([scipy.stats.entropy(p, axis=1).mean(), scipy.stats.entropy(p.mean(0))]),
}
save(out, "embeddings.safetensors")

# Evaluation: seven classes of unequal size that overlap, dimensions of unequal scale.
out = {}
counts = [120, 90, 70, 50, 40, 30, 20]
width = 32
centres = rng.normal(size=(7, width)) * 0.55
scales = np.geomspace(0.02, 30, width)


def split(factor):
    y = np.repeat(np.arange(7), [max(1, int(c * factor)) for c in counts])
    x = (centres[y] + rng.normal(size=(len(y), width))) * scales + scales * 3
    order = rng.permutation(len(y))
    return x[order].astype(np.float32), y[order].astype(np.int64)


(tx, ty), (vx, vy) = split(1), split(0.6)
out |= {"train": tx, "train.labels": ty, "test": vx, "test.labels": vy}

# Weighted and majority votes.
for k, tau in [(15, 0.07), (40, 0.01)]:
    votes = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=lambda dist, tau=tau: np.exp((1 - dist) / tau))
    votes.fit(tx.astype(np.float64), ty)
    probabilities = votes.predict_proba(vx.astype(np.float64))
    out[f"knn.{k}.predictions"] = votes.predict(vx.astype(np.float64)).astype(np.int64)
    # Classes without a vote are not among the best five.
    order = np.argsort(-probabilities, 1, kind="stable")[:, :5]
    voted = np.take_along_axis(probabilities, order, 1) > 0
    out[f"knn.{k}.top5"] = np.array([((order == vy[:, None]) & voted).any(1).mean()])
majority = KNeighborsClassifier(9, metric="cosine", algorithm="brute").fit(tx.astype(np.float64), ty)
out["knn.majority.predictions"] = majority.predict(vx.astype(np.float64)).astype(np.int64)
# Leave-one-out with k = 15: the nearest of the other rows.
similarity = unit(tx.astype(np.float64)) @ unit(tx.astype(np.float64)).T
np.fill_diagonal(similarity, -np.inf)
order = np.argsort(-similarity, 1, kind="stable")[:, :15]
votes = np.zeros((len(ty), 7))
for i in range(len(ty)):
    for j in order[i]:
        votes[i, ty[j]] += np.exp(similarity[i, j] / 0.1)
out["knn.loo.predictions"] = votes.argmax(1)

# Logistic regression: C = 1/λ, on standardised features, tightly converged.
scaler = StandardScaler().fit(tx.astype(np.float64))
sx, sv = scaler.transform(tx.astype(np.float64)), scaler.transform(vx.astype(np.float64))
penalties = np.array([0.01, 1.0, 30.0])
losses, predictions = [], []
for penalty in penalties:
    model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=20000, solver="lbfgs").fit(sx, ty)
    logp = model.predict_log_proba(sx)
    losses.append((-logp[np.arange(len(ty)), ty].sum() + penalty / 2 * (model.coef_**2).sum()) / len(ty))
    predictions.append(model.predict(sv))
    if penalty == 1.0:
        out["linear.weight"], out["linear.bias"] = model.coef_, model.intercept_ - model.intercept_.mean()
out |= {
    "linear.penalties": penalties, "linear.losses": np.array(losses),
    "linear.predictions": np.stack(predictions).astype(np.int64),
}
# Two classes: scikit-learn's single weight vector w is a softmax with ±w/2, whose penalty is half: λ = 2/C.
two = ty < 2
model = LogisticRegression(C=2.0, tol=1e-10, max_iter=20000).fit(sx[two], ty[two])
out["linear.two.weight"] = model.coef_

# Intervals.
wilson = [(0, 10), (10, 10), (7, 10), (1834, 2000), (50, 10000)]
out["wilson"] = np.array(
    [[s, t, *scipy.stats.binomtest(s, t).proportion_ci(0.95, "wilson"), *scipy.stats.binomtest(s, t).proportion_ci(0.8, "wilson")]
     for s, t in wilson])
out["student"] = np.array([[f, scipy.stats.t.ppf(0.975, f), scipy.stats.t.ppf(0.6, f), scipy.stats.t.ppf(0.01, f)] for f in (1, 2, 4, 29, 400)])
out["normal"] = np.array([[p, scipy.stats.norm.ppf(p)] for p in (0.001, 0.3, 0.5, 0.975, 0.9999)])
runs = np.array([[71.2, 70.4, 72.9, 71.8, 70.9], [70.1, 70.2, 71.0, 71.9, 69.8]])
for name, values in (("runs.mean", runs[0]), ("runs.difference", runs[0] - runs[1])):
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, values.mean(), scipy.stats.sem(values))
    out[name] = np.array([values.mean(), low, high])
out["runs"] = runs
# A bootstrap's distribution, far more draws than ours: agrees to the noise of 2,000 draws.
a, b = rng.random(800) < 0.8, rng.random(800) < 0.5
b = np.where(rng.random(800) < 0.7, a, b)
draws = rng.integers(0, 800, (20000, 800))
difference = (a.astype(float) - b)[draws].mean(1)
out |= {
    "pairs": np.stack([a, b]).astype(np.uint8),
    "bootstrap": np.array([*np.percentile(a[draws].mean(1), [2.5, 97.5]), *np.percentile(difference, [2.5, 97.5])]),
}
save(out, "evaluation.safetensors")
