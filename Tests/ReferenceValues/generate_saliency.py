"""Grad-CAM (Selvaraju et al. 2017) of a linear classifier on standardised, pooled maps, by PyTorch's autograd in float64.

    python Tests/ReferenceValues/generate_saliency.py

writes saliency.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20241125)
n, channels, height, width, classes = 18, 33, 4, 5, 6
maps = torch.tensor(np.abs(rng.normal(size=(n, channels, height, width))) * np.geomspace(3, 0.2, channels)[:, None, None], requires_grad=True)
weight, bias = torch.tensor(rng.normal(size=(classes, channels))), torch.tensor(rng.normal(size=classes))
features = maps.mean((2, 3))
mean, deviation = features.detach().mean(0), features.detach().std(0, correction=0)
chosen = torch.tensor(rng.integers(0, classes, n))
logits = ((features - mean) / deviation) @ weight.T + bias
logits[torch.arange(n), chosen].sum().backward()
alpha = maps.grad.mean((2, 3), keepdim=True)
cam = torch.relu((alpha * maps).sum(1))
cam = cam / cam.amax((1, 2), keepdim=True).clamp(min=1e-30)

save_file(
    {k: np.ascontiguousarray(v) for k, v in {
        "maps": maps.detach().numpy().astype(np.float32), "features": features.detach().numpy().astype(np.float32),
        "weight": weight.numpy().astype(np.float32), "bias": bias.numpy().astype(np.float32), "chosen": chosen.numpy(),
        "cam": cam.detach().numpy()}.items()}, os.path.join(here, "saliency.safetensors"))
