"""Makes the reference values and key files of AlexNet, VGG, selective kernels and reversible networks.

    pip install torch numpy safetensors torchvision timm
    python Tests/ReferenceValues/generate_plain_networks.py

torchvision's and timm's networks where they have them; the others are written here from their papers. Weights are made from the keys
on both sides (generate.py's `fill`); values are in float64.
"""

import torch
import torch.nn.functional as F
from generate import HERE, fill, formula
from generate_backbones import case, images, part
from safetensors.torch import save_file
from torch import nn

import timm
import torchvision

PLAIN = ("alexnet", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn")


def write_keys(name, module):
    lines = [f"{key} {list(t.shape)}\n" for key, t in module.state_dict().items() if not key.startswith(("fc.", "classifier.6."))]
    (HERE / "backbones" / f"{name}.keys.txt").write_text("".join(lines))


class Response(nn.Module):
    """The paper's sum over five channels, one by one; `torch.nn.LocalResponseNorm` divides it by 5."""

    def forward(self, x):
        out = torch.empty_like(x)
        for i in range(x.shape[1]):
            near = x[:, max(0, i - 2) : i + 3]
            out[:, i] = x[:, i] / (2 + 1e-4 * (near**2).sum(1)) ** 0.75
        return out


class AlexNet(nn.Module):
    def __init__(self, features, classifier):
        super().__init__()
        self.features, self.classifier = features, classifier

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 6).flatten(1))


def original(w=64):
    a, b, c, fc = 3 * w // 2, 4 * w, 6 * w, 64 * w
    features = nn.Sequential(
        nn.Conv2d(3, a, 11, 4), nn.ReLU(), Response(), nn.MaxPool2d(3, 2), nn.Conv2d(a, b, 5, padding=2, groups=2), nn.ReLU(),
        Response(), nn.MaxPool2d(3, 2), nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, groups=2),
        nn.ReLU(), nn.Conv2d(c, b, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2))
    classifier = nn.Sequential(nn.Dropout(), nn.Linear(b * 36, fc), nn.ReLU(), nn.Dropout(), nn.Linear(fc, fc), nn.ReLU())
    return AlexNet(features, classifier)


def normalized(w=64):
    def layer(inputs, outputs, *shape):
        return [nn.Conv2d(inputs, outputs, *shape), nn.BatchNorm2d(outputs), nn.ReLU()]

    def connected(inputs):
        return [nn.Linear(inputs, 64 * w, bias=False), nn.BatchNorm1d(64 * w), nn.ReLU()]

    features = nn.Sequential(
        *layer(3, w, 11, 4, 2), nn.MaxPool2d(3, 2), *layer(w, 3 * w, 5, 1, 2), nn.MaxPool2d(3, 2), *layer(3 * w, 6 * w, 3, 1, 1),
        *layer(6 * w, 4 * w, 3, 1, 1), *layer(4 * w, 4 * w, 3, 1, 1), nn.MaxPool2d(3, 2))
    return AlexNet(features, nn.Sequential(*connected(4 * w * 36), *connected(64 * w)))


class Perceptron(nn.Module):
    def __init__(self, width=1024, side=224):
        super().__init__()
        self.classifier = nn.Sequential(nn.Linear(3 * side * side, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())


def vgg(name, width):
    """torchvision's with fewer channels, without the classes."""
    plan = {"vgg16": "D", "vgg19": "E"}[name.removesuffix("_bn")]
    plan = [item if item == "M" else item * width // 64 for item in torchvision.models.vgg.cfgs[plan]]
    net = torchvision.models.VGG(torchvision.models.vgg.make_layers(plan, batch_norm=name.endswith("_bn")), init_weights=False)
    for index, inputs in ((0, 49 * 8 * width), (3, 64 * width)):
        net.classifier[index] = nn.Linear(inputs, 64 * width)
    net.classifier = net.classifier[:6]
    return net


class Unit(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = channels // 4
        self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, inner, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(inner), nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.norm3, self.conv3 = nn.BatchNorm2d(inner), nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x):
        for norm, conv in ((self.norm1, self.conv1), (self.norm2, self.conv2), (self.norm3, self.conv3)):
            x = conv(F.relu(norm(x)))
        return x


class RevNet(nn.Module):
    def __init__(self, blocks=(3, 4, 6, 3), width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4 * width, 7, 2, 3, bias=False)
        for index, count in enumerate(blocks):
            self.add_module(f"layer{index + 1}", nn.ModuleList(Unit(2 * width << index) for _ in range(count)))
        self.norm = nn.BatchNorm2d(32 * width)

    def forward(self, x):
        x = F.max_pool2d(F.pad(self.conv1(x), (1, 1, 1, 1)), 3, 2)
        for index in range(4):
            if index:
                x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
                zeros = torch.zeros_like(x[:, ::2])
                x = torch.cat([zeros, x, zeros], 1)
            for unit in getattr(self, f"layer{index + 1}"):
                x1, x2 = x.chunk(2, 1)
                x = torch.cat([x2, x1 + unit(x2)], 1)
        return F.relu(self.norm(x)).mean((2, 3))


class WholeKernel(nn.Module):
    """SimCLRv2's selective kernel (the authors' code): one 3×3 convolution to twice the channels, which its two halves share alike."""

    class Path(nn.Module):
        def __init__(self, width, stride):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)

    class Attention(nn.Module):
        def __init__(self, width):
            super().__init__()
            inner = max(32, width // 16)
            self.fc_reduce, self.bn = nn.Conv2d(width, inner, 1, bias=False), nn.BatchNorm2d(inner)
            self.fc_select = nn.Conv2d(inner, 2 * width, 1, bias=False)

    def __init__(self, width, stride):
        super().__init__()
        self.paths = nn.ModuleList(self.Path(width, stride) for _ in range(2))
        self.attn, self.stride = self.Attention(width), stride

    def forward(self, x):
        both = F.conv2d(x, torch.cat([p.conv.weight for p in self.paths]), stride=self.stride, padding=1)
        first, second = (F.relu(p.bn(part)) for p, part in zip(self.paths, both.chunk(2, 1)))
        z = F.relu(self.attn.bn(self.attn.fc_reduce((first + second).mean((2, 3), keepdim=True))))
        a, b = self.attn.fc_select(z).chunk(2, 1)
        return first * torch.sigmoid(a - b) + second * torch.sigmoid(b - a)


def simclr_v2(**options):
    net = timm.create_model("skresnet50d", **options)
    for index in range(4):
        for block in getattr(net, f"layer{index + 1}"):
            conv = block.conv2.paths[0].conv
            block.conv2 = WholeKernel(conv.out_channels, conv.stride[0])
    return net


def evaluated(out, name, net, shape):
    """Without training, in which dropout draws: outputs, gradients, and maps before pooling. Of what is long the beginning."""
    net = net.double().eval()
    fill(net)
    x = images(name, shape).requires_grad_()
    maps = []
    if name != "alexnet_lrn":
        layers = list(net.features)
        ends = [i - 1 for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        ends = [1, 4, 7, 9, 11] if "alexnet" in name else ends
        y = x
        for i, layer in enumerate(layers):
            y = layer(y)
            if i in ends:
                maps.append(part(y.detach()))
    y = net(x)
    (y * torch.from_numpy(formula(f"{name}.cotangent", y.numel())).reshape(y.shape)).sum().backward()
    out[f"{name}.evaluation"] = y
    out[f"{name}.gradient.input"] = part(x.grad)
    out |= {f"{name}.gradient.{key}": part(parameter.grad) for key, parameter in net.named_parameters()}
    out |= {f"{name}.map.{index}": value for index, value in enumerate(maps)}


def main():
    networks = {name: getattr(torchvision.models, name) for name in PLAIN} | {"alexnet_bn": normalized, "alexnet_lrn": original}
    networks |= {f"skresnet{depth}": (lambda depth=depth: timm.create_model(f"skresnet{depth}")) for depth in ("18", "50", "50d")}
    networks |= {"revnet50": RevNet, "mlp": Perceptron, "simclrv2_skresnet50": simclr_v2}
    with torch.device("meta"):
        for name, make in networks.items():
            write_keys(name, make())
    out = {}
    net = torchvision.models.alexnet()
    net.classifier = net.classifier[:6]
    evaluated(out, "alexnet", net, (2, 3, 227, 227))
    evaluated(out, "alexnet_lrn", original(16), (4, 3, 227, 227))
    for name in ("vgg16_bn", "vgg19"):
        evaluated(out, name, vgg(name, 16), (4, 3, 64, 96))
    case(out, "alexnet_bn", normalized(16), (6, 3, 96, 72))
    for name in ("skresnet18", "skresnet50d"):
        case(out, name, timm.create_model(name, num_classes=0), (4, 3, 72, 56))
    case(out, "simclrv2_skresnet50", simclr_v2(num_classes=0), (4, 3, 72, 56))
    case(out, "revnet50", RevNet(width=16), (4, 3, 72, 104))
    save_file({key: value.detach().contiguous() for key, value in out.items()}, HERE / "plain_networks.safetensors")


if __name__ == "__main__":
    main()
