"""Writes conv_layers.json: resampling, cumulative sums and layers around convolutions, by PyTorch in float64, with derivatives of first and second order.

Numbers and sums are those of conv.py: `numbers` with a salt; results are stored as sums with the salts 11 and 12.

    python conv_layers.py
"""

import json
import platform
import random

import torch
from conv import from_torch, of, sums, to_torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
draw = random.Random(36)

DOC = (
    "Inputs: x salt 1, weights by their order salts 2, 3, …, the gradient g of the result 40. `y` and `gradients` are sums with salts 11 and 12 of the result and "
    "of the gradients of Σ y·g with respect to x and the weights; `second` of the gradients of Σ dx·(salt 50) with respect to x, g and the weights. Images "
    "are [rows, height, width, channels]."
)


def finish(case, run, x, weights=()):
    y = run()
    g = of(y.shape, 40).requires_grad_()
    first = torch.autograd.grad((y * g).sum(), [x, *weights], create_graph=True)
    second = torch.autograd.grad((first[0] * of(x.shape, 50)).sum(), [x, g, *weights], allow_unused=True)
    case.update(x=list(x.shape), shape=list(y.shape), y=sums(y), gradients=[sums(t) for t in first])
    case["second"] = [sums(t) for t in second]
    return case


def image(axes, channels=None, least=1):
    lengths = [draw.randint(least, 6) for _ in range(axes)]
    return of([draw.randint(1, 3), *lengths, channels or draw.randint(1, 9)], 1).requires_grad_()


def pad_case():
    axes = draw.choice([1, 2])
    x = image(axes)
    mode = draw.choice(["constant", "edge", "reflect"])
    most = [n - 1 if mode == "reflect" else 3 for n in x.shape[1:-1]]
    amounts = [[draw.randint(0, m), draw.randint(0, m)] for m in most]
    value = draw.choice([0, 1.5]) if mode == "constant" else 0
    flat = [n for pair in reversed(amounts) for n in pair]
    how = dict(mode="replicate" if mode == "edge" else mode, **(dict(value=value) if mode == "constant" else {}))
    return finish(dict(kind="pad", amounts=amounts, options=dict(mode=mode, value=value)), lambda: from_torch(F.pad(to_torch(x), flat, **how)), x)


def upsample_case():
    axes = draw.choice([1, 2])
    x = image(axes)
    factor = [draw.randint(1, 4) for _ in range(axes)]
    mode = draw.choice(["nearest", "bilinear"])
    how = dict(mode="nearest") if mode == "nearest" else dict(mode="linear" if axes == 1 else "bilinear", align_corners=False)
    run = lambda: from_torch(F.interpolate(to_torch(x), scale_factor=[float(f) for f in factor], **how))
    return finish(dict(kind="upsample", factor=factor, options=dict(mode=mode)), run, x)


def unfold_case():
    x = image(2, least=3)
    kernel = [draw.randint(1, 3) for _ in range(2)]
    dilation = [draw.choice([1, 1, 2]) if k < 3 else 1 for k in kernel]
    stride = [draw.randint(1, 3) for _ in range(2)]
    zeros = [draw.randint(0, 2) for _ in range(2)]
    out = [(n + 2 * z - (k - 1) * d - 1) // s + 1 for n, z, k, d, s in zip(x.shape[1:-1], zeros, kernel, dilation, stride)]

    def run():
        # [rows, channels · taps, positions], channels outermost
        columns = F.unfold(to_torch(x), kernel, dilation=dilation, padding=zeros, stride=stride)
        split = columns.reshape(x.shape[0], x.shape[-1], kernel[0] * kernel[1], *out)
        return split.permute(0, 3, 4, 2, 1).reshape(x.shape[0], *out, -1)

    return finish(dict(kind="unfold", size=kernel, options=dict(stride=stride, padding=zeros, dilation=dilation)), run, x)


def cumsum_case():
    x = of([draw.randint(1, 5) for _ in range(draw.randint(1, 4))], 1).requires_grad_()
    axis = draw.randint(-x.dim(), x.dim() - 1)
    return finish(dict(kind="cumsum", axis=axis), lambda: torch.cumsum(x, axis).square(), x)


def group_norm_case():
    groups, width = draw.randint(1, 4), draw.randint(1, 4)
    x = image(draw.choice([1, 2]), groups * width, least=2)
    w, b = [of([groups * width], salt).requires_grad_() for salt in (2, 3)]
    epsilon = draw.choice([1e-5, 0.1])
    run = lambda: from_torch(F.group_norm(to_torch(x), groups, w, b, eps=epsilon))
    return finish(dict(kind="groupNorm", groups=groups, options=dict(epsilon=epsilon)), run, x, [w, b])


def batch_norm_case():
    x = image(draw.choice([1, 2]), least=2)
    w, b = [of([x.shape[-1]], salt).requires_grad_() for salt in (2, 3)]
    epsilon = draw.choice([1e-5, 0.1])
    activation = draw.choice(["linear", "relu"])
    f = F.relu if activation == "relu" else lambda t: t
    run = lambda: f(from_torch(F.batch_norm(to_torch(x), None, None, w, b, training=True, eps=epsilon)))
    return finish(dict(kind="batchNorm", options=dict(epsilon=epsilon, activation=activation)), run, x, [w, b])


def separable_case():
    x = image(2, least=3)
    inputs, filters, taps = x.shape[-1], draw.randint(1, 9), draw.randint(1, 3)
    stride = draw.randint(1, 2)
    d = of([taps, taps, 1, inputs], 2).requires_grad_()
    w = of([1, 1, inputs, filters], 3).requires_grad_()
    b = of([filters], 4).requires_grad_()

    def run():
        own = F.conv2d(to_torch(x), d.permute(3, 2, 0, 1), stride=stride, padding=1, groups=inputs)
        return from_torch(torch.tanh(F.conv2d(own, w.permute(3, 2, 0, 1), b)))

    options = dict(stride=stride, padding=1, activation="tanh")
    return finish(dict(kind="separable", filters=filters, kernel=taps, options=options), run, x, [d, w, b])


def squeeze_case():
    x = image(draw.choice([1, 2]))
    channels, units = x.shape[-1], draw.randint(1, 4)
    shapes = [[channels, units], [units], [units, channels], [channels]]
    weights = [of(shape, 2 + i).requires_grad_() for i, shape in enumerate(shapes)]

    def run():
        means = x.flatten(1, -2).mean(1)
        s, sb, e, eb = weights
        gates = torch.sigmoid(torch.relu(means @ s + sb) @ e + eb)
        return x * gates.reshape(x.shape[0], *([1] * (x.dim() - 2)), channels)

    return finish(dict(kind="squeeze", options=dict(units=units)), run, x, weights)


def main():
    kinds = [pad_case, upsample_case, unfold_case, cumsum_case, group_norm_case, batch_norm_case, separable_case, squeeze_case]
    cases = [kind() for kind in kinds for _ in range(40)]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    versions = json.dumps({"python": platform.python_version(), "torch": torch.__version__.split("+")[0]})
    with open("conv_layers.json", "w") as file:
        file.write(f'{{"doc":{json.dumps(DOC, ensure_ascii=False)},\n"versions":{versions},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
