"""Reference values for patches and puzzles: losses and gradients in float64, step by step from the papers' definitions.

    pip install torch safetensors
    python Tests/ReferenceValues/generate_patches.py

writes patches.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(47)
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


def surprise(scores, truth):
    """−log softmax of one row."""
    largest = scores.detach().max()
    return torch.log(torch.exp(scores - largest).sum()) + largest - scores[truth]


images, width = 18, 32


def relative(h, weight, positions):
    """The mean over images and neighbours; h are centres, then first neighbours, then second."""
    terms = []
    for image in range(images):
        for neighbour in range(2):
            both = torch.cat([h[image], h[(neighbour + 1) * images + image]])
            terms.append(surprise(weight @ both, positions[image, neighbour]))
    return sum(terms) / len(terms)


positions = torch.stack([torch.randperm(8, generator=generator)[:2] for _ in range(images)])
case("relative", relative, h=d(3 * images, width) * 2 + 0.3, weight=d(8, 2 * width) / 5, positions=positions)

tiles, count = 9, 21
orders = torch.stack([torch.randperm(tiles, generator=generator) for _ in range(count)])
chosen = torch.stack([torch.randperm(count, generator=generator)[:3] for _ in range(images)])


def jigsaw(codes, weight, orders, chosen):
    """codes stand in each image's first order; the mean over images and orders."""
    terms = []
    for image in range(images):
        of_tile = {}
        for place in range(tiles):
            of_tile[int(orders[chosen[image, 0], place])] = codes[image, place]
        for choice in chosen[image]:
            row = torch.cat([of_tile[int(tile)] for tile in orders[choice]])
            terms.append(surprise(weight @ row, choice))
    return sum(terms) / len(terms)


case("jigsaw", jigsaw, codes=d(images, tiles, width) + 0.4, weight=d(count, tiles * width) / 9, orders=orders, chosen=chosen)
case(
    "jigsaw_once", lambda codes, weight, orders, chosen: jigsaw(codes, weight, orders, chosen),
    codes=d(images, tiles, width) - 0.2, weight=d(count, tiles * width) / 9, orders=orders, chosen=chosen[:, :1].contiguous())


def colours(prediction, ab, there):
    """The mean squared distance over the values of tiles that are there."""
    terms = [((prediction[i] - ab[i].detach()) ** 2).sum() / prediction[i].numel() for i in range(len(there)) if there[i] > 0]
    return sum(terms) / len(terms)


there = torch.ones(20, dtype=torch.int64)
there[[2, 11, 17]] = 0
case("colours", colours, prediction=d(20, 2, 4, 4), ab=d(20, 2, 4, 4) / 2, there=there)

# Each pixel, seen as a column, times I − aᵀa/(aaᵀ).
pixels = torch.rand((16, 3, 5, 7), generator=generator, dtype=torch.float64) * 255
a = torch.tensor([[-1.0, 2, -1]], dtype=torch.float64)
matrix = torch.eye(3, dtype=torch.float64) - a.T @ a / (a @ a.T)
out["projection.pixels"] = pixels
out["projection.result"] = torch.einsum("ij,njhw->nihw", matrix, pixels)

# Each channel of each tile of a 2 × 2 picture by itself, in reading order.
picture = d(16, 3, 8, 8) * 3 + 1
cut = torch.stack([picture[n, :, y : y + 4, x : x + 4] for n in range(16) for y in (0, 4) for x in (0, 4)])
normal = torch.empty_like(cut)
for i in range(len(cut)):
    for c in range(3):
        values = cut[i, c]
        mean = values.sum() / 16
        normal[i, c] = (values - mean) / torch.sqrt(((values - mean) ** 2).sum() / 16 + 1e-5)
out["normalized.picture"] = picture
out["normalized.tiles"] = cut
out["normalized.result"] = normal

save_file({key: value.detach().contiguous().clone() for key, value in out.items()}, HERE / "patches.safetensors")
