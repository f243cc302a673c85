"""Reference values for the augmentations, from torchvision on uint8 tensors (Sobel: from its definition, in numpy).

    python generate_augmentations.py

writes augmentations/cases.json (what was done to which image) and augmentations/outputs.bin (the results, one after the
other, height x width x 3 bytes each). The input images are made from integer formulas, here and in the tests alike, so
that they need not be stored. Written with torch 2.13 and torchvision 0.28.
"""
import json
import math
import pathlib

try:  # a stand-in for optional parts of torchvision that some installations lack
    import peers_stub  # noqa: F401
except ImportError:
    pass
import numpy as np
import torch
import torchvision
import torchvision.transforms as v1
import torchvision.transforms.functional as f1
import torchvision.transforms.v2.functional as f2
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import AutoAugment, AutoAugmentPolicy, RandAugment, _apply_op


def wave(v, period):
    return np.abs(v % (2 * period) - period) * 255 // period


def image(kind, width, height):
    """smooth: waves and one hard edge, in many colours; noise: every byte anything; flat: smooth, of low contrast."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    if kind == "noise":
        i = np.arange(height * width * 3, dtype=np.uint64)
        h = (i * 2654435761 + 97531) % 2**32
        h = (h ^ (h >> 15)) * 2246822519 % 2**32
        h = (h ^ (h >> 13)) * 3266489917 % 2**32
        return ((h >> 16) & 255).astype(np.uint8).reshape(height, width, 3)
    p = np.stack([(wave(2 * x + y, 61) + wave(x, 37)) // 2, (wave(3 * y + x, 89) + wave(y + 50, 23)) // 2, wave(x - 2 * y + 4000, 47)], -1)
    inside = (4 * x > width) & (2 * x < width) & (3 * y > height) & (5 * y < 4 * height)
    p = np.where(inside[..., None], 255 - p // 3, p)
    if kind == "flat":
        p = 70 + p // 3
    return p.astype(np.uint8)


def tensor(a):
    return torch.from_numpy(np.ascontiguousarray(a)).permute(2, 0, 1).contiguous()


cases, blob = [], bytearray()


def case(op, kind, width, height, result, **parameters):
    a = result.permute(1, 2, 0).contiguous().numpy() if isinstance(result, torch.Tensor) else result
    assert a.dtype == np.uint8 and a.ndim == 3 and a.shape[2] == 3, (op, a.dtype, a.shape)
    cases.append(dict(op=op, image=dict(kind=kind, width=width, height=height), parameters=parameters,
                      width=a.shape[1], height=a.shape[0], offset=len(blob)))
    blob.extend(a.tobytes())


MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def resized(kind, width, height, box, size, mode, antialias):
    x, y, w, h = box
    out = f2.resized_crop(tensor(image(kind, width, height)), y, x, h, w, list(size), MODES[mode], antialias=antialias)
    case("resizedCrop", kind, width, height, out, box=box, size=size, interpolation=mode, antialias=antialias)


for mode in MODES:
    for antialias in (True, False):
        resized("smooth", 200, 150, [13, 7, 150, 120], [36, 48], mode, antialias)   # smaller
        resized("smooth", 200, 150, [60, 31, 21, 17], [30, 40], mode, antialias)    # larger
    resized("noise", 60, 50, [0, 0, 60, 50], [20, 24], mode, True)
    resized("noise", 24, 20, [3, 2, 9, 11], [25, 21], mode, True)
    resized("noise", 61, 33, [5, 1, 50, 9], [31, 17], mode, True)                   # smaller one way, larger the other
    resized("smooth", 500, 375, [0, 0, 500, 375], [32, 32], mode, True)

for kind, width, height, side, crop in [("smooth", 90, 61, 40, 35), ("smooth", 33, 57, 36, 32), ("noise", 45, 45, 38, 33)]:
    out = f2.center_crop(f2.resize(tensor(image(kind, width, height)), [side], MODES["bicubic"], antialias=True), [crop, crop])
    case("evaluation", kind, width, height, out, shorter=side, crop=crop)
case("centerCrop", "smooth", 21, 16, f2.center_crop(tensor(image("smooth", 21, 16)), [23, 18]), size=[23, 18])

IMAGES = [("smooth", 43, 34), ("noise", 24, 20), ("smooth", 17, 29)]
for kind, width, height in IMAGES:
    t = tensor(image(kind, width, height))

    def add(op, result, **parameters):
        case(op, kind, width, height, result, **parameters)

    for factor in (0.35, 1.7):
        add("brightness", f2.adjust_brightness(t, factor), factor=factor)
        add("contrast", f2.adjust_contrast(t, factor), factor=factor)
        add("saturation", f2.adjust_saturation(t, factor), factor=factor)
        add("sharpness", f2.adjust_sharpness(t, factor), factor=factor)
    for turns in (0.17, -0.08, -0.5):
        add("hue", f2.adjust_hue(t, turns), turns=turns)
    add("grayscale", f2.rgb_to_grayscale(t, 3))
    for size, sigma in ((3, 0.6), (9, 1.9), (17, 2.0)):
        if size // 2 < min(width, height):
            add("blur", f2.gaussian_blur(t, [size, size], [sigma, sigma]), kernelSize=size, sigma=sigma)
    add("solarize", f2.solarize(t, 100), threshold=100)
    add("posterize", f2.posterize(t, 3), bits=3)
    add("invert", f2.invert(t))
    add("equalize", f2.equalize(t))
    add("flip", f2.horizontal_flip(t))
    for turns in (1, 2, 3):
        add("quarterTurn", torch.rot90(t, turns, (1, 2)), turns=turns)

    a = image(kind, width, height).astype(np.int64)
    p = np.pad(a, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    s = lambda dy, dx: p[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
    gx = s(-1, 1) + 2 * s(0, 1) + s(1, 1) - s(-1, -1) - 2 * s(0, -1) - s(1, -1)
    gy = s(1, -1) + 2 * s(1, 0) + s(1, 1) - s(-1, -1) - 2 * s(-1, 0) - s(-1, 1)
    add("sobel", np.minimum(np.rint(np.sqrt(gx**2 + gy**2)), 255).astype(np.uint8))

case("autoContrast", "flat", 31, 22, f2.autocontrast(tensor(image("flat", 31, 22))))
case("equalize", "flat", 31, 22, f2.equalize(tensor(image("flat", 31, 22))))
padded = f2.pad(tensor(image("smooth", 17, 29)), [4, 4, 4, 4])
case("paddedCrop", "smooth", 17, 29, f2.crop(padded, 6, 1, 29, 17), x=-3, y=2)

# What RandAugment and AutoAugment do with a magnitude.
for kind, width, height in IMAGES[:2]:
    t = tensor(image(kind, width, height))
    for name, magnitudes in {"ShearX": [0.21, -0.3], "ShearY": [0.13, -0.27], "TranslateX": [5.7, -3.2], "TranslateY": [4.9, -8.1],
                             "Rotate": [20.0, -13.0], "Brightness": [-0.4], "Color": [0.6], "Contrast": [-0.3], "Sharpness": [0.81],
                             "Posterize": [4.0], "Solarize": [170.5], "AutoContrast": [0.0], "Equalize": [0.0], "Invert": [0.0]}.items():
        for magnitude in magnitudes:
            out = _apply_op(t, name, magnitude, InterpolationMode.NEAREST, None)
            case("policy", kind, width, height, out, name=name[0].lower() + name[1:], magnitude=magnitude)

# The magnitudes of all places on their scales, for an image of 36 x 48.
def space(augment, bins):
    table = augment._augmentation_space(bins, (36, 48))
    return {n[0].lower() + n[1:]: dict(signed=s, values=m.tolist() if m.ndim else []) for n, (m, s) in table.items()}

magnitudes = {"31": space(RandAugment(), 31), "10": space(AutoAugment(), 10)}
policies = {key: [[[n[0].lower() + n[1:], p, m or 0] for n, p, m in pair] for pair in AutoAugment(policy).policies]
            for key, policy in (("imageNet", AutoAugmentPolicy.IMAGENET), ("cifar10", AutoAugmentPolicy.CIFAR10))}

# What RandomResizedCrop draws: quantiles of area, of the logarithm of width / height, and of the place, over many draws.
torch.manual_seed(0)
crops = []
for width, height, scale in ((100, 80, (0.08, 1.0)), (300, 20, (0.3, 1.0)), (64, 64, (0.05, 0.14))):
    t = torch.empty(3, height, width)
    draws = [v1.RandomResizedCrop.get_params(t, list(scale), [3 / 4, 4 / 3]) for _ in range(20000)]
    y, x, h, w = (np.array(v, dtype=float) for v in zip(*draws))
    of = {"area": h * w / (height * width), "ratio": np.log(w / h), "centreX": (x + w / 2) / width, "centreY": (y + h / 2) / height}
    crops.append(dict(width=width, height=height, scale=scale,
                      quantiles={k: np.quantile(v, np.arange(1, 20) / 20, method="linear").round(5).tolist() for k, v in of.items()}))

folder = pathlib.Path(__file__).parent / "augmentations"
folder.mkdir(exist_ok=True)
(folder / "outputs.bin").write_bytes(blob)
(folder / "cases.json").write_text(json.dumps(
    dict(written_with=dict(torch=torch.__version__.split("+")[0], torchvision=torchvision.__version__.split("+")[0]),
         cases=cases, magnitudes=magnitudes, policies=policies, crops=crops), separators=(",", ":")) + "\n")
print(len(cases), "cases,", len(blob), "bytes")
