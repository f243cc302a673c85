"""Makes the reference values that the tests compare with.

    pip install torch numpy safetensors torchvision
    python Tests/ReferenceValues/generate.py                     # all sections
    python Tests/ReferenceValues/generate.py layers optimizers   # only these

A section is a function that returns named tensors (and, if it likes, metadata); it becomes `<section>.safetensors` beside
this file. Seeds are fixed and every section sets its own, so that one can be made again alone. The values come from
PyTorch, NumPy, or the paper's formula in float64: never from the code under test.
"""

import io
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def single(shape, generator, scale=1.0, shift=0.0):
    """Normal float32 values as float64: exactly what a float32 test reads, for arithmetic in float64."""
    return (torch.randn(shape, generator=generator) * scale + shift).double()


# --- layers ----------------------------------------------------------------------------------------------------------


def layer_case(out, name, module, inputs, generator, train=True, state=None):
    """One forward and one backward pass of Σ output · cotangent for every input, in a row (which moves statistics).

    <name>.state.<key>     what the layer starts with
    <name>.<i>.input, .cotangent, .output, .gradient
    <name>.gradient.<key>  of the parameters, after the last pass (accumulated over all)
    <name>.after.<key>     buffers after the last pass
    """
    module = module.double().train(train)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(single(parameter.shape, generator, 0.5, 0.1))
        for key, value in (state or {}).items():
            dict(module.named_buffers())[key].copy_(value)
    for key, value in module.state_dict().items():
        out[f"{name}.state.{key}"] = value.clone()
    for index, values in enumerate(inputs):
        x = values.clone().requires_grad_()
        y = module(x)
        cotangent = single(y.shape, generator)
        (y * cotangent).sum().backward()
        out[f"{name}.{index}.input"] = values
        out[f"{name}.{index}.cotangent"] = cotangent
        out[f"{name}.{index}.output"] = y.detach()
        out[f"{name}.{index}.gradient"] = x.grad
    for key, parameter in module.named_parameters():
        out[f"{name}.gradient.{key}"] = parameter.grad
    for key, buffer in module.named_buffers():
        out[f"{name}.after.{key}"] = buffer.clone()


class StandardizedConv2d(nn.Conv2d):
    """Weight standardisation by its definition: per output channel, over all that feeds it."""

    def forward(self, x):
        flat = self.weight.flatten(1)
        mean = flat.mean(1, keepdim=True)
        variance = flat.var(1, keepdim=True, unbiased=False)
        weight = ((flat - mean) / torch.sqrt(variance + 1e-10)).reshape(self.weight.shape)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def layers():
    g = seeded(1)
    out = {}
    images = lambda: [single((4, 6, 9, 9), g, 1.5, 0.3)]
    layer_case(out, "linear", nn.Linear(32, 24), [single((16, 32), g)], g)
    layer_case(out, "linear_plain", nn.Linear(32, 24, bias=False), [single((4, 5, 32), g)], g)
    layer_case(out, "conv", nn.Conv2d(6, 8, 3), images(), g)
    layer_case(out, "conv_strided", nn.Conv2d(6, 8, 4, stride=2, padding=1, bias=False), images(), g)
    layer_case(out, "conv_grouped", nn.Conv2d(6, 8, 3, padding=1, groups=2), images(), g)
    layer_case(out, "conv_depthwise", nn.Conv2d(6, 6, 3, padding=1, groups=6), images(), g)
    layer_case(out, "conv_dilated", nn.Conv2d(6, 8, 3, padding=2, dilation=2), images(), g)
    layer_case(out, "conv_pointwise", nn.Conv2d(6, 8, 1, stride=2, bias=False), images(), g)
    layer_case(out, "conv_standardized", StandardizedConv2d(6, 8, 3, stride=2, padding=1), images(), g)
    layer_case(out, "max_pool", nn.MaxPool2d(3, 2, 1), images(), g)
    layer_case(out, "average_pool", nn.AvgPool2d(3, 2), images(), g)

    maps = lambda: single((8, 6, 5, 5), g, 2, -0.5)
    rows = lambda: single((16, 32), g, 2, 0.7)
    statistics = lambda c: {"running_mean": single((c,), g), "running_var": single((c,), g).square() + 0.1}
    layer_case(out, "batch_norm", nn.BatchNorm2d(6), [maps(), maps(), maps()], g)
    layer_case(out, "batch_norm_rows", nn.BatchNorm1d(32, eps=1e-3, momentum=0.3), [rows(), rows()], g, state=statistics(32))
    layer_case(out, "batch_norm_plain", nn.BatchNorm1d(32, affine=False), [rows()], g)
    layer_case(out, "batch_norm_eval", nn.BatchNorm2d(6), [maps()], g, train=False, state=statistics(6))
    layer_case(out, "group_norm", nn.GroupNorm(3, 12), [single((8, 12, 5, 5), g, 2, 0.4)], g)
    layer_case(out, "layer_norm", nn.LayerNorm(32, eps=1e-6), [single((4, 5, 32), g, 2, 0.4)], g)

    def mlp(*parts):
        return nn.Sequential(*parts)

    layer_case(out, "mlp", mlp(nn.Linear(32, 48, bias=False), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 24)), [rows()], g)
    layer_case(
        out, "mlp_normed",
        mlp(nn.Linear(32, 40, bias=False), nn.BatchNorm1d(40), nn.ReLU(), nn.Linear(40, 36, bias=False), nn.BatchNorm1d(36),
            nn.ReLU(), nn.Linear(36, 24, bias=False), nn.BatchNorm1d(24, affine=False)), [rows()], g)
    layer_case(out, "mlp_plain", mlp(nn.Linear(32, 40), nn.ReLU(), nn.Linear(40, 24, bias=False)), [rows()], g)

    # What a seed draws: PyTorch's own initialisations.
    torch.manual_seed(7)
    linear, conv = nn.Linear(32, 24), nn.Conv2d(6, 8, 3)
    fan_out = nn.init.kaiming_normal_(torch.empty(16, 8, 3, 3), mode="fan_out", nonlinearity="relu")
    out |= {"seeded.linear.weight": linear.weight, "seeded.linear.bias": linear.bias, "seeded.conv.weight": conv.weight,
            "seeded.conv.bias": conv.bias, "seeded.fan_out": fan_out}
    return {key: value.detach().float() if value.is_floating_point() else value for key, value in out.items()}


# --- tensors ---------------------------------------------------------------------------------------------------------


def tensors():
    g = seeded(2)
    d = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64)
    a, b, cube, image = d(16, 32), d(16, 32), d(4, 6, 5), d(2, 3, 4, 6)
    positive, square = d(16, 32).square() + 0.1, d(8, 8)
    spd = square @ square.T + 0.5 * torch.eye(8, dtype=torch.float64)
    logits, classes = d(16, 32) * 3, torch.randint(0, 32, (16,), generator=g)
    classes[3] = classes[9] = 5
    soft = torch.softmax(d(16, 32), 1)
    rows = torch.randint(0, 16, (10,), generator=g)
    places = torch.randint(0, 32, (16, 5), generator=g)
    ties = torch.tensor([3, 1, 2, 1, 3, 3, 2, 1, 0, 2] * 4, dtype=torch.int64)
    grid = torch.arange(24).reshape(2, 3, 4)
    ints = torch.tensor([-7, -1, 0, 1, 2, 9])
    tiny = a.clone()
    tiny[2], tiny[5] = 0, tiny[5] * 1e-9
    out = {
        "a": a, "b": b, "cube": cube, "image": image, "positive": positive, "square": square, "spd": spd, "logits": logits,
        "classes": classes, "soft": soft, "rows": rows, "places": places, "ties": ties, "grid": grid, "ints": ints, "tiny": tiny,
    }

    def add(**values):
        for name, value in values.items():
            assert name not in out, name
            out[name] = value

    add(add=a + b, add_scalar=a + 1.25, subtract=a - b, subtract_scalar=a - 1.25, scalar_subtract=1.25 - a, multiply=a * b,
        divide=a / positive, scalar_divide=2.5 / positive, negate=-a, exp=a.exp(), log=positive.log(), log1p=positive.log1p(),
        sqrt=positive.sqrt(), rsqrt=positive.rsqrt(), absolute=a.abs(), squared=a.square(), sin=a.sin(), cos=a.cos(), tanh=a.tanh(),
        pow=positive.pow(1.7), clamp=a.clamp(-0.5, 0.8), clamp_low=a.clamp(min=-0.5), clamp_high=a.clamp(max=0.8),
        maximum=torch.maximum(a, b), minimum=torch.minimum(a, b), where=torch.where(a > 0, a, b), filled=a.masked_fill(b > 0.3, -2.0),
        lerp=torch.lerp(a, b, 0.3))
    add(int_plus_double=ints + 1.0, int_times_double=ints * 0.5, int_divided=ints / 2, int_power=ints.pow(2.0),
        int_plus_int=ints + ints, int_divided_by_int=ints / torch.tensor([1, 2, 3, 4, 5, 6]), bool_sum=(ints > 0).sum(),
        int_sum=ints.int().sum())
    add(relu=a.relu(), gelu=F.gelu(a), sigmoid=a.sigmoid(), silu=F.silu(a), softplus=F.softplus(a), leaky_relu=F.leaky_relu(a, 0.2),
        softmax=a.softmax(-1), softmax_rows=a.softmax(0), log_softmax=a.log_softmax(-1))
    add(sum=a.sum(), sum_rows=a.sum(0), sum_two=cube.sum((0, 2), keepdim=True), mean=a.mean(), mean_columns=a.mean(1, keepdim=True),
        variance=cube.var((1, 2)), variance_biased=cube.var((1, 2), correction=0), deviation=a.std(1), max=a.max(), min=a.min(),
        max_columns=a.amax(1), min_rows=a.amin(0, keepdim=True), argmax=a.argmax(1), argmin=a.argmin(0),
        top_values=a.topk(5, -1).values, top_indices=a.topk(5, -1).indices, top_rows=a.topk(3, 0).indices,
        sort_values=a.sort(0).values, sort_indices=a.sort(0, descending=True).indices,
        stable_up=ties.sort(stable=True).indices, stable_down=ties.sort(stable=True, descending=True).indices,
        log_sum_exp=logits.logsumexp(1), log_sum_exp_large=(logits * 400).logsumexp(0, keepdim=True), norm=a.norm(),
        norm_columns=a.norm(dim=1), normalize=F.normalize(tiny, dim=1), normalize_epsilon=F.normalize(tiny, dim=1, eps=1e-3),
        cumulative=a.cumsum(1), counts=torch.bincount(classes, minlength=40))
    add(reshape=cube.reshape(8, -1), permute=cube.permute(2, 0, 1), transpose=cube.transpose(0, 2), flatten=cube.flatten(1),
        expand=a[:, :1].expand(16, 7), narrow=cube.narrow(1, 2, 3), select=cube.select(2, 3), row=cube[-1], row_range=cube[1:3],
        index_select=a.index_select(0, rows), index_select_columns=cube.index_select(1, torch.tensor([5, 0, 0])),
        index_pair=a[rows, places[:10, 0]], index_columns=cube[:, torch.tensor([4, 1])], index_mask=a[a[:, 0] > 0],
        gather=a.gather(1, places), scatter_add=a.scatter_add(1, places, b[:, :5].contiguous()),
        index_copy=a.index_copy(0, torch.tensor([3, 1]), b[:2]), chunk_last=a.chunk(3, 0)[-1], split_last=cube.split(4, 1)[-1],
        concatenate=torch.cat([a, b], 1), stack=torch.stack([a, b], 1), flip=grid.flip(0, 2), roll=a.roll(5, 1),
        rotate_1=grid.rot90(1, (-2, -1)), rotate_2=grid.rot90(2, (-2, -1)), rotate_3=grid.rot90(3, (-2, -1)),
        diagonal=square.diagonal(), one_hot=F.one_hot(classes, 32), matmul=a @ b.T, matmul_batched=cube @ cube.transpose(1, 2))
    add(max_pool=F.max_pool2d(image, 3, 2, 1), average_pool=F.avg_pool2d(image, 2, 2, 1), adaptive_pool=F.adaptive_avg_pool2d(image, 3),
        global_pool=image.mean((2, 3)), bilinear_up=F.interpolate(image, (7, 9), mode="bilinear"),
        bilinear_down=F.interpolate(image, (3, 4), mode="bilinear"))
    add(singular_values=torch.linalg.svdvals(a), eigenvalues=torch.linalg.eigh(spd).eigenvalues, cholesky=torch.linalg.cholesky(spd),
        solve=torch.linalg.solve_triangular(torch.linalg.cholesky(spd), square, upper=False))

    # Cross entropy by its definition, so that neither side is libtorch's kernel; checked against it here.
    log = logits - torch.log(torch.exp(logits - logits.max()).sum(1, keepdim=True)) - logits.max()

    def entropy(smoothing=0.0, ignoring=None):
        target = torch.nn.functional.one_hot(classes, 32).double() * (1 - smoothing) + smoothing / 32
        rows = classes != ignoring if ignoring is not None else torch.ones(16, dtype=torch.bool)
        return -(target * log).sum(1)[rows].mean()

    add(cross_entropy=entropy(), cross_entropy_smoothed=entropy(0.1), cross_entropy_ignoring=entropy(0.2, 5),
        cross_entropy_soft=-(soft * log).sum(1).mean())
    assert torch.allclose(entropy(0.1), F.cross_entropy(logits, classes, label_smoothing=0.1), atol=1e-12)
    assert torch.allclose(entropy(0.2, 5), F.cross_entropy(logits, classes, ignore_index=5, label_smoothing=0.2), atol=1e-12)
    return out


# --- optimizers ------------------------------------------------------------------------------------------------------

STEPS = 25
SHAPES = {"matrix": (8, 32), "kernel": (6, 4, 3, 3), "vector": (16,)}


def lars(w, g, v, lr, momentum, decay, eta, adapted, clip):
    """You, Gitman & Ginsburg 2017, algorithm 1, with solo-learn's optional clipping of the local rate at the global one."""
    local = 1.0
    norm_w, norm_g = np.sqrt(np.sum(w * w)), np.sqrt(np.sum(g * g))
    if adapted and norm_w > 0 and norm_g > 0:
        local = eta * norm_w / (norm_g + decay * norm_w)
        if clip:
            local = min(local / lr, 1.0)
    v = momentum * v + lr * local * (g + decay * w)
    return w - v, v


def lamb(w, g, m, s, step, lr, betas, epsilon, decay, adapted):
    """You et al. 2020, algorithm 2, with φ the identity."""
    m = betas[0] * m + (1 - betas[0]) * g
    s = betas[1] * s + (1 - betas[1]) * g * g
    r = (m / (1 - betas[0] ** step)) / (np.sqrt(s / (1 - betas[1] ** step)) + epsilon)
    u = r + decay * w
    norm_w, norm_u = np.sqrt(np.sum(w * w)), np.sqrt(np.sum(u * u))
    ratio = norm_w / norm_u if adapted and norm_w > 0 and norm_u > 0 else 1.0
    return w - lr * ratio * u, m, s


def optimizers():
    g = seeded(3)
    out = {}
    start = {name: torch.randn(shape, generator=g, dtype=torch.float64) for name, shape in SHAPES.items()}
    start["kernel"][:] *= 0.05
    noise = {name: torch.randn((STEPS, *shape), generator=g).double() for name, shape in SHAPES.items()}
    rates = [0.5 * (1 + math.cos(math.pi * t / STEPS)) + 0.02 for t in range(STEPS)]
    out |= {f"start.{name}": value.clone() for name, value in start.items()}
    out |= {f"noise.{name}": value.float() for name, value in noise.items()}
    out["rates"] = torch.tensor(rates, dtype=torch.float64)
    decays = {"matrix": 1.0, "kernel": 1.0, "vector": 0.0}  # times the optimiser's: vectors are spared

    def keep(kind, step, values):
        if step in (1, STEPS):
            out.update({f"{kind}.{step}.{name}": torch.as_tensor(value).detach().clone() for name, value in values.items()})

    # The gradient at w in step t is noise[t] + w / 2.
    def by_torch(kind, make, scale, decay):
        weights = {name: value.clone().requires_grad_() for name, value in start.items()}
        groups = [{"params": [w], "weight_decay": decay * decays[name]} for name, w in weights.items()]
        optimizer = make(groups)
        for t in range(STEPS):
            for name, w in weights.items():
                w.grad = noise[name][t] + w.detach() / 2
            for group in optimizer.param_groups:
                group["lr"] = scale * rates[t]
            optimizer.step()
            keep(kind, t + 1, weights)

    optim = torch.optim
    by_torch("sgd", lambda p: optim.SGD(p, lr=1), 0.1, 0.0)
    by_torch("sgd_momentum", lambda p: optim.SGD(p, lr=1, momentum=0.9), 0.05, 0.01)
    by_torch("sgd_nesterov", lambda p: optim.SGD(p, lr=1, momentum=0.8, nesterov=True), 0.05, 0.01)
    by_torch("adam", lambda p: optim.Adam(p, lr=1, betas=(0.8, 0.95), eps=1e-6), 0.05, 0.02)
    by_torch("adamw", lambda p: optim.AdamW(p, lr=1, betas=(0.9, 0.98), eps=1e-8), 0.05, 0.1)

    def by_formula(kind, scale, step):
        weights = {name: value.numpy().copy() for name, value in start.items()}
        state = {name: [np.zeros_like(w), np.zeros_like(w)] for name, w in weights.items()}
        for t in range(STEPS):
            for name, w in weights.items():
                gradient = noise[name][t].numpy() + w / 2
                weights[name] = step(name, w, gradient, state[name], t + 1, scale * rates[t])
            keep(kind, t + 1, weights)

    def lars_step(momentum, decay, eta, clip):
        def step(name, w, gradient, state, _, lr):
            w, state[0] = lars(w, gradient, state[0], lr, momentum, decay * decays[name], eta, name != "vector", clip)
            return w
        return step

    by_formula("lars", 2.0, lars_step(0.9, 0.01, 0.02, False))
    by_formula("lars_clipped", 0.3, lars_step(0.9, 0.05, 0.5, True))

    def lamb_step(betas, epsilon, decay):
        def step(name, w, gradient, state, count, lr):
            w, state[0], state[1] = lamb(
                w, gradient, state[0], state[1], count, lr, betas, epsilon, decay * decays[name], name != "vector")
            return w
        return step

    by_formula("lamb", 0.05, lamb_step((0.85, 0.97), 1e-6, 0.05))

    # Clipping: once where it bites, once where it does not.
    for kind, limit in (("clip", 1.5), ("clip_loose", 1e4)):
        parameters = [nn.Parameter(value.clone()) for value in start.values()]
        for name, parameter in zip(start, parameters):
            parameter.grad = noise[name][0].clone()
        out[f"{kind}.norm"] = nn.utils.clip_grad_norm_(parameters, limit)
        for name, parameter in zip(start, parameters):
            out[f"{kind}.{name}"] = parameter.grad

    scheduler_of = optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(scheduler_of, T_max=40, eta_min=0.02)
    values = []
    for _ in range(40):
        values.append(scheduler_of.param_groups[0]["lr"])
        scheduler_of.step()
        scheduler.step()
    out["schedule.cosine"] = torch.tensor(values, dtype=torch.float64)
    return out


# --- backbones -------------------------------------------------------------------------------------------------------

# Weights are too large to keep: both sides fill every tensor from its key by `formula`, which is exact in float32.
MASK = (1 << 64) - 1


def formula(key, count):
    """`count` values in −1 … 1, multiples of 2⁻²³: SplitMix64 of the position, seeded by FNV-1a of the key."""
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def fill(module):
    """Convolutions and linear layers of unit gain, everything else near its usual value; rounded to float32, as the other side has it."""
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            values = torch.from_numpy(formula(key, tensor.numel())).reshape(tensor.shape)
            if key.endswith("num_batches_tracked"):
                tensor.fill_(3)
            elif tensor.dim() in (2, 4):
                tensor.copy_((values * math.sqrt(6 / tensor[0].numel())).float())
            elif key.endswith(("running_var", "weight")):
                tensor.copy_((1 + 0.5 * values).float())
            else:
                tensor.copy_((0.25 * values).float())


def backbones():
    try:
        import peers_stub  # noqa: F401  operators that some CPU wheels of torchvision lack
    except ImportError:
        pass
    import torchvision

    folder = HERE / "backbones"
    folder.mkdir(exist_ok=True)
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"):
        with torch.device("meta"):
            state = getattr(torchvision.models, name)().state_dict()
        lines = [f"{key} {list(tensor.shape)}\n" for key, tensor in state.items() if not key.startswith("fc.")]
        (folder / f"{name}.keys.txt").write_text("".join(lines))

    out = {}
    cases = {"resnet18": ("resnet18", (6, 3, 96, 64)), "resnet50": ("resnet50", (6, 3, 64, 80)),
             "resnet18_small": ("resnet18", (6, 3, 32, 32))}
    for case, (name, shape) in cases.items():
        net = getattr(torchvision.models, name)()
        net.fc = nn.Identity()
        if case.endswith("_small"):
            net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
        net = net.double()
        fill(net)
        x = torch.from_numpy(formula(f"{case}.input", math.prod(shape))).reshape(shape) * 2
        cotangent = torch.from_numpy(formula(f"{case}.cotangent", shape[0] * 512 * (4 if name == "resnet50" else 1)))
        with torch.no_grad():
            out[f"{case}.evaluation"] = net.eval()(x)
        x.requires_grad_()
        y = net.train()(x)
        (y * cotangent.reshape(y.shape)).sum().backward()
        out[f"{case}.training"] = y
        # Of everything that is large: its norm and its beginning.
        parts = {"gradient.input": x.grad}
        parts |= {f"gradient.{key}": parameter.grad for key, parameter in net.named_parameters()}
        parts |= {f"after.{key}": buffer for key, buffer in net.named_buffers() if buffer.dim() > 0}
        for key, tensor in parts.items():
            out[f"{case}.{key}"] = torch.cat([tensor.double().norm().reshape(1), tensor.double().flatten()[:6]])
        assert all(int(b) == 4 for key, b in net.named_buffers() if b.dim() == 0)

    normalize = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    pixels = torch.from_numpy((formula("pixels", 5 * 3 * 17 * 13) * 128 + 128).astype(np.uint8)).reshape(5, 3, 17, 13)
    out["transform.pixels"] = pixels
    out["transform.imagenet"] = normalize(pixels.double() / 255)
    custom = torchvision.transforms.Normalize([0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616])
    out["transform.cifar"] = custom(pixels.double() / 255)
    return out


# --- methods ---------------------------------------------------------------------------------------------------------


def nt_xent(z, temperature):
    """SimCLR's algorithm 1, term by term: rows k and k + N are the two views of image k."""
    n = len(z) // 2
    similarity = [[torch.dot(a, b) / (a.norm() * b.norm()) for b in z] for a in z]

    def term(i, j):
        return -torch.log(
            torch.exp(similarity[i][j] / temperature)
            / sum(torch.exp(similarity[i][k] / temperature) for k in range(2 * n) if k != i))

    return sum(term(k, k + n) + term(k + n, k) for k in range(n)) / (2 * n)


def byol(q, z):
    """BYOL's eq. 2, averaged over the batch."""
    return sum(((a / a.norm() - b / b.norm()) ** 2).sum() for a, b in zip(q, z)) / len(q)


def cross_entropy(logits, labels, smoothing=0.0):
    """−Σ_c p_c log softmax_c, averaged over the rows that have a label; p is one-hot, smoothed towards uniform."""
    total, count = 0, 0
    for row, label in zip(logits, labels.tolist()):
        if label < 0:
            continue
        log = row - torch.log(torch.exp(row).sum())
        total = total - (1 - smoothing) * log[label] - smoothing * log.mean()
        count += 1
    return total / count


def methods():
    g = seeded(11)
    d = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64)
    out = {}

    def case(name, function, **inputs):
        leaves = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in inputs.items()}
        loss = function(**leaves)
        loss.backward()
        out[f"{name}.loss"] = loss
        for key, leaf in leaves.items():
            out[f"{name}.{key}"] = inputs[key]
            if leaf.grad is not None:
                out[f"{name}.gradient.{key}"] = leaf.grad

    # Views that resemble each other, of very different norms.
    n, width = 24, 40
    image = d(n, width)
    z = torch.cat([image + 0.7 * d(n, width), image + 0.7 * d(n, width)]) * torch.exp(d(2 * n, 1)) + 0.2
    case("nt_xent", lambda z: nt_xent(z, 0.37), z=z)

    zv, zw = d(n, width) * 2 + 0.3, d(n, width) * 0.4
    case("byol", lambda qv, qw, zv, zw: byol(qv, zw.detach()) + byol(qw, zv.detach()),
         qv=zw + 0.8 * d(n, width), qw=3 * zv + 2 * d(n, width), zv=zv, zw=zw)

    turns = torch.arange(4).repeat_interleave(n)
    case("rotation", lambda logits: cross_entropy(logits, turns), logits=d(4 * n, 4) * 2.5 + d(1, 4))

    labels = torch.randint(0, 37, (n,), generator=g)
    labels[[3, 17]] = -1
    case("supervised", lambda logits, labels: cross_entropy(logits, labels), logits=d(n, 37) * 3, labels=labels)
    case("supervised_smoothed", lambda logits, labels: cross_entropy(logits, labels, 0.15), logits=d(n, 37) * 3, labels=labels)
    return out


# --- files -----------------------------------------------------------------------------------------------------------


def every_type():
    """A file that only Python's safetensors has touched: every element type, an empty and a scalar tensor, metadata."""
    types = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64]
    out = {str(t).removeprefix("torch."): (torch.arange(12) * 3 + 1).to(t).reshape(3, 4) for t in types}
    out["bool"] = torch.tensor([True, False, False, True, True])
    out["empty"] = torch.zeros(0, 3)
    out["scalar"] = torch.tensor(2.5)
    out["näme/with.odd \"characters\" 例"] = torch.tensor([1, -2], dtype=torch.int16)
    return out, {"format": "pt", "note": "quote \" and umlaut ü"}


def numpy_files():
    """The bytes of .npy files as NumPy writes them."""
    arrays = {
        "float32": np.arange(6, dtype="<f4").reshape(2, 3) / 4, "float64": np.arange(5, dtype="<f8") / 3,
        "float16": np.arange(4, dtype="<f2").reshape(1, 2, 2), "int64": np.array(-5, dtype="<i8"),
        "int32": np.arange(-3, 3, dtype="<i4"), "int16": np.arange(7, dtype="<i2"), "int8": np.arange(-2, 2, dtype="i1"),
        "uint8": np.arange(256, dtype="u1").reshape(16, 16), "bool": np.array([True, False, True]), "empty": np.zeros((0, 4), "<f4"),
    }
    out = {}
    for name, array in arrays.items():
        file = io.BytesIO()
        np.save(file, array)
        out[f"{name}.bytes"] = torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
        out[f"{name}.values"] = torch.from_numpy(array)
    return out


SECTIONS = {
    "layers": layers,
    "tensors": tensors,
    "optimizers": optimizers,
    "backbones": backbones,
    "methods": methods,
    "every_type": every_type,
    "numpy_files": numpy_files,
}


def main(names):
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        sys.exit(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    for name in names or SECTIONS:
        made = SECTIONS[name]()
        values, metadata = made if isinstance(made, tuple) else (made, None)
        path = HERE / f"{name}.safetensors"
        save_file({key: value.detach().contiguous().clone() for key, value in values.items()}, path, metadata)
        print(f"{path.name}: {len(values)} tensors, {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
