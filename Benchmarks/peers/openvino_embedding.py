"""Image files to ResNet embeddings with OpenVINO, with the arguments of the embedding peers: images per second, end to end, and
of the network alone, as JSON."""
import argparse, json, time

try:
    import peers_stub  # noqa: F401  (torchvision next to a CPU-only torch)
except ImportError:
    pass
import numpy as np
import openvino
import torch, torchvision
import torchvision.transforms as T

p = argparse.ArgumentParser()
p.add_argument("--data", required=True)
p.add_argument("--size", type=int, default=224)
p.add_argument("--images", type=int, default=256)
p.add_argument("--batch", type=int, default=32)
p.add_argument("--backbone", default="resnet50")
p.add_argument("--stem", default="imagenet", choices=["imagenet", "small"])
a = p.parse_args()
transform = T.Compose(([T.Resize(256), T.CenterCrop(224)] if a.size == 224 else [T.Resize((a.size, a.size))])
                      + [T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
data = torchvision.datasets.ImageFolder(a.data, transform)
data = torch.utils.data.Subset(data, np.random.default_rng(0).permutation(len(data))[: a.images])
net = getattr(torchvision.models, a.backbone)().eval()
net.fc = torch.nn.Identity()
if a.stem == "small":
    net.conv1, net.maxpool = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False), torch.nn.Identity()
example = torch.zeros(a.batch, 3, a.size, a.size)
model = openvino.convert_model(net, example_input=example, input=[example.shape])
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": "f32"})
loader = torch.utils.data.DataLoader(data, batch_size=a.batch, num_workers=2, drop_last=True)
compiled(example.numpy())
started, rounds = time.time(), 0
while time.time() - started < 5:
    compiled(example.numpy())
    rounds += 1
alone = rounds * a.batch / (time.time() - started)
started, count = time.time(), 0
for x, _ in loader:
    compiled(x.numpy())
    count += len(x)
print(json.dumps({"peer": "openvino", "images_per_second": round(count / (time.time() - started), 2), "engine": round(alone, 2)}))
