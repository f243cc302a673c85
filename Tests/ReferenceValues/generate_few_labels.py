"""Reference values for S4L, pseudo-label and entropy minimisation: the papers' formulas in float64, gradients by PyTorch.

    python Tests/ReferenceValues/generate_few_labels.py

writes few_labels.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20261121)
out = {}


def save(name, value, **inputs):
    leaves = {key: leaf for key, leaf in inputs.items() if leaf.requires_grad}
    for leaf in leaves.values():
        leaf.grad = None
    value.backward()
    out[f"{name}.loss"] = value.detach().numpy()
    out.update({f"{name}.{key}": tensor.detach().numpy() for key, tensor in inputs.items()})
    out.update({f"{name}.gradient.{key}": leaf.grad.numpy().copy() for key, leaf in leaves.items()})


# Batch-hard triplets with a soft margin, row by row: five transformations of eleven images, one after the other.
copies, images, width = 5, 11, 34
z = torch.tensor(rng.normal(size=(copies * images, width)) * 3 + 0.4, requires_grad=True)
unit = z / z.norm(dim=1, keepdim=True)
terms = []
for a in range(len(z)):
    distances = [(unit[a] - unit[b]).pow(2).sum().sqrt() for b in range(len(z)) if b != a]
    others = [b for b in range(len(z)) if b != a]
    positive = torch.stack([d for d, b in zip(distances, others) if b % images == a % images]).max()
    negative = torch.stack([d for d, b in zip(distances, others) if b % images != a % images]).min()
    terms.append(torch.log1p(torch.exp(positive - negative)))
save("exemplar", torch.stack(terms).mean(), z=z)

n, classes = 26, 34
logits = torch.tensor(rng.normal(size=(n, classes)) * 2, requires_grad=True)
labels = torch.tensor(np.where(rng.random(n) < 0.4, rng.integers(0, classes, n), -1))
p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
unknown = (labels < 0).nonzero()[:, 0]
save("entropy", -(p[unknown] * torch.log(p[unknown])).sum(1).mean(), logits=logits, labels=labels)
p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
save("pseudo_label", -torch.log(p[unknown].max(1).values).mean(), logits=logits, labels=labels)
# Equation 16 with T1 = 30 and T2 = 50 of 90 steps, α = 1.
steps = np.arange(0, 90, 7)
out |= {"ramp.steps": steps, "ramp.values": np.where(steps < 30, 0.0, np.where(steps < 50, (steps - 30) / 20, 1.0))}

save_file({k: np.array(v, order="C") for k, v in out.items()}, os.path.join(here, "few_labels.safetensors"))
