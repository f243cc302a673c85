"""Reference values for pretext and generative tasks: losses and gradients in float64, term by term from the papers' formulas; CIE Lab of
scikit-image; spectral normalisation of PyTorch.

    pip install torch scikit-image safetensors
    python Tests/ReferenceValues/generate_generative.py

writes generative.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import math
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from skimage.color import lab2rgb, rgb2lab

HERE = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(57)
out = {}


def d(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def case(name, function, **inputs):
    """Keeps inputs, loss and the gradients of those inputs that have one."""
    leaves = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in inputs.items()}
    loss = function(**leaves)
    loss.backward()
    out[f"{name}.loss"] = loss
    for key, leaf in leaves.items():
        out[f"{name}.{key}"] = inputs[key]
        if leaf.grad is not None:
            out[f"{name}.gradient.{key}"] = leaf.grad


# Every bin that one of a dense sample of sRGB's colours falls into; all 2^24 give the same.
levels = np.unique(np.concatenate([np.arange(0, 256, 3), [254, 255]]))
bins = set()
for red in levels:
    green, blue = np.meshgrid(levels, levels, indexing="ij")
    lab = rgb2lab(np.stack([np.full_like(green, red), green, blue], -1).astype(np.float64) / 255)
    places = np.floor(lab[..., 1:] / 10 + 0.5).astype(int).reshape(-1, 2)
    bins |= set(map(tuple, places.tolist()))
# The faces in full, where the rim is.
full = np.arange(256)
first, second = np.meshgrid(full, full, indexing="ij")
for channel in range(3):
    for value in (0, 255):
        colours = [first, second]
        colours.insert(channel, np.full_like(first, value))
        lab = rgb2lab(np.stack(colours, -1).astype(np.float64) / 255)
        bins |= set(map(tuple, np.floor(lab[..., 1:] / 10 + 0.5).astype(int).reshape(-1, 2).tolist()))
centres = torch.tensor(sorted(bins), dtype=torch.float64) * 10
count = len(centres)
print(count, "bins")
out["bins.centres"] = centres

rgb = torch.rand((16, 32, 3), generator=generator, dtype=torch.float64)
out["lab.rgb"] = rgb.permute(2, 0, 1)[None].contiguous()
out["lab.lab"] = torch.from_numpy(rgb2lab(rgb.numpy())).permute(2, 0, 1)[None].contiguous()
lab = torch.stack([torch.rand((16, 32), generator=generator, dtype=torch.float64) * 100,
                   d(16, 32) * 15, d(16, 32) * 15], -1)
out["lab.other"] = lab.permute(2, 0, 1)[None].contiguous()
out["lab.back"] = torch.from_numpy(lab2rgb(lab.numpy())).permute(2, 0, 1)[None].contiguous()

# Colorization.
images, height, width, neighbours, sigma, share = 2, 4, 6, 4, 7.0, 0.3
logits = d(images, count, height, width)
ab = d(images, 2, height, width) * 30
counts = torch.randint(0, 500, (count,), generator=generator)
counts[::7] = 0


def balanced():
    p = counts.double() / counts.sum()
    smooth = torch.zeros(count, dtype=torch.float64)
    for q in range(count):
        for r in range(count):
            smooth[q] += p[r] * math.exp(-((centres[q] - centres[r]) ** 2).sum() / (2 * sigma ** 2))
    smooth /= smooth.sum()
    weights = 1 / ((1 - share) * smooth + share / count)
    return weights / (weights * smooth).sum()


weights = balanced()
out["balance.counts"] = counts
out["balance.weights"] = weights


def encode(colour):
    distance = ((centres - colour) ** 2).sum(1)
    order = torch.argsort(distance)[:neighbours]
    z = torch.zeros(count, dtype=torch.float64)
    z[order] = torch.exp(-distance[order] / (2 * sigma ** 2))
    return z / z.sum(), order[0]


def colours(logits, ab, weights):
    terms = []
    for i in range(images):
        for y in range(height):
            for x in range(width):
                z, q = encode(ab[i, :, y, x].detach())
                p = torch.exp(logits[i, :, y, x])
                p = p / p.sum()
                terms.append(-weights[q].detach() * (z * torch.log(p)).sum())
    return sum(terms) / len(terms)


case("colours", colours, logits=logits, ab=ab, weights=weights)
temperature = 0.38
p = torch.exp(torch.log(torch.softmax(logits, 1)) / temperature)
p = p / p.sum(1, keepdim=True)
out["colours.annealed"] = torch.einsum("nqhw,qc->nchw", p, centres)
case("regression", lambda prediction, ab: 0.5 * sum(
    ((prediction[i, :, y, x] - ab[i, :, y, x].detach() / 10) ** 2).sum()
    for i in range(images) for y in range(height) for x in range(width)) / (images * height * width),
    prediction=d(images, 2, height, width), ab=ab)


def lightness(logits, lightness):
    total = 0
    for i in range(images):
        for y in range(height):
            for x in range(width):
                value = lightness[i, 0, y, x].item()
                total = total - torch.log_softmax(logits[i, :, y, x], 0)[min(99, max(0, math.floor(value)))]
    return total / (images * height * width)


levels = torch.rand((images, 1, height, width), generator=generator, dtype=torch.float64) * 100
levels[0, 0, 0, 0], levels[1, 0, 0, 0] = 100, 0
case("lightness", lightness, logits=d(images, 100, height, width), lightness=levels)

# Variational autoencoder: the divergence by torch.distributions.
mean, log_variance = d(16, 32), d(16, 32)


def divergence(mean, log_variance):
    posterior = torch.distributions.Normal(mean, torch.exp(log_variance) ** 0.5)
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(posterior, prior).sum(1).mean()


case("divergence", divergence, mean=mean, log_variance=log_variance)

# Context encoder: central with a rim, and regions.
prediction, target = d(16, 3, 8, 8), d(16, 3, 8, 8)
rim = torch.ones(1, 1, 8, 8, dtype=torch.float64)
rim[:, :, [0, -1], :] = 10
rim[:, :, :, [0, -1]] = 10
regions = (torch.rand((16, 1, 8, 8), generator=generator) < 0.3).double()


def filled(prediction, target, weights):
    total, number = 0, 0
    for i in range(16):
        w = weights.detach()[i % len(weights), 0]
        total = total + (w * (prediction[i] - target[i].detach()) ** 2).sum()
        number += 3 * int((w > 0).sum())
    return total / number


case("central", filled, prediction=prediction, target=target, weights=rim)
case("regions", filled, prediction=prediction, target=target, weights=regions)

# Adversarial losses.
real, made = d(32) * 2, d(32) * 2
case("logistic", lambda real, made: -(torch.log(torch.sigmoid(real)).mean() + torch.log(1 - torch.sigmoid(made)).mean()), real=real, made=made)
case("deceiving", lambda made: -torch.log(torch.sigmoid(made)).mean(), made=made)
case("hinge", lambda real, made: torch.clamp(1 - real, min=0).mean() + torch.clamp(1 + made, min=0).mean(), real=real, made=made)
scores = {f"{kind}{i}": d(32) * 2 for kind in ("real", "made") for i in range(3)}
case("encoder_generator", lambda **s: sum(s[f"real{i}"].mean() - s[f"made{i}"].mean() for i in range(3)), **scores)

# Triplets of three views of 16 images, semi-hard negatives.
z = d(48, 32) * 1.7


def triplets(z):
    unit = z / torch.sqrt((z ** 2).sum(1, keepdim=True))
    terms = []
    for i in range(48):
        for j in range(48):
            if i == j or i % 16 != j % 16:
                continue
            positive = ((unit[i] - unit[j]) ** 2).sum()
            distances = [((unit[i] - unit[k]) ** 2).sum() for k in range(48) if k % 16 != i % 16]
            farther = [x for x in distances if x > positive]
            negative = min(farther) if farther else max(distances)
            terms.append(torch.clamp(positive - negative + 0.5, min=0))
    return sum(terms) / len(terms)


case("triplets", triplets, z=z)

# Spectral normalisation: two calls in training after given vectors.
layer = torch.nn.utils.spectral_norm(torch.nn.Conv2d(8, 16, 3).double())
out["spectral.weight"] = layer.weight_orig
layer.weight_u.copy_(torch.nn.functional.normalize(d(16), dim=0))
layer.weight_v.copy_(torch.nn.functional.normalize(d(72), dim=0))
out["spectral.u"], out["spectral.v"] = layer.weight_u.clone(), layer.weight_v.clone()
direction = d(16, 8, 3, 3)
x = torch.zeros(1, 8, 3, 3, dtype=torch.float64)
layer(x)
layer(x)
(layer.weight * direction).sum().backward()
out["spectral.direction"], out["spectral.second"], out["spectral.gradient"] = direction, layer.weight, layer.weight_orig.grad
out["spectral.u_after"] = layer.weight_u

# A fully-connected layer within each channel.
maps, matrix, bias = d(4, 6, 3, 2), d(6, 6, 6), d(6, 6)
out["channelwise.maps"], out["channelwise.weight"], out["channelwise.bias"] = maps, matrix, bias
out["channelwise.result"] = torch.stack(
    [torch.stack([maps[i, c].flatten() @ matrix[c] + bias[c] for c in range(6)]) for i in range(4)]).reshape(4, 6, 3, 2)

save_file({key: value.detach().contiguous().clone() for key, value in out.items()}, HERE / "generative.safetensors")
