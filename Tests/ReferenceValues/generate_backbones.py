"""Makes the reference values of the backbones that timm has (and wide ResNets, which torchvision has), and their key files.

    pip install torch numpy safetensors torchvision timm
    python Tests/ReferenceValues/generate_backbones.py

Weights are made from the keys on both sides (generate.py's `fill`); values are in float64.
"""

import math

import torch
from generate import HERE, fill, formula
from safetensors.torch import save_file

try:
    import peers_stub  # noqa: F401  operators that some CPU wheels of torchvision lack
except ImportError:
    pass
import timm
import torchvision
from timm.models.vision_transformer import VisionTransformer


def write_keys(name, module):
    lines = [f"{key} {list(t.shape)}\n" for key, t in module.state_dict().items() if not key.startswith(("fc.", "head."))]
    (HERE / "backbones" / f"{name}.keys.txt").write_text("".join(lines))


def images(name, shape):
    return torch.from_numpy(formula(f"{name}.input", math.prod(shape))).reshape(shape) * 2


def part(tensor):
    """Of everything that is large: its norm and its beginning."""
    return torch.cat([tensor.double().norm().reshape(1), tensor.double().flatten()[:6]])


def case(out, name, net, shape):
    """As generate.py's `backbones`: evaluation, training, gradients and statistics."""
    net = net.double()
    fill(net)
    x = images(name, shape)
    with torch.no_grad():
        out[f"{name}.evaluation"] = net.eval()(x)
    x.requires_grad_()
    y = net.train()(x)
    (y * torch.from_numpy(formula(f"{name}.cotangent", y.numel())).reshape(y.shape)).sum().backward()
    out[f"{name}.training"] = y
    parts = {"gradient.input": x.grad}
    parts |= {f"gradient.{key}": parameter.grad for key, parameter in net.named_parameters()}
    parts |= {f"after.{key}": buffer for key, buffer in net.named_buffers() if buffer.dim() > 0}
    out.update({f"{name}.{key}": part(tensor) for key, tensor in parts.items()})


def tokens(net, x, indices=None, mask=None, token=None):
    """timm's parts put together with patches hidden: between the projection and the positions, or behind both."""
    patches = net.patch_embed(x)
    if mask is not None:
        patches = torch.where(mask[:, :, None], token, patches)
    patches = patches + net.pos_embed[:, 1:]
    if indices is not None:
        patches = torch.stack([patches[i, indices[i]] for i in range(len(x))])
    first = (net.cls_token + net.pos_embed[:, :1]).expand(len(x), -1, -1)
    return net.norm(net.blocks(torch.cat([first, patches], 1)))


def transformer(out):
    make = lambda **more: VisionTransformer(img_size=32, patch_size=4, embed_dim=192, depth=12, num_heads=3, num_classes=0, **more)
    case(out, "vit", make(), (6, 3, 32, 32))
    net = make().double().eval()
    fill(net)
    x = images("vit", (6, 3, 32, 32))
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for index, layer in enumerate(net.get_intermediate_layers(x, n=3, norm=True, return_prefix_tokens=True)):
            out[f"vit.last.{index}"] = torch.cat([layer[1], layer[0]], 1)[:2, :9]
        maps = net.get_intermediate_layers(x, n=[4], reshape=True)
        out["vit.block5"] = maps[0][:1]
        # The attention of the sixth block.
        kept = []
        block = net.blocks[5].attn
        block.fused_attn = False
        hook = block.attn_drop.register_forward_hook(lambda module, inputs, output: kept.append(output))
        net(x)
        hook.remove()
        block.fused_attn = True
        out["vit.attention"] = kept[0][:1, :, :20]
        indices = torch.stack([torch.randperm(64, generator=generator)[:16] for _ in range(6)])
        mask = torch.rand((6, 64), generator=generator) < 0.6
        token = torch.randn(192, generator=generator).double()
        out |= {"vit.indices": indices, "vit.mask": mask, "vit.token": token}
        out["vit.visible"] = tokens(net, x, indices=indices)
        out["vit.replaced"] = tokens(net, x, mask=mask, token=token)[:, :9]
        assert torch.allclose(tokens(net, x)[:, 0], net(x))

        mean = make(global_pool="avg", fc_norm=False).double().eval()
        fill(mean)
        out["vit.mean"] = mean(x)
        # Positions of 8 × 8 patches for 13 × 9 and for 4 × 5 (timm interpolates in float32).
        sizes = make(dynamic_img_size=True).double().eval()
        fill(sizes)
        out["vit.larger"] = sizes(images("larger", (2, 3, 52, 36)))
        out["vit.smaller"] = sizes(images("smaller", (2, 3, 16, 20)))


def sin_cos(rows, columns, width):
    """MAE's positions by their definition, element by element."""
    quarter = width // 4

    def wave(position, i):
        angle = position / 10000 ** ((i % quarter) / quarter)
        return math.sin(angle) if i < quarter else math.cos(angle)

    return torch.tensor([
        [wave(column, i) for i in range(width // 2)] + [wave(row, i) for i in range(width // 2)]
        for row in range(rows) for column in range(columns)], dtype=torch.float64)


def main():
    with torch.device("meta"):
        for name in ("tiny", "small", "base"):
            write_keys(f"vit_{name}", timm.create_model(f"vit_{name}_patch16_224"))
        for depth in (50, 101):
            write_keys(f"resnetv2_{depth}", timm.create_model(f"resnetv2_{depth}x1_bit"))
            write_keys(f"wide_resnet{depth}_2", getattr(torchvision.models, f"wide_resnet{depth}_2")())
    out = {}
    transformer(out)
    case(out, "resnetv2_50", timm.create_model("resnetv2_50x1_bit", num_classes=0), (4, 3, 64, 80))
    wide = torchvision.models.wide_resnet50_2()
    wide.fc = torch.nn.Identity()
    case(out, "wide_resnet50_2", wide, (4, 3, 64, 48))
    out["positions"] = sin_cos(3, 5, 24)
    out = {key: value.detach().contiguous() for key, value in out.items()}
    save_file(out, HERE / "backbones_more.safetensors")


if __name__ == "__main__":
    main()
