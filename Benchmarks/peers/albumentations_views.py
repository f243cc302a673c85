"""Two SimCLR views of each image in one thread with albumentations and OpenCV, from decoded 500×375 images or from a folder's JPEG
files: views per second, as JSON.

    python3 albumentations_views.py [side] [images] [repeats] [folder]
"""
import json, os, statistics, sys, time
import albumentations as A
import cv2
import numpy as np

cv2.setNumThreads(1)
side, count, repeats = (int(v) for v in (sys.argv[1:4] + ["224", "64", "9"][len(sys.argv) - 1:])[:3])
folder = sys.argv[4] if len(sys.argv) > 4 else None
if folder:
    files = sorted(os.path.join(r, n) for r, _, names in os.walk(folder) for n in names if n.lower().endswith((".jpg", ".jpeg")))
    files = [files[i] for i in np.linspace(0, len(files) - 1, count).astype(int)]
else:
    rng = np.random.default_rng(0)
    arrays = [cv2.resize(rng.integers(0, 255, (25, 32, 3), dtype=np.uint8), (500, 375), interpolation=cv2.INTER_CUBIC) for _ in range(count)]
blur = 0.5 if side > 64 else 0.0
kernel = max(3, int(side * 0.1) | 1)
views = A.Compose([
    A.RandomResizedCrop(size=(side, side), scale=(0.08, 1)), A.HorizontalFlip(p=0.5), A.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
    A.ToGray(p=0.2), A.GaussianBlur(blur_limit=(kernel, kernel), sigma_limit=(0.1, 2.0), p=blur)])


def once():
    started = time.thread_time()
    for i in range(count):
        image = cv2.cvtColor(cv2.imread(files[i]), cv2.COLOR_BGR2RGB) if folder else arrays[i]
        views(image=image)
        views(image=image)
    return 2 * count / (time.thread_time() - started)


once()
rates = [once() for _ in range(repeats)]
print(json.dumps({"peer": "albumentations, one thread", "size": side, "images": count, "views_per_processor_second": round(statistics.median(rates))}))
