"""Reference values for masked modelling: losses and gradients in float64, term by term from the papers' formulas, and HOG.

    pip install torch scikit-image safetensors
    python Tests/ReferenceValues/generate_methods_masked.py

writes methods_masked.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import math
import pathlib

import torch
from safetensors.torch import save_file
from skimage.feature import hog

HERE = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(31)
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


images, patches, width = 16, 9, 32
prediction = d(images, patches, width)
values = d(images, patches, width) * torch.exp(d(images, patches, 1)) + 0.4
mask = torch.rand((images, patches), generator=generator) < 0.6
mask[3] = False
order = torch.stack([torch.randperm(patches, generator=generator) for _ in range(images)])
hidden = order[:, 2:]


def mae(prediction, values, hidden):
    """Mean over hidden patches of the mean squared distance to the patch with mean 0 and (unbiased) variance 1."""
    values = values.detach()
    terms = []
    for i in range(images):
        for place in hidden[i].tolist():
            patch = values[i, place]
            mean = patch.sum() / width
            variance = ((patch - mean) ** 2).sum() / (width - 1)
            target = (patch - mean) / torch.sqrt(variance + 1e-6)
            terms.append(((prediction[i, place] - target) ** 2).sum() / width)
    return sum(terms) / len(terms)


case("mae", mae, prediction=prediction, values=values, hidden=hidden)


def over_hidden(distance):
    def loss(prediction, values, mask):
        terms = [distance(prediction[i, p], values[i, p].detach()) for i in range(images) for p in range(patches) if mask[i, p]]
        return sum(terms) / len(terms)
    return loss


case("simmim", over_hidden(lambda a, b: (a - b).abs().sum() / width), prediction=prediction, values=values, mask=mask)
case("maskfeat", over_hidden(lambda a, b: ((a - b) ** 2).sum() / width), prediction=prediction, values=values, mask=mask)


def smooth(beta):
    def distance(a, b):
        terms = [x * x / (2 * beta) if abs(x) <= beta else abs(x) - beta / 2 for x in a - b]
        return sum(terms) / len(terms)
    return distance


case("data2vec", over_hidden(smooth(1.3)), prediction=prediction, values=values, mask=mask)


def standardised(x):
    mean = x.mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(((x - mean) ** 2).mean(-1, keepdim=True) + 1e-5)


blocks = [d(images, patches, width) * (1 + k) + k for k in range(3)]
for k, block in enumerate(blocks):
    out[f"data2vec_targets.block{k}"] = block
out["data2vec_targets.targets"] = (standardised(blocks[0]) + standardised(blocks[1]) + standardised(blocks[2])) / 3


def ijepa(p0, p1, t0, t1):
    return sum(sum(((p[i, j] - t.detach()[i, j]) ** 2).sum() / width for i in range(images) for j in range(4)) / (images * 4)
               for p, t in ((p0, t0), (p1, t1))) / 2


case("ijepa", ijepa, p0=d(images, 4, width), p1=d(images, 4, width), t0=d(images, 4, width), t1=d(images, 4, width))


def ibot(student, teacher, mask, centre):
    total = 0
    for i in range(images):
        own = []
        for p in range(patches):
            if mask[i, p]:
                target = torch.softmax((teacher[i, p].detach() - centre.detach()) / 0.3, 0)
                own.append(-(target * torch.log(torch.softmax(student[i, p] / 0.7, 0))).sum())
        total = total + (sum(own) / len(own) if own else 0)
    return total / images


case("ibot", ibot, student=prediction, teacher=values, mask=mask, centre=d(width))


def msn(a0, a1, target, prototypes, weight=1.7, temperature=0.4, sharpening=0.6):
    unit = lambda x: x / x.norm()
    q = [unit(row) for row in prototypes]
    total, probabilities = 0, []
    for anchors in (a0, a1):
        for anchor, goal in zip(anchors, target.detach()):
            p = torch.softmax(torch.stack([unit(anchor) @ k for k in q]) / temperature, 0)
            t = torch.softmax(torch.stack([unit(goal) @ k.detach() for k in q]) / temperature, 0) ** (1 / sharpening)
            total = total - (t / t.sum() * torch.log(p)).sum()
            probabilities.append(p)
    mean = sum(probabilities) / len(probabilities)
    return total / len(probabilities) + weight * (mean * torch.log(mean)).sum()


case("msn", msn, a0=d(images, width) * 2 + 0.3, a1=d(images, width), target=d(images, width) * 3 + 0.2, prototypes=d(40, width) * 1.5)

# HOG of smooth and of noisy images, of uneven sides.
for name, (rows, columns), cell, bins in (("eight", (40, 56), 8, 9), ("four", (32, 24), 4, 6)):
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    image = torch.sin(x / 5.0 + y / 9.0) + 0.3 * torch.cos(x * y / 60.0) + 0.05 * d(rows, columns)
    found = hog(image.numpy(), orientations=bins, pixels_per_cell=(cell, cell), cells_per_block=(1, 1), block_norm="L2", feature_vector=False)
    out[f"hog.{name}.image"] = image.double()
    out[f"hog.{name}.histograms"] = torch.from_numpy(found).reshape(rows // cell, columns // cell, bins).permute(2, 0, 1)


def balanced(target, prototypes, iterations, temperature=0.4, sharpening=0.6):
    """MSN's targets: each prototype's column, then each image's row, is made to sum to 1."""
    unit = lambda x: x / x.norm()
    rows = []
    for goal in target:
        p = torch.softmax(torch.stack([unit(goal) @ unit(k) for k in prototypes]) / temperature, 0) ** (1 / sharpening)
        rows.append(p / p.sum())
    q = torch.stack(rows)
    for _ in range(iterations):
        q = torch.stack([column / column.sum() for column in q.T]).T
        q = torch.stack([row / row.sum() for row in q])
    return q


def balanced_msn(a0, target, prototypes):
    unit = lambda x: x / x.norm()
    goals = balanced(target.detach(), prototypes.detach(), 3)
    total = 0
    for anchor, goal in zip(a0, goals):
        total = total - (goal * torch.log_softmax(torch.stack([unit(anchor) @ unit(k) for k in prototypes]) / 0.4, 0)).sum()
    return total / len(goals)


case("msn_balanced", balanced_msn, a0=d(images, width), target=d(images, width), prototypes=d(5, width))

save_file({key: value.detach().clone().contiguous() for key, value in out.items()}, HERE / "methods_masked.safetensors")
