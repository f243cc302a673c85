"""Reference values for distillation and mean teacher: the papers' formulas in float64, gradients by PyTorch.

    python Tests/ReferenceValues/generate_distillation.py

writes distillation.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241124)
out = {}
n, classes, temperature, label_weight = 26, 34, 0.4, 0.3
student = torch.tensor(rng.normal(size=(n, classes)) * 2, requires_grad=True)
teacher = torch.tensor(rng.normal(size=(n, classes)) * 3 + 0.5)
labels = torch.tensor(np.where(rng.random(n) < 0.4, rng.integers(0, classes, n), -1))
out |= {"student": student.detach().numpy(), "teacher": teacher.numpy(), "labels": labels.numpy()}


def probabilities(logits, t):
    e = torch.exp((logits - logits.max(1, keepdim=True).values) / t)
    return e / e.sum(1, keepdim=True)


def save(name, loss):
    student.grad = None
    loss.backward()
    out[f"{name}.loss"] = loss.detach().numpy()
    out[f"{name}.gradient"] = student.grad.numpy().copy()


# SimCLRv2, eq. 2 and 3, as means.
distilled = -(probabilities(teacher, temperature) * torch.log(probabilities(student, temperature))).sum(1).mean()
save("eq2", distilled)
known = labels >= 0
supervised = -torch.log(probabilities(student, 1)[known, labels[known]]).mean()
distilled = -(probabilities(teacher, temperature) * torch.log(probabilities(student, temperature))).sum(1).mean()
save("eq3", label_weight * supervised + (1 - label_weight) * distilled)

# Mean teacher: the mean squared error of softmax outputs, and the ramp-up exp(−5 (1 − t/T)²).
save("consistency", ((probabilities(student, 1) - probabilities(teacher, 1)) ** 2).sum() / (n * classes))
steps = np.arange(0, 90, 7)
out |= {"ramp.steps": steps, "ramp.values": np.where(steps < 60, np.exp(-5 * (1 - np.minimum(steps, 60) / 60) ** 2), 1.0)}

save_file({k: np.array(v, order="C") for k, v in out.items()}, os.path.join(here, "distillation.safetensors"))
