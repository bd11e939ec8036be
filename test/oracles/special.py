"""NaN, infinities, both zeros and denormal numbers through every operation and its gradient, by PyTorch: special.json.

Each case has the operation by the name that gradus has for it, its inputs, the value and the gradients of the sum of the result by each
input that is a float, for float32 and for float64. Numbers that JSON has not are texts: "NaN", "Infinity", "-Infinity", "-0".

    python special.py                        # special.json beside this file
    python special.py --only '^log1p$'       # the cases of operations that match; all other lines stay as they are
"""
import json
import math
import os
import re
import numpy as np
from common import arguments, chosen, line, torch
import common

F = common.Lazy("torch.nn.functional")
HERE = os.path.dirname(os.path.abspath(__file__))
ARGS = arguments(__file__, "special.json", __doc__)
CASES = []
TRIED = set()

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-40, -1e-40, 1e30, -1e30, 2.0**-126, 3.4028234663852886e38]
ROWS = [[math.nan, 1, 2, 3], [math.inf, 1, 2, 3], [-math.inf, 1, 2, 3], [math.inf, -math.inf, 1, 2], [math.inf, math.inf, 1, 2],
        [-math.inf, -math.inf, 1, 2], [-math.inf] * 4, [0.0, -0.0, 0.0, -0.0], [1e30, -1e30, 1e30, 1], [1e-40, 1e-40, -1e-40, 3e-40],
        [1e30, 1e30, 1e30, 1e30], [math.nan, math.inf, -math.inf, 0.0]]
LEFT = [[math.nan, 1], [math.inf, 1], [-math.inf, math.inf], [0.0, -0.0], [1e-40, 1e30]]
RIGHT = [[1.0, 0.0, math.nan], [2.0, -math.inf, 1e-10]]


def text(x):
    if isinstance(x, (int, np.integer)):
        return int(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    if x == 0:
        return "-0" if math.copysign(1, x) < 0 else 0
    return float(x)


def flat(t):
    return [text(x) for x in t.detach().reshape(-1).tolist()]


def case(op, f, *inputs, **options):
    """`inputs`: nested lists of floats, or of ints, which want no gradient."""
    TRIED.add(op)
    if not chosen(ARGS, op):
        return
    for dtype in (torch.float32, torch.float64):
        ts = []
        for data in inputs:
            a = np.array(data)
            ts.append(torch.tensor(a) if a.dtype.kind == "i" else torch.tensor(a, dtype=dtype, requires_grad=True))
        out = f(*ts)
        gradients = iter(torch.autograd.grad(out.sum(), [t for t in ts if t.requires_grad]))
        CASES.append(dict(op=op, dtype=str(dtype)[6:], options=options, shapes=[list(t.shape) for t in ts],
                          ints=[not t.requires_grad for t in ts], inputs=[flat(t) for t in ts], output=flat(out),
                          grads=[flat(next(gradients)) if t.requires_grad else None for t in ts]))


def unary_kernels():
    """The names in UNARY_KERNELS of the contract; torch, or torch.nn.functional, has functions of the same names. The sign has no gradient."""
    with open(os.path.join(HERE, "../../ts/backend/kernels.ts")) as file:
        listed = re.search(r"UNARY_KERNELS = \[(.*?)\] as const", file.read(), re.S)[1]
    return [op for op in re.findall(r"'(\w+)'", listed) if op != "sign"]


def other_operations():
    """The operations with a row in test/ops/table.ts that have no case below, and the function of each: that of its name in torch, or in
    torch.nn.functional, where capitals are small (logCumSumExp is logcumsumexp). An operation without such a function wants a case below.
    dropout draws at random, normalize has a test of its own."""
    with open(os.path.join(HERE, "../ops/table.ts")) as file:
        names = re.findall(r"(?:name: |unary\(\s*|binary\(\s*)'(\w+)", file.read())
    for op in dict.fromkeys(names):
        f = getattr(torch, op.lower(), None) or getattr(F, op.lower(), None)
        if f and op not in TRIED | {"dropout", "normalize"}:
            yield op, f


def merge():
    """The new cases in place of those of the same operations, or at the end."""
    with open(ARGS.out) as file:
        head, *lines = file.read().split("\n")
    old = [text.rstrip(",") for text in lines if text.startswith("{") and not chosen(ARGS, json.loads(text.rstrip(","))["op"])]
    with open(ARGS.out, "w") as out:
        out.write(head + "\n" + ",\n".join(old + [line(c) for c in CASES]) + "\n]}\n")
    print(f"{ARGS.out}: {len(CASES)} cases anew, {len(old)} as they were")


def main():
    for op in unary_kernels():
        case(op, getattr(torch, op, None) or getattr(F, op), SPECIAL)
    case("clip", lambda t: t.clamp(-0.5, 0.7), SPECIAL, low=-0.5, high=0.7)
    acts = dict(relu=torch.relu, leakyRelu=lambda t: F.leaky_relu(t, 0.01), sigmoid=torch.sigmoid, tanh=torch.tanh, gelu=F.gelu, silu=F.silu,
                softplus=lambda t: F.softplus(t, threshold=1e4), elu=F.elu, mish=F.mish, selu=F.selu)
    for op, f in acts.items():
        case(op, f, SPECIAL)
    pairs = [[a, b] for a in SPECIAL for b in SPECIAL]
    for op in ("add", "sub", "mul", "div", "pow", "maximum", "minimum"):
        case(op, getattr(torch, op), [a for a, _ in pairs], [b for _, b in pairs])
    case("where", lambda a, b: torch.where(torch.tensor([True, False] * 8), a, b), SPECIAL, SPECIAL[::-1])
    for op, f in dict(sum=torch.sum, mean=torch.mean, max=torch.amax, min=torch.amin, logSumExp=torch.logsumexp).items():
        case(op, lambda t: f(t, 1), ROWS)
    case("variance", lambda t: torch.var(t, 1, correction=0), ROWS)
    for op, f in dict(norm=lambda t: torch.linalg.vector_norm(t, 2, 1), std=lambda t: torch.std(t, 1, correction=0), prod=lambda t: torch.prod(t, 1),
                      sort=lambda t: torch.sort(t, dim=1, stable=True).values, topK=lambda t: torch.topk(t, 2, 1).values).items():
        case(op, f, ROWS)
    case("tile", lambda t: torch.tile(t, (2,)), SPECIAL)
    for op, f in dict(softmax=F.softmax, logSoftmax=F.log_softmax).items():
        # the sum of a softmax is 1 whatever its inputs are, so its squares are differentiated
        case(op, lambda t: f(t, -1) ** 2, ROWS)
    case("matmul", torch.matmul, LEFT, RIGHT)
    case("dense", lambda x, w, b: x @ w + b, LEFT, RIGHT, [0.0, math.inf, 1e-40])
    for op, f in dict(reshape=lambda t: t.reshape(4, 4), transpose=lambda t: t.reshape(2, 8).t(), slice=lambda t: t[3:11],
                      broadcastTo=lambda t: t.expand(2, 16), split=lambda t: torch.cat(t.split([5, 11])[::-1]),
                      squeeze=lambda t: t.reshape(1, 16, 1).squeeze(), expandDims=lambda t: t.unsqueeze(1)).items():
        case(op, f, SPECIAL)
    case("concat", lambda a, b: torch.cat([a, b]), SPECIAL, SPECIAL[::-1])
    case("stack", lambda a, b: torch.stack([a, b]), SPECIAL, SPECIAL[::-1])
    case("gather", lambda t, i: F.embedding(i, t), [[x] for x in SPECIAL], [0, 1, 1, 15, 4, 10])
    for op, f in dict(mse=F.mse_loss, mae=F.l1_loss, huber=F.huber_loss, binaryCrossEntropy=F.binary_cross_entropy_with_logits).items():
        # each by itself, as one NaN would hide the others
        for x in SPECIAL:
            case(op, lambda t: f(t, torch.full_like(t, 0.25)), [x])
    for y in (0.0, 1.0):
        for x in SPECIAL:
            case("binaryCrossEntropy", lambda t: F.binary_cross_entropy_with_logits(t, torch.full_like(t, y)), [x], target=y)
    for row in ROWS:
        for label in (0, 1):
            case("crossEntropy", lambda t, y: F.cross_entropy(t, y), [row], [label])
    # losses made of operations: by elements, by rows, and of pairs of rows
    for x in SPECIAL:
        for y in (1.0, -1.0):
            case("hinge", lambda t: torch.clamp(1 - y * t, min=0).mean(), [x], target=y)
        for y in (0.0, 2.0):
            case("poisson", lambda t: F.poisson_nll_loss(t, torch.full_like(t, y)), [x], target=y)
        case("quantile", lambda t: torch.maximum(0.8 * (0.25 - t), -0.2 * (0.25 - t)).mean(), [x], target=0.25)
        for y in (0.0, 1.0):
            def sigmoid_focal(t):
                p, ce = t.sigmoid(), F.binary_cross_entropy_with_logits(t, torch.full_like(t, y), reduction="none")
                return (ce * (1 - (p * y + (1 - p) * (1 - y))) ** 2).mean()
            case("focal", sigmoid_focal, [[x]], target=y)
    for row in ROWS:
        case("klDivergence", lambda t: F.kl_div(F.log_softmax(t, 1), torch.tensor([[.5, .25, .25, 0.0]], dtype=t.dtype), reduction="none").sum(1).mean(), [row])
        case("cosineDistance", lambda t: F.cosine_embedding_loss(t, torch.tensor([[1.0, 2, -1, .5]], dtype=t.dtype), torch.ones(1)), [row])
        for y in (0.0, 1.0):
            def hadsell(t):
                d = F.pairwise_distance(t, torch.tensor([[1.0, 2, -1, .5]], dtype=t.dtype))
                return (0.5 * (y * d**2 + (1 - y) * torch.clamp(9 - d, min=0) ** 2)).mean()
            case("contrastive", hadsell, [row], target=y)
        case("triplet", lambda t: F.triplet_margin_loss(t, torch.tensor([[1.0, 2, -1, .5]], dtype=t.dtype), torch.tensor([[3.0, 2, 0, 1]], dtype=t.dtype)), [row])
    for op, f in other_operations():
        try:
            f(torch.tensor(SPECIAL))
        except TypeError:
            # it wants an axis
            case(op, lambda t: f(t, 1), ROWS, axis=1)
        else:
            case(op, f, SPECIAL)
    if ARGS.only:
        return merge()
    with open(ARGS.out, "w") as out:
        head = dict(format="special/1", doc=__doc__.strip(), versions=common.__getattr__("VERSIONS"))
        out.write(line(head)[:-1] + ',"cases":[\n' + ",\n".join(line(c) for c in CASES) + "\n]}\n")
    print(f"{ARGS.out}: {len(CASES)} cases")


if __name__ == "__main__":
    main()
