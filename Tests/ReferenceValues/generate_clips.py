"""Reference values for methods of clips: losses and gradients in float64, step by step from the papers' definitions.

    pip install torch safetensors
    python Tests/ReferenceValues/generate_clips.py

writes clips.safetensors beside itself. Nothing here was taken from Fovea's code.
"""
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(61)
out = {}


def d(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def case(name, function, **inputs):
    """Keeps inputs, loss and the gradients of those inputs that have one."""
    leaves = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in inputs.items()}
    loss = function(**leaves)
    loss.backward()
    out[f"{name}.loss"] = loss
    for key, leaf in leaves.items():
        out[f"{name}.{key}"] = inputs[key]
        if leaf.grad is not None:
            out[f"{name}.gradient.{key}"] = leaf.grad


def surprise(scores, truth):
    """−log softmax of one row."""
    largest = scores.detach().max()
    return torch.log(torch.exp(scores - largest).sum()) + largest - scores[truth]


# A clip's frames see each other in one 3 × 3 convolution; all first frames stand first.
clips, frames, channels, side, classes = 16, 3, 8, 4, 6


def classifier(maps, weight, labels):
    terms = []
    for clip in range(clips):
        total = torch.zeros(classes, dtype=torch.float64)
        for frame in range(frames):
            image = torch.zeros(channels, side + 2, side + 2, dtype=torch.float64)
            image[:, 1:-1, 1:-1] = maps[frame * clips + clip]
            own = weight[:, frame * channels : (frame + 1) * channels]
            for y in range(side):
                for x in range(side):
                    total = total + (own * image[None, :, y : y + 3, x : x + 3]).sum((1, 2, 3))
        terms.append(surprise(total / side**2, labels[clip]))
    return sum(terms) / clips


case(
    "classifier", classifier, maps=d(frames * clips, channels, side, side) + 0.3, weight=d(classes, frames * channels, 3, 3) / 3,
    labels=torch.randint(classes, (clips,), generator=generator))


def motion(logits, directions):
    """Blocks that stand still weigh 0.3."""
    terms = []
    for clip in range(logits.shape[0]):
        for y in range(4):
            for x in range(4):
                truth = int(directions[clip, y, x])
                terms.append(surprise(logits[clip, :, y, x], truth) * (0.3 if truth == 0 else 1))
    return sum(terms) / len(terms)


directions = torch.randint(9, (16, 4, 4), generator=generator) * (torch.rand((16, 4, 4), generator=generator) < 0.6)
case("motion", motion, logits=d(16, 9, 4, 4) * 2, directions=directions)

pairs, width = 17, 32


def contrast(h):
    """h: the first window's three frames, all clips' first frames first; then the second's. τ = 0.2."""
    z = []
    for window in range(2):
        for clip in range(pairs):
            z.append(sum(h[(window * 3 + frame) * pairs + clip] for frame in range(3)) / 3)
    terms = []
    for i in range(2 * pairs):
        scores = []
        for k in range(2 * pairs):
            if k != i:
                scores.append((z[i] @ z[k]) / (z[i].norm() * z[k].norm()) / 0.2)
        partner = (i + pairs) % (2 * pairs)
        terms.append(surprise(torch.stack(scores), partner - (1 if partner > i else 0)))
    return sum(terms) / len(terms)


case("contrast", contrast, h=d(6 * pairs, width) * 2 + 0.4)

steps, number = 2, 5


def dense(predictions, maps):
    """[steps, clips, channels, 2, 2]: every predicted place finds its own among all."""
    candidates = {}
    for i in range(steps):
        for n in range(number):
            for y in range(2):
                for x in range(2):
                    candidates[i, n, y, x] = maps[i, n, :, y, x]
    keys = list(candidates)
    everything = torch.stack([candidates[key] for key in keys])
    terms = [surprise(everything @ predictions[i, n, :, y, x], keys.index((i, n, y, x))) for i, n, y, x in keys]
    return sum(terms) / len(terms)


case("dense", dense, predictions=d(steps, number, 32, 2, 2) / 3, maps=d(steps, number, 32, 2, 2) + 0.2)

# A gated recurrent unit at each position by itself.
size = 8
gates = {name: (d(size, 2 * size) / 3, d(size) / 2) for name in ("update", "reset", "candidate")}
x, h = d(16, size, 3, 2), d(16, size, 3, 2)
new = torch.empty_like(h)
for n in range(16):
    for row in range(3):
        for column in range(2):
            a, b = x[n, :, row, column], h[n, :, row, column]
            u, r = (
                1 / (1 + torch.exp(-(gates[name][0] @ torch.cat([a, b]) + gates[name][1]))) for name in ("update", "reset"))
            c = torch.tanh(gates["candidate"][0] @ torch.cat([a, r * b]) + gates["candidate"][1])
            new[n, :, row, column] = (1 - u) * b + u * c
out["gru.x"], out["gru.h"], out["gru.result"] = x, h, new
for name, (weight, bias) in gates.items():
    out[f"gru.state.{name}.weight"] = weight[:, :, None, None].float()
    out[f"gru.state.{name}.bias"] = bias.float()

times, videos, patches = 4, 3, 9


def walk(q):
    """From every patch of the first frame to the second and back, to the third and back, …; τ = 0.3."""
    terms = []
    for video in range(videos):
        unit = [[q[t, video, i] / q[t, video, i].norm() for i in range(patches)] for t in range(times)]

        def step(distribution, source, target):
            """Where a walker is after a step, who was at patch i with probability distribution[i]."""
            arrived = torch.zeros(patches, dtype=torch.float64)
            for i in range(patches):
                scores = torch.stack([unit[source][i] @ unit[target][j] / 0.3 for j in range(patches)])
                arrived = arrived + distribution[i] * torch.softmax(scores, 0)
            return arrived

        for turn in range(1, times):
            for start in range(patches):
                place = torch.zeros(patches, dtype=torch.float64)
                place[start] = 1
                for t in range(turn):
                    place = step(place, t, t + 1)
                for t in range(turn, 0, -1):
                    place = step(place, t, t - 1)
                terms.append(-torch.log(place[start]))
    return sum(terms) / len(terms)


case("walk", walk, q=d(times, videos, patches, width) * 2 + 0.5)

save_file({key: value.detach().contiguous().clone() for key, value in out.items()}, HERE / "clips.safetensors")
