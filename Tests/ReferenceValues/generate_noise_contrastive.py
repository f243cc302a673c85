"""Reference values for noise-contrastive estimation and negative sampling, in float64 from the papers' formulas, sample by sample.

    python Tests/ReferenceValues/generate_noise_contrastive.py

writes noise_contrastive.safetensors beside itself.
"""
import math
import pathlib

import torch
from safetensors.torch import save_file

generator = torch.Generator().manual_seed(31)
n, k, words, width = 20, 7, 50, 32
center = torch.randn(n, width, generator=generator, dtype=torch.float64).requires_grad_()
context = (0.4 * torch.randn(words, width, generator=generator, dtype=torch.float64)).requires_grad_()
seen = torch.randint(0, words, (n,), generator=generator)
noise = torch.randint(0, words, (n, k), generator=generator)
counts = torch.randint(1, 400, (words,), generator=generator)
counts[3] = 0
seen[seen == 3] = 4
noise[noise == 3] = 4
powers = [float(c) ** 0.75 if c > 0 else 0.0 for c in counts.tolist()]
q = [p / sum(powers) for p in powers]
sigmoid = lambda x: 1 / (1 + torch.exp(-x))


def nce():
    """Mnih and Teh 2012, eq. 6–8: P(D = 1 | w) = P(w) / (P(w) + k·q(w)), log P(w) = s."""
    total = 0
    for c, w, others in zip(center, seen.tolist(), noise.tolist()):
        belongs = lambda x: torch.exp(c @ context[x]) / (torch.exp(c @ context[x]) + k * q[x])
        total = total - torch.log(belongs(w)) - sum(torch.log(1 - belongs(x)) for x in others)
    return total / n


def negative_sampling():
    """Mikolov et al. 2013, eq. 4."""
    total = 0
    for c, w, others in zip(center, seen.tolist(), noise.tolist()):
        total = total - torch.log(sigmoid(c @ context[w])) - sum(torch.log(sigmoid(-(c @ context[x]))) for x in others)
    return total / n


out = {"center": center, "context": context, "seen": seen, "noise": noise, "counts": counts, "q": torch.tensor(q, dtype=torch.float64)}
for name, loss in [("nce", nce()), ("negative_sampling", negative_sampling())]:
    gradients = torch.autograd.grad(loss, [center, context])
    out |= {f"{name}.loss": loss, f"{name}.gradient.center": gradients[0], f"{name}.gradient.context": gradients[1]}
save_file({key: value.detach().contiguous().clone() for key, value in out.items()},
          pathlib.Path(__file__).parent / "noise_contrastive.safetensors")
print(f"noise_contrastive.safetensors: {len(out)} tensors")
