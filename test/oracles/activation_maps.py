"""Writes activation_maps.json: class activation maps (Grad-CAM) of small convolutional nets by PyTorch in float64.

    python activation_maps.py
"""

import json
import platform
import random

import torch
from conv import of, to_torch
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
draw = random.Random(37)

DOC = (
    "Numbers are the sequences of conv.json, images x with salt 1, parameters with the salts 2, 3, … in the order of the layers. Layers: ['conv', inputs, "
    "filters, kernel] with padding 'same' and bias, ['norm', channels] in evaluation mode with the running mean 0.1·(salt 60 + position) and the variance "
    "1 + 0.5·(salt 80 + position), ['relu'], ['pool', size], ['residual', channels, kernel]: a convolution added to its input, ['global'], ['flatten'] of "
    "[height, width, channels], ['dense', inputs, classes]. `maps` are relu(Σ αₖ·Aₖ) of the result of layer `at`, where αₖ is the mean over the pixels of the "
    "gradient of the class's logit, brought to the size of the images by F.interpolate (align_corners=False), and divided by the largest value unless "
    "that is 0."
)


class Numbers:
    def __init__(self):
        self.salt = 1

    def next(self, shape):
        self.salt += 1
        return of(shape, self.salt)


def convolved(x, weight, bias):
    """x [rows, channels, …], weight [taps, …, inputs, filters]"""
    axes = x.dim() - 2
    w = weight.permute(axes + 1, axes, *range(axes))
    return (F.conv1d if axes == 1 else F.conv2d)(x, w, bias, padding=weight.shape[0] // 2)


def run(layers, x, at):
    """Results of layer `at` and of the last one."""
    draw_numbers, seen = Numbers(), None
    for i, (kind, *sizes) in enumerate(layers):
        axes = x.dim() - 2
        if kind == "conv" or kind == "residual":
            inputs, filters, kernel = sizes if kind == "conv" else [sizes[0], sizes[0], sizes[1]]
            weight = draw_numbers.next([*[kernel] * axes, inputs, filters])
            y = convolved(x, weight, draw_numbers.next([filters]))
            x = y if kind == "conv" else x + y
        elif kind == "norm":
            weight, bias = draw_numbers.next(sizes), draw_numbers.next(sizes)
            x = F.batch_norm(x, 0.1 * of(sizes, 60 + i), 1 + 0.5 * of(sizes, 80 + i), weight, bias, eps=1e-5)
        elif kind == "relu":
            x = F.relu(x)
        elif kind == "pool":
            x = (F.max_pool1d if axes == 1 else F.max_pool2d)(x, sizes[0])
        elif kind == "global":
            x = x.flatten(2).mean(2)
        elif kind == "flatten":
            x = x.movedim(1, -1).flatten(1)
        elif kind == "dense":
            x = x @ draw_numbers.next(sizes) + draw_numbers.next(sizes[1:])
        if i == at:
            x = x.detach().requires_grad_()
            seen = x
    return seen, x


def case():
    axes = draw.choice([1, 2, 2])
    lengths = [draw.randint(5, 13) for _ in range(axes)]
    channels, classes, rows = draw.randint(1, 3), draw.randint(2, 4), draw.randint(1, 3)
    layers, now, inputs = [], list(lengths), channels
    at = 0
    for _ in range(draw.randint(1, 2)):
        filters = draw.randint(2, 6)
        layers.append(["conv", inputs, filters, draw.choice([1, 3])])
        inputs = filters
        if draw.random() < 0.5:
            layers.append(["norm", inputs])
        if draw.random() < 0.7:
            layers.append(["relu"])
        if draw.random() < 0.3:
            layers.append(["residual", inputs, 3])
        at = len(layers) - 1
        if min(now) > 3 and draw.random() < 0.7:
            layers.append(["pool", 2])
            now = [n // 2 for n in now]
    if draw.random() < 0.5:
        layers += [["global"], ["dense", inputs, classes]]
    else:
        width = inputs
        for n in now:
            width *= n
        layers += [["flatten"], ["dense", width, classes]]
    chosen = draw.choice([None, None, draw.randrange(at + 1)])
    x = of([rows, *lengths, channels], 1)
    labels = [draw.randrange(classes) for _ in range(rows)]
    seen, logits = run(layers, to_torch(x), at if chosen is None else chosen)
    (slopes,) = torch.autograd.grad(logits[torch.arange(rows), labels].sum(), seen)
    alpha = slopes.flatten(2).mean(2)
    maps = F.relu((seen * alpha.reshape(*alpha.shape, *[1] * axes)).sum(1, keepdim=True))
    maps = F.interpolate(maps, size=lengths, mode="linear" if axes == 1 else "bilinear", align_corners=False)
    largest = maps.flatten(1).amax(1).reshape(-1, *[1] * (axes + 1))
    maps = torch.where(largest > 0, maps / largest.clamp(min=1e-300), maps)[:, 0]
    return dict(x=list(x.shape), layers=layers, at=chosen, classes=labels, maps=[float(f"{v:.15g}") for v in maps.flatten()])


def main():
    lines = ",\n".join(json.dumps(case(), separators=(",", ":")) for _ in range(60))
    versions = json.dumps({"python": platform.python_version(), "torch": torch.__version__.split("+")[0]})
    with open("activation_maps.json", "w") as file:
        file.write(f'{{"doc":{json.dumps(DOC, ensure_ascii=False)},\n"versions":{versions},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
