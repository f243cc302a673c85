"""Reference values for fine-tuning: PyTorch and the papers' formulas.

    python Tests/ReferenceValues/generate_finetuning.py

writes finetuning.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241122)
out = {}

# MixUp's loss of mixed labels: the cross-entropy with λ yᵢ + (1 − λ) yⱼ (Zhang et al. 2018), and its gradient.
n, classes, share = 24, 9, 0.27
logits = torch.tensor(rng.normal(size=(n, classes)) * 3, requires_grad=True)
labels = torch.tensor(rng.integers(0, classes, n))
partners = torch.tensor(rng.permutation(n))
hot = torch.nn.functional.one_hot(labels, classes).double()
loss = -((share * hot + (1 - share) * hot[partners]) * logits.log_softmax(1)).sum(1).mean()
loss.backward()
out |= {
    "mixup.logits": logits.detach().numpy(), "mixup.labels": labels.numpy(), "mixup.partners": partners.numpy(),
    "mixup.loss": loss.detach().numpy(), "mixup.gradient": logits.grad.numpy()}


# BiT's learning rate (section 3.3, and section A's warm-up): a number of steps by the number of images, a linear warm-up, and a
# tenth after each boundary.
def bit_rate(step, boundaries, base=0.003):
    warm = boundaries[0]
    if step < warm:
        return base * step / warm
    return base / 10 ** sum(step > b for b in boundaries[1:-1])


for name, boundaries in {
    "small": [100, 200, 300, 400, 500], "medium": [500, 3000, 6000, 9000, 10000], "large": [500, 6000, 12000, 18000, 20000],
}.items():
    # Not at the boundaries themselves, where one step more or less is no difference.
    steps = np.array([s for s in range(7, boundaries[-1], boundaries[-1] // 61) if min(abs(s - b) for b in boundaries) > 2])
    out |= {f"bit.{name}.steps": steps, f"bit.{name}.rates": np.array([bit_rate(int(s), boundaries) for s in steps]),
            f"bit.{name}.total": np.array([boundaries[-1]])}

# SGD with Nesterov momentum where each depth has its own rate (layer-wise decay d: rate × dᴸ⁻ⁱ).
decay, rate, depths = 0.65, 0.2, 6
weights = [torch.tensor(rng.normal(size=(16, 32)), requires_grad=True) for _ in range(depths)]
out |= {f"decay.before.{i}": w.detach().numpy().copy() for i, w in enumerate(weights)}
sgd = torch.optim.SGD(
    [{"params": [w], "lr": rate * decay ** (depths - 1 - i)} for i, w in enumerate(weights)], lr=rate, momentum=0.9, nesterov=True)
for _ in range(3):
    sgd.zero_grad()
    sum((w ** 4).sum() / 4 + w.sum() for w in weights).backward()
    sgd.step()
out |= {f"decay.after.{i}": w.detach().numpy() for i, w in enumerate(weights)}

save_file({k: np.array(v, order="C") for k, v in out.items()}, os.path.join(here, "finetuning.safetensors"))
