"""Writes onnx_features.json: nets for images as torch.onnx writes them, with what onnxruntime computes, for fromOnnxFeatures.

Inverted bottlenecks with squeeze-and-excite as in MobileNet, padding that is computed from shapes, branches side by side, poolings. Numbers are rounded, so
that the files are small. Needs torch, onnxruntime.

    python onnx_features.py
"""

import base64
import io
import json
import platform
import warnings

import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
torch.manual_seed(3)

DOC = "ONNX files (base64) by torch.onnx, images x [rows, height, width, channels] and the outputs of onnxruntime"


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        wide = 2 * inputs
        self.body = nn.Sequential(
            nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.Hardswish(),
            nn.Conv2d(wide, outputs, 1),
        )
        self.gates = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(outputs, 2, 1), nn.ReLU(), nn.Conv2d(2, outputs, 1), nn.Hardsigmoid())
        self.adds = inputs == outputs and stride == 1

    def forward(self, x):
        y = self.body(x)
        y = y * self.gates(y)
        return x + y if self.adds else y


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.SiLU(), nn.MaxPool2d(3, 1, 1))
        self.blocks = nn.Sequential(Bottleneck(4, 4, 1), Bottleneck(4, 6, 2))
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = self.blocks(self.stem(x)).mean([2, 3])
        return self.head(x.view(x.size(0), -1))


class Dense(nn.Module):
    """Branches side by side, behind padding of different sides."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.second = nn.Conv2d(7, 4, (1, 3), dilation=(1, 2), padding=(0, 2))

    def forward(self, x):
        x = F.leaky_relu(self.norm(x), 0.2)
        y = F.elu(self.first(F.pad(x, (0, 1, 1, 0))))
        y = torch.cat([y, F.avg_pool2d(x, 2)], 1)
        y = torch.tanh(self.second(y)) * 0.5
        return torch.softmax(torch.flatten(F.avg_pool2d(y, 3, 2, 1), 1), -1)


class Plain(nn.Module):
    """The end of VGG: pixels of channels in rows, and two dense layers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4), nn.Sigmoid(), nn.Linear(4, 2))

    def forward(self, x):
        return self.body(x) / 3


def case(name, net, shape):
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    for values in [*net.parameters(), *net.buffers()]:
        if values.is_floating_point():
            values.data = torch.round(values.data * 256) / 256
    x = torch.round(torch.randn(2, *shape) * 64) / 64
    file = io.BytesIO()
    names = dict(input_names=["image"], output_names=["result"], dynamic_axes={"image": {0: "rows"}})
    torch.onnx.export(net.eval(), (x,), file, dynamo=False, opset_version=17, **names)
    y = onnxruntime.InferenceSession(file.getvalue()).run(None, {"image": x.numpy()})[0]
    last = x.movedim(1, -1).contiguous()
    return dict(
        name=name, file=base64.b64encode(file.getvalue()).decode(), shape=list(last.shape), x=last.flatten().tolist(), y=y.astype(float).ravel().tolist()
    )


def main():
    cases = [case("mobile", Mobile(), (3, 10, 8)), case("dense", Dense(), (3, 8, 9)), case("plain", Plain(), (1, 6, 8))]
    versions = json.dumps({"python": platform.python_version(), "torch": torch.__version__.split("+")[0], "onnxruntime": onnxruntime.__version__})
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases)
    with open("onnx_features.json", "w") as file:
        file.write(f'{{"doc":{json.dumps(DOC)},\n"versions":{versions},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
