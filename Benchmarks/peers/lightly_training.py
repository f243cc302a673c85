"""Pretraining on the CPU with lightly's SimCLR, BYOL or SwAV, as its examples have them: images per second, end to end, and the
seconds from --launched (since 1970) to the first step's beginning. One JSON line.

    python3 lightly_training.py [--method simclr] [--backbone resnet18] [--width 64] [--size 32] [--batch 128] [--steps 6]
                                [--workers 1] [--data DIR] [--compile] [--channels-last]
"""
import argparse, copy, json, time

try:
    import peers_stub  # noqa: F401  (torchvision next to a CPU-only torch)
except ImportError:
    pass
import numpy as np
import torch, torchvision
from PIL import Image
from torch import nn
from lightly import loss as losses
from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead, SimCLRProjectionHead, SwaVProjectionHead, SwaVPrototypes
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.transforms import BYOLTransform, BYOLView1Transform, BYOLView2Transform, SimCLRTransform, SwaVTransform

p = argparse.ArgumentParser()
p.add_argument("--method", default="simclr", choices=["simclr", "byol", "swav"])
p.add_argument("--backbone", default="resnet18", choices=["resnet18", "resnet50"])
p.add_argument("--width", type=int, default=64)
p.add_argument("--size", type=int, default=32)
p.add_argument("--batch", type=int, default=128)
p.add_argument("--steps", type=int, default=6)
p.add_argument("--workers", type=int, default=1)
p.add_argument("--data")
p.add_argument("--compile", action="store_true")
p.add_argument("--channels-last", action="store_true")
p.add_argument("--launched", type=float)
a = p.parse_args()
small = a.size <= 64


class Noise(torch.utils.data.Dataset):
    def __init__(self, transform):
        side = a.size if small else 500
        # One epoch, whatever the number of steps.
        self.pixels = np.random.default_rng(0).integers(0, 255, (max(2048, (a.steps + 2) * a.batch), side, side, 3), dtype=np.uint8)
        self.transform = transform

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.pixels[i])), 0


def network():
    if a.width == 64:
        net = getattr(torchvision.models, a.backbone)()
    else:
        net = torchvision.models.ResNet(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2], width_per_group=64)
        narrow(net)
    if small:
        net.conv1 = nn.Conv2d(3, a.width, 3, 1, 1, bias=False)
        net.maxpool = nn.Identity()
    features = net.fc.in_features * a.width // 64
    net.fc = nn.Identity()
    return net, features


def narrow(net):
    """ResNet-18 with another first-stage width: every layer in proportion."""
    for name, module in list(net.named_modules()):
        parent = net.get_submodule(name.rpartition(".")[0])
        leaf = name.rpartition(".")[2]
        if isinstance(module, nn.Conv2d):
            inputs = module.in_channels if module.in_channels == 3 else module.in_channels * a.width // 64
            setattr(parent, leaf, nn.Conv2d(inputs, module.out_channels * a.width // 64, module.kernel_size, module.stride, module.padding, bias=False))
        elif isinstance(module, nn.BatchNorm2d):
            setattr(parent, leaf, nn.BatchNorm2d(module.num_features * a.width // 64))


net, width = network()
if a.channels_last:
    net = net.to(memory_format=torch.channels_last)
run = torch.compile(net) if a.compile else net
blur = dict(gaussian_blur=0.0) if small else {}
if a.method == "simclr":
    head = SimCLRProjectionHead(width, width, 128)
    modules, criterion = [net, head], losses.NTXentLoss(0.5)
    transform = SimCLRTransform(input_size=a.size, **blur)

    def loss_of(views):
        return criterion(head(run(views[0])), head(run(views[1])))

elif a.method == "byol":
    head, predictor = BYOLProjectionHead(width, 1024, 256), BYOLPredictionHead(256, 1024, 256)
    target, target_head = copy.deepcopy(net), copy.deepcopy(head)
    deactivate_requires_grad(target)
    deactivate_requires_grad(target_head)
    modules, criterion = [net, head, predictor], losses.NegativeCosineSimilarity()
    transform = BYOLTransform(BYOLView1Transform(input_size=a.size, **blur), BYOLView2Transform(input_size=a.size, **blur))

    def loss_of(views):
        update_momentum(net, target, 0.99)
        update_momentum(head, target_head, 0.99)
        online = [predictor(head(run(v))) for v in views]
        with torch.no_grad():
            targets = [target_head(target(v)) for v in views]
        return 0.5 * (criterion(online[0], targets[1]) + criterion(online[1], targets[0]))

else:
    head, prototypes = SwaVProjectionHead(width, 2048, 128), SwaVPrototypes(128, 3000)
    modules, criterion = [net, head, prototypes], losses.SwaVLoss()
    transform = SwaVTransform(crop_sizes=(a.size, max(8, round(a.size * 96 / 224))), crop_counts=(2, 6), **blur)

    def loss_of(views):
        prototypes.normalize()
        scores = [prototypes(nn.functional.normalize(head(run(v)), dim=1)) for v in views]
        return criterion(scores[:2], scores[2:])


data = torchvision.datasets.ImageFolder(a.data, transform) if a.data else Noise(transform)
loader = torch.utils.data.DataLoader(data, batch_size=a.batch, shuffle=True, drop_last=True, num_workers=a.workers)
optimizer = torch.optim.SGD([q for m in modules for q in m.parameters()], lr=0.06, momentum=0.9, weight_decay=5e-4)
started, first, count = None, None, 0
for views, _ in loader:
    first = first or time.time()
    if a.channels_last:
        views = [v.contiguous(memory_format=torch.channels_last) for v in views]
    loss = loss_of(views)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if started is None:
        started = time.time()  # the first step warms up
        continue
    count += a.batch
    if count >= a.steps * a.batch:
        break
print(json.dumps({
    "peer": f"lightly {a.method}", "images_per_second": round(count / (time.time() - started), 2),
    "seconds_to_first_step": round(first - a.launched, 2) if a.launched else None, "workers": a.workers, "threads": torch.get_num_threads(),
}))
