"""Writes conv.json: convolutions and poolings of random shapes by PyTorch in float64, with derivatives of first and second order.

Odd sizes, strides beyond the kernel, dilation, groups, padding of different sides, empty batches. Numbers are made by a formula, `numbers` below, and each
result is stored as its sums with two other sequences of the formula, so that a thousand shapes fit into a small file.

    python conv.py
"""

import json
import platform
import random

import torch
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
draw = random.Random(36)

DOC = (
    "Element i of the sequence with this salt is ((7919·i + 104729·salt + 13) mod 2003) / 1001.5 − 1. Inputs: x salt 1, w 2, b 3, the gradient of the "
    "result 4. `y`, `dx`, `dw`, `db` are sums of the result with salts 11 and 12; `second` likewise for the gradients of Σ dx·(salt 5) + Σ dw·(salt 6) with "
    "respect to x, w and the gradient of the result (for pooling: of Σ dx·(salt 5) with respect to that gradient). Images are [rows, height, width, "
    "channels], weights [kernel height, kernel width, channels / groups, filters], those of transposed convolutions [kernel height, kernel width, "
    "filters / groups, channels]."
)


def numbers(count, salt):
    i = torch.arange(count, dtype=torch.int64)
    return ((7919 * i + 104729 * salt + 13) % 2003).double() / 1001.5 - 1


def of(shape, salt):
    size = 1
    for d in shape:
        size *= d
    return numbers(size, salt).reshape(shape)


def sums(t):
    if t is None:  # nothing depends on it, as there are no rows
        return [0.0, 0.0]
    flat = t.detach().reshape(-1)
    return [float((flat * numbers(flat.numel(), salt)).sum()) for salt in (11, 12)]


def to_torch(x):
    """[rows, …, channels] → [rows, channels, …]"""
    return x.movedim(-1, 1).contiguous()


def from_torch(y):
    return y.movedim(1, -1)


def padded(x, zeros, value=0.0):
    """x is [rows, channels, …]"""
    flat = [n for before_after in reversed(zeros) for n in before_after]
    return F.pad(x, flat, value=value)


def same(length, taps, stride, dilation):
    out = -(-length // stride)
    total = max(0, (out - 1) * stride + (taps - 1) * dilation + 1 - length)
    return (total // 2, total - total // 2)


def geometry(axes, pool=False):
    kernel = [draw.randint(1, 4) for _ in range(axes)]
    stride = [draw.choice([1, 1, 1, 2, 3, 5]) for _ in range(axes)]
    dilation = [draw.choice([1, 1, 1, 2, 3]) for _ in range(axes)]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    padding = draw.choice(["valid", "same", "numbers"])
    limit = (lambda k: k // 2) if pool else (lambda k: 3)
    zeros = [(draw.randint(0, limit(k)), draw.randint(0, limit(k))) if padding == "numbers" else (0, 0) for k in kernel]
    lengths = [max(1, r - sum(z)) + draw.choice([0, 1, 2, 3, 5, 8]) for r, z in zip(reach, zeros)]
    if padding == "same":
        zeros = [same(n, *rest) for n, *rest in zip(lengths, kernel, stride, dilation)]
    return kernel, stride, dilation, zeros, lengths, padding


def conv_case():
    axes = draw.choice([1, 2])
    kernel, stride, dilation, zeros, lengths, padding = geometry(axes)
    groups = draw.choice([1, 1, 1, 2, 3, 5])
    depthwise = draw.random() < 0.2
    inputs, outputs = (1, 1) if depthwise else (draw.randint(1, 7), draw.choice([1, 2, 3, 7, 9, 17]))
    if depthwise:
        groups = draw.choice([2, 5, 9, 13])
    rows = draw.choice([0, 1, 1, 2, 3])
    x = of([rows, *lengths, groups * inputs], 1).requires_grad_()
    w = of([*kernel, inputs, groups * outputs], 2).requires_grad_()
    b = of([groups * outputs], 3).requires_grad_()
    to_weight = w.movedim(-1, 0).movedim(-1, 1).contiguous()
    run = F.conv1d if axes == 1 else F.conv2d
    y = from_torch(run(padded(to_torch(x), zeros), to_weight, b, stride=stride, dilation=dilation, groups=groups))
    case = dict(kind="conv", x=list(x.shape), w=list(w.shape), stride=stride, dilation=dilation, groups=groups)
    case["padding"] = padding if padding != "numbers" else zeros
    return finish(case, y, x, w, b)


def transposed_case():
    axes = draw.choice([1, 2])
    kernel = [draw.randint(1, 4) for _ in range(axes)]
    stride = [draw.choice([1, 2, 3]) for _ in range(axes)]
    dilation = [draw.choice([1, 1, 2]) for _ in range(axes)]
    groups = draw.choice([1, 1, 2, 3])
    inputs, outputs = draw.randint(1, 5), draw.choice([1, 2, 3, 9])
    rows = draw.choice([1, 2])
    lengths = [draw.randint(1, 5) for _ in range(axes)]
    whole = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(lengths, stride, kernel, dilation)]
    zeros = [min(draw.choice([0, 0, 1]), (n - 1) // 2) for n in whole]
    extra = [draw.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
    x = of([rows, *lengths, groups * inputs], 1).requires_grad_()
    w = of([*kernel, outputs, groups * inputs], 2).requires_grad_()
    b = of([groups * outputs], 3).requires_grad_()
    to_weight = w.movedim(-1, 0).movedim(-1, 1).contiguous()
    run = F.conv_transpose1d if axes == 1 else F.conv_transpose2d
    y = from_torch(
        run(to_torch(x), to_weight, b, stride=stride, padding=zeros, output_padding=extra, groups=groups, dilation=dilation)
    )
    case = dict(kind="transposed", x=list(x.shape), w=list(w.shape), stride=stride, dilation=dilation, groups=groups)
    case.update(padding=[[n, n] for n in zeros], outputPadding=extra)
    return finish(case, y, x, w, b)


def finish(case, y, x, w, b):
    g = of(y.shape, 4).requires_grad_()
    dx, dw, db = torch.autograd.grad((y * g).sum(), [x, w, b], create_graph=True)
    s = (dx * of(dx.shape, 5)).sum() + (dw * of(dw.shape, 6)).sum()
    second = torch.autograd.grad(s, [x, w, g], allow_unused=True)
    case.update(shape=list(y.shape), y=sums(y), dx=sums(dx), dw=sums(dw), db=sums(db))
    case["second"] = [sums(t) for t in second]
    return case


def pool_case(kind):
    axes = draw.choice([1, 2])
    kernel, stride, dilation, zeros, lengths, padding = geometry(axes, pool=True)
    if kind == "avg":
        # PyTorch has no dilation here; places outside of the image do not count, which it only offers for equal sides
        dilation = [1] * axes
        if padding == "same":
            zeros = [same(n, k, s, 1) for n, k, s in zip(lengths, kernel, stride)]
    if padding == "numbers" and kind == "avg":
        zeros = [(z[0], z[0]) for z in zeros]
    channels = draw.choice([1, 3, 4, 7, 8, 13])
    rows = draw.choice([0, 1, 2])
    lengths = [max(n, (k - 1) * d + 1 - sum(z)) for n, k, d, z in zip(lengths, kernel, dilation, zeros)]
    if padding == "same":
        zeros = [same(n, k, s, d) for n, k, s, d in zip(lengths, kernel, stride, dilation)]
    x = of([rows, *lengths, channels], 1).requires_grad_()
    image = to_torch(x)
    if kind == "max":
        run = F.max_pool1d if axes == 1 else F.max_pool2d
        y = run(padded(image, zeros, -float("inf")), kernel, stride=stride, dilation=dilation)
    else:
        run = F.avg_pool1d if axes == 1 else F.avg_pool2d
        ones = torch.ones_like(image)
        y = run(padded(image, zeros), kernel, stride=stride) / run(padded(ones, zeros), kernel, stride=stride)
    y = from_torch(y)
    case = dict(kind=kind, x=list(x.shape), size=kernel, stride=stride, dilation=dilation)
    return finish_pool(case | dict(padding=padding if padding != "numbers" else zeros), y, x)


def finish_pool(case, y, x):
    g = of(y.shape, 4).requires_grad_()
    (dx,) = torch.autograd.grad((y * g).sum(), [x], create_graph=True)
    (second,) = torch.autograd.grad((dx * of(dx.shape, 5)).sum(), [g], allow_unused=True)
    case.update(shape=list(y.shape), y=sums(y), dx=sums(dx), second=[sums(second)])
    return case


def adaptive_case(kind):
    axes = draw.choice([1, 2])
    rows, channels = draw.choice([0, 1, 2]), draw.choice([1, 3, 4, 7, 8, 13])
    lengths = [draw.randint(1, 13) for _ in range(axes)]
    size = [draw.randint(1, 9) for _ in range(axes)]
    x = of([rows, *lengths, channels], 1).requires_grad_()
    run = getattr(F, f"adaptive_{kind}_pool{axes}d")
    # some versions refuse to run without rows
    y = from_torch(run(to_torch(x), size)) if rows else (x.sum() * torch.zeros(0, *size, channels))
    return finish_pool(dict(kind=f"adaptive {kind}", x=list(x.shape), size=size), y, x)


def main():
    cases = [conv_case() for _ in range(1000)] + [transposed_case() for _ in range(200)]
    cases += [pool_case("max") for _ in range(200)] + [pool_case("avg") for _ in range(200)]
    cases += [adaptive_case("max") for _ in range(150)] + [adaptive_case("avg") for _ in range(150)]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    versions = json.dumps({"python": platform.python_version(), "torch": torch.__version__.split("+")[0]})
    with open("conv.json", "w") as file:
        file.write(f'{{"doc":{json.dumps(DOC, ensure_ascii=False)},\n"versions":{versions},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
