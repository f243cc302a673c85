"""Reference values for the joint-embedding methods: losses and gradients in float64, term by term from the papers' formulas.

    python Tests/ReferenceValues/generate_methods_joint.py

writes methods_joint.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import math
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(23)
out = {}


def d(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def case(name, function, **inputs):
    """Keeps inputs, loss and the gradients of those inputs that have one; `function` returns the loss, or it and more results."""
    leaves = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in inputs.items()}
    made = function(**leaves)
    loss, more = made if isinstance(made, tuple) else (made, {})
    loss.backward()
    out[f"{name}.loss"] = loss
    for key, value in more.items():
        out[f"{name}.{key}"] = value
    for key, leaf in leaves.items():
        out[f"{name}.{key}"] = inputs[key]
        if leaf.grad is not None:
            out[f"{name}.gradient.{key}"] = leaf.grad


def cosine(a, b):
    return (a * b).sum() / (a.norm() * b.norm())


# Two views that resemble each other, of uneven norms, with an offset.
n, width = 20, 32
image = d(n, width)
a = (image + 0.6 * d(n, width)) * torch.exp(0.5 * d(n, 1)) + 0.3
b = (image + 0.6 * d(n, width)) * torch.exp(0.5 * d(n, 1)) - 0.2


# --- redundancy reduction ----------------------------------------------------------------------------------------------


def barlow_twins(a, b, weight):
    """Eq. 1 and 2; the variance is the biased one, plus 1e-5, as torch's BatchNorm1d has it."""
    def unit(z):
        return torch.stack([(f - f.mean()) / torch.sqrt(((f - f.mean()) ** 2).mean() + 1e-5) for f in z.T])
    za, zb = unit(a), unit(b)
    total = 0
    for i in range(width):
        for j in range(width):
            c = (za[i] * zb[j]).sum() / n
            total = total + ((1 - c) ** 2 if i == j else weight * c ** 2)
    return total


case("barlow_twins", lambda a, b: barlow_twins(a, b, 0.013), a=a, b=b)


def vicreg_variance(z):
    return sum(torch.relu(1 - torch.sqrt(((f - f.mean()) ** 2).sum() / (n - 1) + 1e-4)) for f in z.T) / width


def vicreg_covariance(z):
    mean = z.mean(0)
    covariance = sum(torch.outer(row - mean, row - mean) for row in z) / (n - 1)
    return (covariance ** 2).sum() / width - (torch.diag(covariance) ** 2).sum() / width


def vicreg(a, b, s, v, c):
    invariance = ((a - b) ** 2).sum() / (n * width)
    return (s * invariance + v * (vicreg_variance(a) + vicreg_variance(b)) + c * (vicreg_covariance(a) + vicreg_covariance(b)))


# Scaled so that the variances lie on both sides of 1.
case("vicreg", lambda a, b: vicreg(a, b, 7.0, 11.0, 3.0), a=a * 0.7, b=b * 0.6)


def correlations(z):
    features = [(f - f.mean()) / (f - f.mean()).norm() for f in z.T]
    return sum((x @ y) ** 2 for i, x in enumerate(features) for j, y in enumerate(features) if i != j) / width ** 2


case("vibcreg", lambda a, b: correlations(a) + correlations(b), a=a, b=b)


def iterative(z, group, iterations):
    """Huang et al. 2019, algorithm 1: x ↦ Σ^(−½)(x − μ) by Newton's iterations, for each group of features."""
    parts = []
    for start in range(0, width, group):
        x = z[:, start:start + group]
        mean = x.mean(0)
        covariance = sum(torch.outer(row - mean, row - mean) for row in x) / n + 1e-5 * torch.eye(group, dtype=torch.float64)
        trace = torch.trace(covariance)
        p = torch.eye(group, dtype=torch.float64)
        for _ in range(iterations):
            p = (3 * p - torch.linalg.matrix_power(p, 3) @ (covariance / trace)) / 2
        parts.append(torch.stack([p @ (row - mean) / torch.sqrt(trace) for row in x]))
    return torch.cat(parts, 1)


weights = d(n, width)
case("iterative_normalisation", lambda a: (iterative(a, 8, 4) * weights).sum(), a=a)
out["iterative_normalisation.weights"] = weights


def whiten(v, shrinkage):
    mean = v.mean(0)
    size = v.shape[1]
    covariance = sum(torch.outer(row - mean, row - mean) for row in v) / (len(v) - 1)
    covariance = (1 - shrinkage) * covariance + shrinkage * torch.eye(size, dtype=torch.float64)
    inverse = torch.linalg.inv(torch.linalg.cholesky(covariance))
    return torch.stack([inverse @ (row - mean) for row in v])


def w_mse(views):
    total, pairs = 0, 0
    for i in range(len(views)):
        for j in range(i):
            total = total + sum(((x / x.norm() - y / y.norm()) ** 2).sum() for x, y in zip(views[i], views[j])) / len(views[i])
            pairs += 1
    return total / pairs


many = 48
base = d(many, width)
v = [base + 0.7 * d(many, width) + 0.2 for _ in range(3)]
case("w_mse", lambda a, b, c: w_mse([whiten(x, 0.05) for x in (a, b, c)]), a=v[0], b=v[1], c=v[2])


def tico(a, b, covariance, decay, weight):
    za = torch.stack([x / x.norm() for x in a])
    zb = torch.stack([x / x.norm() for x in b.detach()])
    new = decay * covariance.detach() + (1 - decay) * sum(torch.outer(z, z) for z in za) / n
    loss = 1 - sum(x @ y for x, y in zip(za, zb)) / n + weight * sum(z @ new @ z for z in za) / n
    return loss, {"new": new}


past = d(60, width)
case("tico", lambda a, b, covariance: tico(a, b, covariance, 0.7, 6.0), a=a, b=b, covariance=past.T @ past / 600)


def epps_pulley(x, knots):
    """n ∫ |φₙ(t) − e^(−t²/2)|² e^(−t²/2) dt over −3 … 3, by the trapezoid rule."""
    step = 3 / (knots - 1)
    total = 0
    for k in range(-(knots - 1), knots):
        t = k * step
        normal = math.exp(-t * t / 2)
        value = ((torch.cos(t * x).mean() - normal) ** 2 + torch.sin(t * x).mean() ** 2) * normal
        total = total + value * step * (0.5 if abs(k) == knots - 1 else 1)
    return len(x) * total


def lejepa(views, directions, weight, knots):
    centre = (views[0] + views[1]) / 2
    prediction = sum(((centre - z) ** 2).sum() for z in views) / (len(views) * n * width)
    gaussian = sum(epps_pulley(z @ u, knots) for z in views for u in directions.T) / (len(views) * directions.shape[1])
    return (1 - weight) * prediction + weight * gaussian


directions = d(width, 6)
directions = directions / directions.norm(dim=0)
out["lejepa.directions"] = directions
case("lejepa", lambda z: lejepa(list(z), directions, 0.3, 9), z=torch.stack([a, b, 0.8 * image + 0.5 * d(n, width)]))


# --- contrastive -------------------------------------------------------------------------------------------------------


def info_nce(query, keys, positives, temperature):
    """Mean over rows i of −log exp(cos(qᵢ, k₊)/τ) / Σ_k exp(cos(qᵢ, k)/τ), keys one by one."""
    total = 0
    for i, q in enumerate(query):
        scores = torch.stack([cosine(q, k) / temperature for k in keys(i)])
        total = total - torch.log(torch.exp(scores[positives(i)]) / torch.exp(scores).sum())
    return total / len(query)


queue = d(30, width)
queue = queue / queue.norm(dim=1, keepdim=True)
out["queue"] = queue

case("moco", lambda a, b: info_nce(a, lambda i: [b[i].detach(), *queue], lambda i: 0, 0.31), a=a, b=b)

pv, pw = b + 0.5 * d(n, width), 2 * a + 0.5 * d(n, width)
case("moco_v3", lambda pv, pw, a, b: 2 * 0.4 * (
    info_nce(pv, lambda i: list(b.detach()), lambda i: i, 0.4) + info_nce(pw, lambda i: list(a.detach()), lambda i: i, 0.4)),
    pv=pv, pw=pw, a=a, b=b)


def nearest(z):
    return [queue[torch.stack([cosine(x.detach(), q) for q in queue]).argmax()] for x in z]


case("nnclr", lambda pv, pw, a, b: (
    info_nce(nearest(a), lambda i: list(pw), lambda i: i, 0.23) + info_nce(nearest(b), lambda i: list(pv), lambda i: i, 0.23)) / 2,
    pv=pv, pw=pw, a=a, b=b)


def cross_entropy(target, logits):
    """−Σ p log softmax, row by row, averaged."""
    return sum(-(p * (row - torch.log(torch.exp(row).sum()))).sum() for p, row in zip(target, logits)) / len(logits)


def softmax(row):
    return torch.exp(row) / torch.exp(row).sum()


def relations(z, temperature):
    return [torch.stack([cosine(x, q) for q in queue]) / temperature for x in z]


case("ressl", lambda a, b: cross_entropy([softmax(row) for row in relations(b.detach(), 0.09)], relations(a, 0.21)), a=a, b=b)


def dcl(z, temperature, sigma):
    half = len(z) // 2
    other = lambda i: (i + half) % len(z)
    hard = [math.exp(cosine(z[i], z[other(i)]).item() / sigma) for i in range(len(z))] if sigma else None
    total = 0
    for i in range(len(z)):
        negatives = [torch.exp(cosine(z[i], z[k]) / temperature) for k in range(len(z)) if k not in (i, other(i))]
        weight = 2 - hard[i] / (sum(hard) / len(hard)) if sigma else 1
        total = total - weight * cosine(z[i], z[other(i)]) / temperature + torch.log(sum(negatives))
    return total / len(z)


z = torch.cat([a, b])
case("dcl", lambda z: dcl(z, 0.27, None), z=z)
case("dclw", lambda z: dcl(z, 0.27, 0.6), z=z)

labels = torch.randint(0, 4, (n,), generator=generator)
labels[[2, 11]] = -1


def supcon(z, labels, temperature, inside):
    total, samples = 0, len(z) // 2
    for i in range(len(z)):
        scores = {k: torch.exp(cosine(z[i], z[k]) / temperature) for k in range(len(z)) if k != i}
        mine = labels[i % samples].item()
        positives = [k for k in scores if k % samples == i % samples or (mine >= 0 and labels[k % samples].item() == mine)]
        everything = sum(scores.values())
        if inside:
            total = total - torch.log(sum(scores[p] / everything for p in positives) / len(positives))
        else:
            total = total - sum(torch.log(scores[p] / everything) for p in positives) / len(positives)
    return total / len(z)


case("supcon_out", lambda z, labels: supcon(z, labels, 0.24, False), z=z, labels=labels)
case("supcon_in", lambda z, labels: supcon(z, labels, 0.24, True), z=z, labels=labels)


def nce(positive, noise, normalizer, samples):
    count = noise.shape[1]
    probability = lambda score: torch.exp(score) / normalizer
    h = lambda score: probability(score) / (probability(score) + count / samples)
    total = 0
    for own, others in zip(positive, noise):
        total = total - torch.log(h(own)) - sum(torch.log(1 - h(other)) for other in others)
    return total / len(positive)


case("nce", lambda positive, noise: nce(positive, noise, 321.5, 900), positive=3 * d(n), noise=2 * d(n, 35))


def triplet(z, margin, semi_hard):
    half = len(z) // 2
    squared = lambda x, y: ((x / x.norm() - y / y.norm()) ** 2).sum()
    total = 0
    for i in range(len(z)):
        positive = squared(z[i], z[(i + half) % len(z)])
        negatives = [squared(z[i], z[k]) for k in range(len(z)) if k % half != i % half]
        farther = [x for x in negatives if x > positive]
        if semi_hard:
            negative = min(farther) if farther else max(negatives)
        else:
            negative = min(negatives)
        total = total + torch.relu(positive - negative + margin)
    return total / len(z)


# Noisy pairs, so that some negatives are nearer than positives, and for one anchor all are.
noisy = torch.cat([image + 2 * d(n, width), image + 2 * d(n, width)])
noisy[n + 3] = -3 * noisy[3]
case("triplet_semi_hard", lambda z: triplet(z, 0.3, True), z=noisy)
case("triplet_hardest", lambda z: triplet(z, 0.3, False), z=noisy)


# --- teacher and student, clusters ---------------------------------------------------------------------------------------

case("simsiam", lambda pv, pw, a, b: -sum(
    (cosine(pv[i], b[i].detach()) + cosine(pw[i], a[i].detach())) / 2 for i in range(n)) / n, pv=pv, pw=pw, a=a, b=b)

centre = 0.4 * d(width)
out["dino.centre"] = centre


def dino(students, teachers, student_temperature, teacher_temperature):
    total, count = 0, 0
    for x, teacher in enumerate(teachers):
        target = [softmax((row.detach() - centre) / teacher_temperature) for row in teacher]
        for other, student in enumerate(students):
            if other != x:
                total = total + cross_entropy(target, student / student_temperature)
                count += 1
    return total / count


case("dino", lambda s0, s1, s2, t0, t1: dino([s0, s1, s2], [t0, t1], 0.6, 0.25),
     s0=a, s1=b, s2=image + d(n, width), t0=d(n, width) + image, t1=d(n, width) + image)


def sinkhorn(scores, epsilon, iterations):
    """The paper's appendix A.1, by elements: B samples, K prototypes."""
    samples, prototypes = scores.shape
    q = [[math.exp(scores[i][k].item() / epsilon) for k in range(prototypes)] for i in range(samples)]
    total = sum(map(sum, q))
    q = [[value / total for value in row] for row in q]
    for _ in range(iterations):
        use = [sum(q[i][k] for i in range(samples)) for k in range(prototypes)]
        q = [[q[i][k] / (use[k] * prototypes) for k in range(prototypes)] for i in range(samples)]
        q = [[value / (sum(row) * samples) for value in row] for row in q]
    return torch.tensor([[value * samples for value in row] for row in q], dtype=torch.float64)


scores = torch.stack([x / x.norm() for x in a]) @ queue.T
out["sinkhorn.scores"] = scores
out["sinkhorn.codes"] = sinkhorn(scores, 0.07, 3)


def swav(views, epsilon, iterations, temperature):
    total, count = 0, 0
    for s in range(2):
        codes = sinkhorn(views[s].detach(), epsilon, iterations)
        for t, view in enumerate(views):
            if t != s:
                total = total + cross_entropy(codes, view / temperature)
                count += 1
    return total / count


case("swav", lambda s0, s1, s2: swav([s0, s1, s2], 0.3, 4, 0.2), s0=0.3 * a, s1=0.3 * b, s2=0.3 * image + 0.2 * d(n, width))


def deepcluster(views, centroids, targets, temperature):
    total = 0
    for target, c in zip(targets, centroids):
        for view in views:
            for row, label in zip(view @ c.detach().T / temperature, target.tolist()):
                total = total - torch.log(softmax(row)[label])
    return total / (len(centroids) * len(views) * n)


case("deepcluster_v2", lambda z0, z1, c0, c1, targets: deepcluster([z0, z1], [c0, c1], targets, 0.3),
     z0=torch.stack([x / x.norm() for x in a]), z1=torch.stack([x / x.norm() for x in b]), c0=queue, c1=queue.flip(0) * 0.9 + 0.1 * queue,
     targets=torch.randint(0, 30, (2, n), generator=generator))



def local_aggregation(v, assignments, indices, neighbours, temperature):
    """Eq. 1, 2 and 4, with sets of indices."""
    total = 0
    bank = past / past.norm(dim=1, keepdim=True)
    for row, i in zip(v, indices.tolist()):
        density = torch.stack([torch.exp(row @ x / temperature) for x in bank])
        background = {i} | set(density.argsort(descending=True)[:neighbours].tolist())
        close = {i} | {j for j in range(len(bank)) if any(run[i] >= 0 and run[i] == run[j] for run in assignments)}
        total = total - torch.log(sum(density[j] for j in close & background) / sum(density[j] for j in background))
    return total / len(v)


clusters = torch.randint(0, 5, (3, 60), generator=generator)
clusters[2] = -1
out["local_aggregation.bank"] = past / past.norm(dim=1, keepdim=True)
case("local_aggregation", lambda v, assignments, indices: local_aggregation(v, assignments, indices, 17, 0.21),
     v=torch.stack([x / x.norm() for x in a]), assignments=clusters, indices=torch.randperm(60, generator=generator)[:n])


def pirl(m, f, g, negatives, weight, temperature):
    """Eq. 4 to 6; h(m_j, b) of a negative has that negative in front and all negatives behind."""
    def loss(own, b):
        everything = sum(torch.exp(b @ x / temperature) for x in negatives)
        h = lambda x: torch.exp(x @ b / temperature) / (torch.exp(x @ b / temperature) + everything)
        return -torch.log(h(own)) - sum(torch.log(1 - h(x)) for x in negatives)
    return sum(weight * loss(own, y) + (1 - weight) * loss(own, x) for own, x, y in zip(m, f, g)) / n


units = lambda z: torch.stack([x / x.norm() for x in z])
case("pirl", lambda m, f, g: pirl(m.detach(), f, g, queue[:23], 0.3, 0.37), m=units(image), f=units(a), g=units(b))


def smog(q, z, other, groups, momentum, temperature):
    """Eq. 3 and 4: the groups move with the batch, and the gradient goes through z."""
    choose = lambda x: torch.stack([cosine(x.detach(), c.detach()) for c in groups]).argmax().item()
    moved = []
    for k, c in enumerate(groups):
        members = [x for x in z if choose(x) == k]
        moved.append(momentum * c.detach() + (1 - momentum) * sum(members) / len(members) if members else c.detach())
    total = 0
    for x, y in zip(q, other):
        scores = torch.stack([cosine(x, c) / temperature for c in moved])
        total = total - torch.log(softmax(scores)[choose(y)])
    return total / len(q), {"moved": torch.stack(moved)}


case("smog", lambda q, z, other, groups: smog(q, z, other, groups, 0.6, 0.4), q=pv, z=units(a), other=units(b), groups=queue[:9])



def exact_softmax(v, indices, temperature):
    """Wu et al. 2018, eq. 2, over all of a bank."""
    total = 0
    for row, i in zip(v, indices.tolist()):
        scores = torch.stack([torch.exp(row @ x / temperature) for x in units(past)])
        total = total - torch.log(scores[i] / scores.sum())
    return total / n


case("exact_softmax", lambda v, indices: exact_softmax(v, indices, 0.17), v=units(a), indices=torch.randperm(60, generator=generator)[:n])


def obow(h, weights, maps, words, inverse, kappa):
    """Eq. 1 to 6: soft assignment at every place, the largest over places, L1; then the divergence of the prediction."""
    total, bags = 0, []
    for row, places in zip(h, maps.detach().flatten(2).transpose(1, 2)):
        codes = torch.stack([softmax(torch.stack([-((u - v) ** 2).sum() * inverse for v in words.detach()])) for u in places])
        bag = torch.stack([max(codes[:, k]) for k in range(len(words))])
        bag = bag / bag.sum()
        p = softmax(torch.stack([kappa * (row @ w) for w in weights]))
        total = total + sum(y * (torch.log(y) - torch.log(q)) for y, q in zip(bag, p))
        bags.append(bag)
    return total / len(h), {"bag": torch.stack(bags)}


case("obow", lambda h, weights, maps, words: obow(h, weights, maps, words, 0.07, 1.7), h=a, weights=units(past[:30]),
     maps=d(n, width, 3, 4), words=d(30, width))


# --- local features ------------------------------------------------------------------------------------------------------


def amdim(source, target, limit):
    """Every place of the own image against all places of the others, scores softly limited; and the mean square of the scores."""
    images, places, width = target.shape
    s = lambda i, j, p: source[i] @ target[j, p] / math.sqrt(width)
    soft = lambda x: limit * torch.tanh(x / limit)
    total, squares = 0, 0
    for i in range(images):
        others = sum(torch.exp(soft(s(i, j, p))) for j in range(images) if j != i for p in range(places))
        for p in range(places):
            own = torch.exp(soft(s(i, i, p)))
            total = total - torch.log(own / (own + others))
        squares = squares + sum(s(i, j, p) ** 2 for j in range(images) for p in range(places))
    return total / (images * places) + 0.07 * squares / (images ** 2 * places)


case("amdim", lambda source, target: amdim(source, target, 2.5), source=2 * a, target=2 * d(n, 6, width) + b[:, None])


def cpc(predictions, targets):
    """A prediction for row r, column j of image i finds that patch among all patches of all images."""
    images, rows, columns, _ = targets.shape
    offset = rows - predictions.shape[1]
    everything = [targets[i, r, j] for i in range(images) for r in range(rows) for j in range(columns)]
    total, count = 0, 0
    for i in range(images):
        for r in range(rows - offset):
            for j in range(columns):
                scores = torch.stack([predictions[i, r, j] @ t for t in everything])
                own = predictions[i, r, j] @ targets[i, r + offset, j]
                total = total - (own - torch.logsumexp(scores, 0))
                count += 1
    return total / count


case("cpc", cpc, predictions=0.3 * d(6, 3, 4, width), targets=d(6, 5, 4, width))


def vicreg_pair(x, y):
    """VICReg of one set of rows, with the weights 3, 5 and 0.7."""
    count = len(x)
    def variance(z):
        return sum(torch.relu(1 - torch.sqrt(((f - f.mean()) ** 2).sum() / (count - 1) + 1e-4)) for f in z.T) / z.shape[1]
    def covariance(z):
        c = sum(torch.outer(row - z.mean(0), row - z.mean(0)) for row in z) / (count - 1)
        return ((c ** 2).sum() - (torch.diag(c) ** 2).sum()) / z.shape[1]
    return (3 * ((x - y) ** 2).sum() / x.numel() + 5 * (variance(x) + variance(y)) + 0.7 * (covariance(x) + covariance(y)))


def vicregl(y0, y1, points0, points1, matches):
    """Both directions: in each image the pairs that are nearest of all; VICReg of the batch at each rank."""
    def direction(y, other, points, others):
        ranks = [([], []) for _ in range(matches)]
        for i in range(len(y)):
            found = []
            for p in range(y.shape[1]):
                distances = [((points[i, p] - q) ** 2).sum().item() for q in others[i]]
                nearest = min(range(len(distances)), key=distances.__getitem__)
                found.append((distances[nearest], p, nearest))
            for rank, (_, p, q) in enumerate(sorted(found)[:matches]):
                ranks[rank][0].append(y[i, p])
                ranks[rank][1].append(other[i, q])
        return sum(vicreg_pair(torch.stack(x), torch.stack(z)) for x, z in ranks) / matches
    return (direction(y0, y1, points0, points1) + direction(y1, y0, points1, points0)) / 2


y0, y1 = 0.4 * d(n, 6, width) + 0.3 * a[:, None], 0.4 * d(n, 6, width) + 0.3 * b[:, None]
points = [torch.rand(n, 6, 2, generator=generator, dtype=torch.float64) for _ in range(2)]
out["vicregl.points0"], out["vicregl.points1"] = points
case("vicregl", lambda y0, y1: vicregl(y0, y1, points[0], points[1], 4), y0=y0, y1=y1)
case("vicregl_features", lambda y0, y1: vicregl(y0, y1, y0.detach(), y1.detach(), 4), y0=y0, y1=y1)


def all4one_features(z0, z1, past0, past1):
    def correlations(past, z):
        return torch.stack([torch.stack([cosine(f, g) for g in z.T]) for f in past.detach().T])
    c = [correlations(past0, z1), correlations(past1, z0)]
    width = c[0].shape[0]
    own = sum(((1 - torch.diag(x)) ** 2).sum() / width for x in c) / 2
    others = sum(((x ** 2).sum() - (torch.diag(x) ** 2).sum()) / (width * (width - 1)) for x in c) / 2
    return 5 * torch.sqrt(own + 1e-12) + 5 * torch.sqrt(others + 1e-12)


case("all4one_features", all4one_features, z0=a, z1=b, past0=units(image + 0.5 * d(n, width)), past1=units(image + 0.5 * d(n, width)))


def neighbour_transformer(x, layers, width):
    """torch's own encoder layers, on sines and cosines of the places; the first output."""
    places = torch.zeros(x.shape[1], width, dtype=torch.float64)
    for p in range(x.shape[1]):
        for i in range(0, width, 2):
            places[p, i] = math.sin(p / 10000 ** (i / width))
            places[p, i + 1] = math.cos(p / 10000 ** (i / width))
    x = x + places
    for layer in layers:
        x = layer(x)
    return (x[:, 0] * weights).sum(), {"output": x[:, 0]}


torch.manual_seed(5)
layers = [torch.nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True).double() for _ in range(2)]
for number, layer in enumerate(layers):
    names = {"self_attn.in_proj_weight": "input.weight", "self_attn.in_proj_bias": "input.bias", "self_attn.out_proj.weight": "output.weight",
             "self_attn.out_proj.bias": "output.bias"}
    for key, value in layer.state_dict().items():
        value.add_(0.1 * d(*value.shape))
        out[f"transformer.layers.{number}.{names.get(key, key)}"] = value
out["neighbour_transformer.weights"] = weights
case("neighbour_transformer", lambda x: neighbour_transformer(x, layers, width), x=d(n, 5, width))


def bownet(h, prototypes, scale, places, words):
    """Hard words at all places, as shares; softmax of γ times the cosine-like scores of unit prototypes."""
    total = 0
    for row, own in zip(h, places.detach()):
        counts = [0] * len(words)
        for place in own:
            counts[min(range(len(words)), key=lambda k: ((place - words[k].detach()) ** 2).sum().item())] += 1
        scores = torch.stack([scale[0] * (row @ (w / w.norm())) for w in prototypes])
        total = total - sum(c / len(own) * torch.log(softmax(scores)[k]) for k, c in enumerate(counts))
    return total / len(h)


case("bownet", bownet, h=a, prototypes=d(25, width), scale=torch.tensor([1.7], dtype=torch.float64), places=d(n, 9, width), words=d(25, width))

save_file({key: value.detach().contiguous().clone() for key, value in out.items()}, HERE / "methods_joint.safetensors")
print(f"methods_joint.safetensors: {len(out)} tensors")
