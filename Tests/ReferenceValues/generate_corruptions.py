"""Reference values for the corruptions, from PyPI's imagecorruptions 1.1.2 (a port of the benchmark's own code).

    pip install imagecorruptions scikit-image opencv-python-headless numba
    python generate_corruptions.py

writes corruptions/cases.json and corruptions/outputs.bin (height x width x 3 bytes each). NumPy's random functions are
replaced by a hash that the tests compute as well, so that random corruptions can be compared value by value. Constants of
CIFAR-10-C are put into the package's functions in place of ImageNet-C's. Impulse and shot noise have no such reference: their
distributions are tested. The elastic transform is the benchmark's own (the package leaves out its affine part), from
its definition, with OpenCV and SciPy.
"""
import inspect
import json
import pathlib
import re
import sys
import types

import cv2
import numpy as np
import scipy.ndimage
import skimage.filters
from PIL import Image

# What the package needs of older versions of its dependencies.
np.float_ = np.float64
sys.modules["scipy.ndimage.interpolation"] = scipy.ndimage
if "pkg_resources" not in sys.modules:
    sys.modules["pkg_resources"] = types.SimpleNamespace(resource_filename=lambda *_: "")
import imagecorruptions.corruptions as published  # noqa: E402


def gaussian(image, sigma=1, multichannel=False, **options):
    return skimage.filters.gaussian(image, sigma, channel_axis=-1 if multichannel else None, **options)


published.gaussian = gaussian
# The benchmark spreads pixels with BOX, the package with NEAREST: they differ where a middle lies on a border.
Image.NEAREST = Image.BOX


class Hash:
    """Numbers in [0, 1) from their place in the sequence."""

    def __init__(self):
        self.place = 0

    def draw(self, shape):
        count = int(np.prod(shape))
        i = np.arange(self.place, self.place + count, dtype=np.uint64)
        self.place += count
        h = (i * 2654435761 + 97531) % 2**32
        h = (h ^ (h >> 15)) * 2246822519 % 2**32
        h = (h ^ (h >> 13)) * 3266489917 % 2**32
        return ((h ^ (h >> 16)) % 2**32).astype(np.float64).reshape(shape) / 2**32

    def uniform(self, low=0.0, high=1.0, size=()):
        return low + (high - low) * self.draw(size)

    def normal(self, loc=0.0, scale=1.0, size=()):
        # Not normal, but of mean 0 and variance 1, which is all that the arithmetic after it needs.
        return loc + scale * (self.draw(tuple(size) + (4,)).sum(-1) - 2) * np.sqrt(3)

    def randint(self, low, high, size=()):
        return (low + np.floor(self.draw(size) * (high - low))).astype(np.int64)


def wave(v, period):
    return np.abs(v % (2 * period) - period) * 255 // period


def image(width, height):
    """The tests' `smooth` image: waves and one hard edge, in many colours."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    p = np.stack([(wave(2 * x + y, 61) + wave(x, 37)) // 2, (wave(3 * y + x, 89) + wave(y + 50, 23)) // 2, wave(x - 2 * y + 4000, 47)], -1)
    inside = (4 * x > width) & (2 * x < width) & (3 * y > height) & (5 * y < 4 * height)
    return np.where(inside[..., None], 255 - p // 3, p).astype(np.uint8)


def elastic(x, c):
    x = x.astype(np.float32) / 255
    height, width = x.shape[:2]
    middle, side = np.float32([height, width]) // 2, min(height, width) // 3
    before = np.float32([middle + side, [middle[0] + side, middle[1] - side], middle - side])
    after = before + np.random.uniform(-c[2], c[2], size=before.shape).astype(np.float32)
    x = cv2.warpAffine(x, cv2.getAffineTransform(before, after), (width, height), borderMode=cv2.BORDER_REFLECT_101)
    dx, dy = (gaussian(np.random.uniform(-1, 1, size=(height, width)), c[1], mode="reflect", truncate=3) * c[0] for _ in range(2))
    v, u = np.mgrid[0:height, 0:width]
    channels = [scipy.ndimage.map_coordinates(x[..., k], [v + dy, u + dx], order=1, mode="reflect") for k in range(3)]
    return np.clip(np.stack(channels, -1), 0, 1) * 255


CIFAR = {
    "gaussian_noise": [.04, .06, .08, .09, .1], "speckle_noise": [.06, .1, .12, .16, .2], "gaussian_blur": [.4, .6, .7, .8, 1],
    "glass_blur": [(.05, 1, 1), (.25, 1, 1), (.4, 1, 1), (.25, 1, 2), (.4, 1, 2)],
    "defocus_blur": [(.3, .4), (.4, .5), (.5, .6), (1, .2), (1.5, .1)],
    "motion_blur": [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
    "zoom_blur": [np.arange(1, 1.06, .01), np.arange(1, 1.11, .01), np.arange(1, 1.16, .01), np.arange(1, 1.21, .01), np.arange(1, 1.26, .01)],
    "fog": [(.2, 3), (.5, 3), (.75, 2.5), (1, 2), (1.5, 1.75)],
    "snow": [(.1, .2, 1, .6, 8, 3, .95), (.1, .2, 1, .5, 10, 4, .9), (.15, .3, 1.75, .55, 10, 4, .9),
             (.25, .3, 2.25, .6, 12, 6, .85), (.3, .3, 1.25, .65, 14, 12, .8)],
    "spatter": [(.62, .1, .7, .7, .5, 0), (.65, .1, .8, .7, .5, 0), (.65, .3, 1, .69, .5, 0),
                (.65, .1, .7, .69, .6, 1), (.65, .1, .5, .68, .6, 1)],
    "contrast": [.75, .5, .4, .3, .15], "brightness": [.05, .1, .15, .2, .3],
    "saturate": [(.3, 0), (.1, 0), (1.5, 0), (2, .1), (2.5, .2)], "jpeg_compression": [80, 65, 58, 50, 40],
    "pixelate": [.95, .9, .85, .75, .65],
}
ELASTIC = {
    "ImageNet-C": [(488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88), (29.28, 2.44, 4.88)],
    "CIFAR-10-C": [(0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, .96, .96)],
}
# The package cuts an enlarged layer at its top left where the benchmark cuts the middle: sizes where both are the same.
UNLIKE = {("snow", "ImageNet-C", 4), ("snow", "ImageNet-C", 5), ("snow", "CIFAR-10-C", 3), ("snow", "CIFAR-10-C", 4)}
PIL = {"jpeg_compression", "pixelate", "spatter"}


def with_constants(function, constants):
    """The function with its table replaced by one row, or as it is."""
    if constants is None:
        return function
    text = inspect.getsource(function)
    text, count = re.subn(r"c = \[.*?\]\s*\[\s*severity - 1\s*\]", "c = ROW", text, count=1, flags=re.S)
    assert count == 1
    space = dict(vars(published), ROW=constants)
    exec(text, space)
    return space[function.__name__]


cases, blob = [], bytearray()
for table, (width, height) in {"ImageNet-C": (60, 36), "CIFAR-10-C": (32, 32)}.items():
    for name in list(CIFAR) + ["elastic_transform"]:
        for severity in range(1, 6):
            if (name, table, severity) in UNLIKE:
                continue
            source = Hash()
            np.random.uniform, np.random.normal, np.random.randint = source.uniform, source.normal, source.randint
            x = image(width, height)
            if name == "elastic_transform":
                result = elastic(x, ELASTIC[table][severity - 1])
            else:
                row = CIFAR[name][severity - 1] if table == "CIFAR-10-C" else None
                result = with_constants(getattr(published, name), row)(Image.fromarray(x) if name in PIL else x, severity)
            result = np.uint8(np.array(result))
            assert result.shape == x.shape, (name, result.shape)
            cases.append(dict(name=name.replace("_", "-"), table=table, severity=severity, width=width, height=height, offset=len(blob)))
            blob.extend(result.tobytes())

folder = pathlib.Path(__file__).parent / "corruptions"
folder.mkdir(exist_ok=True)
(folder / "cases.json").write_text(json.dumps(cases))
(folder / "outputs.bin").write_bytes(bytes(blob))
print(len(cases), "cases,", len(blob), "bytes")
