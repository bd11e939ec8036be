#!/usr/bin/env python3
"""Values and gradients of single operations by PyTorch, in float64.

Usage: python ops.py --only REGEX      the cases whose id matches; all other lines of ops.json stay as they are
       python ops.py [out.json]        all of them (CPU, one thread, deterministic)

A case: {id, op, inputs: [{shape, data, dtype?}], options, output: {shape, data}, upstream: {shape, data},
grads: [flat data | null], note?}. Arrays are flat, row-major; dtype is "float64" unless given as "int" (indices) or
"bool" (0/1). grads[i] = d sum(output * upstream) / d inputs[i], shaped as that input, null for int and bool ones.
All float inputs and upstreams are multiples of 2^-8, hence exact in float32. `note` names a choice that is a matter
of convention (ties, kinks); another convention may be right too, but has to be a decision. Random numbers depend on the
id of the case alone.
"""
import common
from common import arguments, chosen, dyadic, merge, np, origin, plain, rng_of, torch, write

F = torch.nn.functional
ARGS = arguments(__file__, "ops.json", __doc__)
CASES, IDS = [], []
TIES = "ties: torch splits the gradient evenly among equal elements"


def r(*shape, lo=-2.0, hi=2.0):
    """Numbers that the case draws, with a generator of its own."""
    return lambda rng: dyadic(rng.uniform(lo, hi, shape), 8)


def bits(*shape):
    return lambda rng: rng.integers(0, 2, shape).astype(bool)


def case(op, f, *inputs, id=None, note=None, **options):
    name = id or op
    IDS.append(name)
    if not chosen(ARGS, name):
        return
    rng = rng_of(name)
    inputs = [a(rng) if callable(a) else a for a in inputs]
    ts = [torch.tensor(a, requires_grad=np.asarray(a).dtype == np.float64) for a in inputs]
    out = f(*ts)
    up = torch.tensor(r(*out.shape)(rng))
    gs = torch.autograd.grad(out, [t for t in ts if t.requires_grad], up)
    it = iter(gs)
    kind = {torch.bool: {"dtype": "bool"}, torch.int64: {"dtype": "int"}}
    box = lambda t: dict(shape=list(t.shape), data=(t.int() if t.dtype == torch.bool else t).reshape(-1), **kind.get(t.dtype, {}))
    c = dict(id=name, op=op, inputs=[box(t) for t in ts], options=options, output=box(out), upstream=box(up),
             grads=[next(it).reshape(-1) if t.requires_grad else None for t in ts], origin=origin("torch"))
    CASES.append(c if note is None else dict(c, note=note))


def unary():
    x, wide = r(2, 4), np.array([-30.0, -8.5, -1.25, -0.0078125, 0.0078125, 0.75, 8.5, 30.0])
    pos = r(2, 4, lo=0.05, hi=4)
    for op, f in dict(exp=torch.exp, expm1=torch.expm1, sin=torch.sin, cos=torch.cos, erf=torch.erf, neg=torch.neg, square=torch.square, abs=torch.abs).items():
        case(op, f, x)
    for op, f in dict(log=torch.log, log1p=torch.log1p, sqrt=torch.sqrt, rsqrt=torch.rsqrt, reciprocal=torch.reciprocal).items():
        case(op, f, pos)
    acts = dict(tanh=torch.tanh, sigmoid=torch.sigmoid, silu=F.silu, relu=F.relu, gelu=F.gelu, logSigmoid=F.logsigmoid, mish=F.mish, selu=F.selu)
    for op, f in acts.items():
        for v, tag in ((x, ""), (wide, "-wide")):
            case(op, f, v, id=op + tag, **({"form": "erf"} if op == "gelu" else {}))
    case("gelu", lambda t: F.gelu(t, approximate="tanh"), x, id="gelu-tanhForm", form="tanh")
    for v, tag in ((x, ""), (wide, "-wide")):
        # torch's own softplus turns linear above 20 (off by up to 2e-9); the threshold is moved out of the way
        case("softplus", lambda t: F.softplus(t, threshold=1e4), v, id="softplus" + tag)
        case("elu", lambda t: F.elu(t, 1.0), v, id="elu" + tag, alpha=1.0)
        case("leakyRelu", lambda t: F.leaky_relu(t, 0.01), v, id="leakyRelu" + tag, slope=0.01)
    case("elu", lambda t: F.elu(t, 0.5), x, id="elu-half", alpha=0.5)
    k = np.array([-1.0, 0.0, 1.0])
    case("relu", F.relu, k, id="relu-kink", note="gradient at 0 is 0")
    case("abs", torch.abs, k, id="abs-kink", note="gradient at 0 is 0")
    case("leakyRelu", lambda t: F.leaky_relu(t, 0.01), k, id="leakyRelu-kink", slope=0.01, note="gradient at 0 is the slope of the negative side")
    case("elu", lambda t: F.elu(t, 0.5), k, id="elu-kink", alpha=0.5, note="gradient at 0 is alpha (negative side)")
    case("clip", lambda t: t.clamp(-0.75, 1.25), r(3, 3), lo=-0.75, hi=1.25)
    case("clip", lambda t: t.clamp(-1, 1), np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), id="clip-edges", lo=-1.0, hi=1.0, note="gradient exactly on a bound is 0 in torch 2.15 (it was 1 in earlier releases)")


def binary():
    fs = dict(add=torch.add, sub=torch.sub, mul=torch.mul, div=torch.div)
    shapes = [((2, 3), (2, 3), ""), ((2, 3), (3,), "-row"), ((2, 3), (2, 1), "-col"), ((2, 1, 3), (4, 1), "-both"), ((2, 3), (), "-scalar")]
    for op, f in fs.items():
        for a, b, tag in shapes:
            case(op, f, r(*a), r(*b, lo=0.25) if op == "div" else r(*b), id=op + tag)
    for a, b, tag in shapes[:4]:
        case("pow", torch.pow, r(*a, lo=0.1), r(*b), id="pow" + tag)
    case("pow", lambda t: torch.pow(t, 3), r(2, 3), id="pow-const3", exponent=3)
    case("pow", lambda t: torch.pow(t, 2), np.array([-1.5, 0.0, 2.0]), id="pow-const2", exponent=2)
    case("pow", lambda t: torch.pow(t, -0.5), r(3, lo=0.2), id="pow-constMinusHalf", exponent=-0.5)
    a, b = np.array([[1.0, 2.0, -3.0], [0.5, 0.5, 7.0]]), np.array([[1.0, 1.0, -2.0], [0.5, 4.0, 7.0]])
    for op, f in dict(maximum=torch.maximum, minimum=torch.minimum).items():
        case(op, f, r(2, 3), r(3), id=op + "-row")
        case(op, f, a, b, id=op + "-ties", note="ties: torch gives half of the gradient to each side")
    case("where", torch.where, bits(2, 3), r(2, 3), r(2, 3))
    case("where", torch.where, np.array([[True], [False]]), r(2, 3), r(3), id="where-broadcast")


def reductions():
    x = r(2, 3, 4)
    axes = [(None, False), (0, False), (1, True), (-1, False), ((0, 2), False)]
    name = lambda a, k: ("-all" if a is None else "-" + "".join(map(str, np.atleast_1d(a)))) + ("k" if k else "")
    lst = lambda a: None if a is None else list(np.atleast_1d(a).tolist())
    dims = lambda a: (0, 1, 2) if a is None else a
    for op, f in dict(sum=torch.sum, mean=torch.mean, max=torch.amax, min=torch.amin, logSumExp=torch.logsumexp).items():
        for a, k in axes:
            case(op, lambda t: f(t, dims(a), keepdim=k), x, id=op + name(a, k), axis=lst(a), keepDims=k)
    for a, k in axes:
        for corr in (0, 1):
            case("var", lambda t: torch.var(t, dims(a), correction=corr, keepdim=k), x, id=f"var{corr}" + name(a, k), axis=lst(a), keepDims=k, correction=corr)
    t = np.array([[2.0, 1.0, 2.0, 2.0], [0.0, -1.0, -1.0, 3.0]])
    case("max", lambda v: torch.amax(v, 1), t, id="max-ties", axis=[1], keepDims=False, note=TIES + " (amax); torch.max(x, dim) gives it all to one index")
    case("min", lambda v: torch.amin(v, 1), t, id="min-ties", axis=[1], keepDims=False, note=TIES + " (amin); torch.min(x, dim) gives it all to one index")
    case("max", lambda v: v.max(), t[:1], id="max-all-ties", axis=None, keepDims=False, note=TIES)
    big = np.array([[1000.0, 1001.0, 999.5], [-1000.0, -1000.0, -1004.0]])
    for op, f in dict(softmax=F.softmax, logSoftmax=F.log_softmax).items():
        case(op, lambda v: f(v, -1), r(2, 4), axis=-1)
        case(op, lambda v: f(v, 0), r(3, 2), id=op + "-axis0", axis=0)
        case(op, lambda v: f(v, -1), big, id=op + "-big", axis=-1)
    case("logSumExp", lambda v: torch.logsumexp(v, -1), big, id="logSumExp-big", axis=[-1], keepDims=False)
    case("cumsum", lambda v: torch.cumsum(v, 1), r(2, 4), axis=1)
    case("prod", lambda v: torch.prod(v, 1), r(2, 3), axis=[1], keepDims=False)
    case("prod", lambda v: torch.prod(v, 1), np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]]), id="prod-zeros", axis=[1], keepDims=False)


def norms_and_order():
    x = r(2, 3, 4)
    for order in (1, 2, 3, float("inf")):
        tag = "inf" if order == float("inf") else str(order)
        case("norm", lambda v: torch.linalg.vector_norm(v, order, 1), x, id=f"norm{tag}-1", axis=[1], keepDims=False, order=tag)
        case("norm", lambda v: torch.linalg.vector_norm(v, order), x, id=f"norm{tag}-all", axis=None, keepDims=False, order=tag)
    case("norm", lambda v: torch.linalg.vector_norm(v, 2, 1), np.array([[0.0, 0.0], [3.0, -4.0]]), id="norm2-zero", axis=[1], keepDims=False, order="2",
         note="the gradient of a norm that is 0 is 0")
    for corr in (0, 1):
        case("std", lambda v: torch.std(v, (0, 2), correction=corr, keepdim=True), x, id=f"std{corr}-02k", axis=[0, 2], keepDims=True, correction=corr)
    case("std", lambda v: torch.std(v, 1, correction=0), np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]]), id="std0-same", axis=[1], keepDims=False, correction=0,
         note="the gradient of a deviation that is 0 is 0")
    case("prod", torch.prod, r(2, 3), id="prod-all")
    case("prod", lambda v: torch.prod(v, 1, keepdim=True), r(2, 7, 2), id="prod-1k", axis=[1], keepDims=True)
    case("tile", lambda v: torch.tile(v, (2, 3)), r(2, 2), copies=[2, 3])
    case("tile", lambda v: torch.tile(v, (2, 1, 2)), r(2, 3), id="tile-more", copies=[2, 1, 2])
    case("tile", lambda v: torch.tile(v, (2,)), r(2, 3), id="tile-fewer", copies=[2])
    ties = np.array([[2.0, 1.0, 2.0, 0.0], [0.0, -1.0, -1.0, 3.0]])
    for name, v in (("", x), ("-ties", ties)):
        for axis in (0, -1):
            for descending in (False, True):
                case("sort", lambda t: torch.sort(t, dim=axis, descending=descending, stable=True).values, v,
                     id=f"sort{axis}{'d' if descending else ''}{name}", axis=axis, descending=descending)
    case("topK", lambda t: torch.topk(t, 2, 1).values, x, id="topK-1", k=2, axis=1)
    case("topK", lambda t: torch.topk(t, 3).values, x, id="topK-last", k=3, axis=-1)
    halves = np.array([[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], [-2.51, -1.2, -0.0, 0.49, 1.51, 3.0]])
    for op in ("floor", "ceil", "round"):
        case(op, getattr(torch, op), halves, note="halves go to the even neighbour in round")


def shapes():
    case("matmul", torch.matmul, r(2, 3), r(3, 4))
    case("matmul", torch.matmul, r(2, 2, 3), r(2, 3, 2), id="matmul-batch")
    case("matmul", torch.matmul, r(2, 2, 3), r(3, 2), id="matmul-batchBroadcast")
    case("matmul", torch.matmul, r(2, 3), r(3), id="matmul-vector")
    case("matmul", lambda a, b: a.T @ b, r(3, 2), r(3, 4), id="matmul-ta", transposeA=True, transposeB=False)
    case("matmul", lambda a, b: a @ b.T, r(2, 3), r(4, 3), id="matmul-tb", transposeA=False, transposeB=True)
    case("concat", lambda *v: torch.cat(v, 0), r(1, 3), r(2, 3), id="concat-axis0", axis=0)
    case("concat", lambda *v: torch.cat(v, -1), r(2, 1), r(2, 3), r(2, 2), id="concat-last", axis=-1)
    case("stack", lambda *v: torch.stack(v, 1), r(2, 3), r(2, 3), axis=1)
    case("slice", lambda v: v[1:3, 0:2], r(4, 3), start=[1, 0], end=[3, 2])
    case("slice", lambda v: v[0:4:2, 1:], r(4, 3), id="slice-step", start=[0, 1], end=[4, 3], step=[2, 1])
    case("transpose", lambda v: v.permute(1, 0), r(2, 3), perm=[1, 0])
    case("transpose", lambda v: v.permute(2, 0, 1), r(2, 3, 4), id="transpose-201", perm=[2, 0, 1])
    case("reshape", lambda v: v.reshape(3, 4), r(2, 6), shape=[3, 4])
    case("broadcastTo", lambda v: v.expand(2, 3, 4), r(3, 1), shape=[2, 3, 4])
    case("pad", lambda v: F.pad(v, (1, 2, 0, 1)), r(2, 3), pads=[[0, 1], [1, 2]], value=0)
    case("gatherRows", lambda w, i: F.embedding(i, w), r(5, 3), np.array([4, 0, 4, 2, 4]))
    case("gatherRows", lambda w, i: F.embedding(i, w), r(5, 3), np.array([[1, 1], [3, 1]]), id="gatherRows-2d")
    case("takeAlongAxis", lambda v, i: torch.gather(v, 1, i), r(2, 4), np.array([[3, 0, 3], [1, 1, 1]]), axis=1)
    case("takeAlongAxis", lambda v, i: torch.gather(v, 1, i), r(3, 4), np.array([[2], [0], [3]]), id="takeAlongAxis-labels", axis=1)


def losses():
    """z, target and (where given) weights; the conventions of dense_nets.py: weighted = (1/N) sum w_i l_i."""
    z, y, w = r(4, 3), r(4, 3, lo=-3, hi=3), np.array([0.0, 0.5, 1.0, 2.25])
    soft, hot = np.array([[.5, .25, .25], [1, 0, 0], [0, .125, .875], [.25, .25, .5]]), np.array([2, 0, 1, 1])
    wrap = lambda l, w: (w[0] * (l if l.dim() == 1 else l.mean(1))).mean() if w else l.mean()

    def loss(op, f, target, id, **o):
        for ws, tag in (([], ""), ([w], "-weighted")):
            case(op, lambda t, y, *w: wrap(f(t, y), w), z, target, *ws, id=id + tag, **o)
    loss("mse", lambda t, y: F.mse_loss(t, y, reduction="none"), y, "mse")
    loss("mae", lambda t, y: F.l1_loss(t, y, reduction="none"), y, "mae")
    loss("huber", lambda t, y: F.huber_loss(t, y, reduction="none", delta=1.0), y, "huber", delta=1.0)
    loss("bceWithLogits", lambda t, y: F.binary_cross_entropy_with_logits(t, y, reduction="none"), soft, "bceWithLogits")
    for s, tag in ((0.0, ""), (0.1, "-smooth")):
        loss("crossEntropy", lambda t, y: F.cross_entropy(t, y, reduction="none", label_smoothing=s), hot, "crossEntropy-indices" + tag, labelSmoothing=s)
        loss("crossEntropy", lambda t, y: F.cross_entropy(t, y, reduction="none", label_smoothing=s), soft, "crossEntropy-probs" + tag, labelSmoothing=s)
    sign, count = np.array([[1.0, -1, 1], [-1, -1, 1], [1, 1, 1], [-1, 1, -1]]), np.array([[0.0, 1, 3], [2, 0, 1], [5, 1, 0], [1, 1, 2]])
    loss("hinge", lambda t, y: torch.clamp(1 - y * t, min=0), sign, "hinge")
    loss("hinge", lambda t, y: torch.clamp(0.5 - y * t, min=0), sign, "hinge-margin", margin=0.5)
    loss("hinge", lambda t, y: F.multi_margin_loss(t, y, reduction="none"), hot, "hinge-labels")
    loss("klDivergence", lambda t, y: F.kl_div(F.log_softmax(t, 1), y, reduction="none").sum(1), np.array([[.5, .25, .25], [.125, .75, .125], [.0625, .0625, .875], [.25, .25, .5]]), "klDivergence")
    loss("poisson", lambda t, y: F.poisson_nll_loss(t, y, reduction="none"), count, "poisson")
    for q in (0.1, 0.9):
        loss("quantile", lambda t, y: torch.maximum(q * (y - t), (q - 1) * (y - t)), y, f"quantile-{q}", q=q)
    loss("focal", lambda t, y: (1 - t.softmax(1)[torch.arange(4), y]) ** 2 * F.cross_entropy(t, y, reduction="none"), hot, "focal-labels", gamma=2)
    def sigmoid_focal(t, y, alpha, gamma):
        # torchvision.ops.sigmoid_focal_loss
        p, ce = t.sigmoid(), F.binary_cross_entropy_with_logits(t, y, reduction="none")
        p_t = p * y + (1 - p) * (1 - y)
        return (alpha * y + (1 - alpha) * (1 - y)) * ce * (1 - p_t) ** gamma
    one = r(4, 1)
    for ws, tag in (([], ""), ([w], "-weighted")):
        case("focal", lambda t, y, *w: wrap(sigmoid_focal(t, y, 0.25, 1.5), w), one, np.array([[1.0], [0], [1], [0]]), *ws, id="focal-one" + tag, gamma=1.5, alpha=0.25)
    loss("cosineDistance", lambda t, y: F.cosine_embedding_loss(t, y, torch.ones(4), reduction="none"), y, "cosineDistance")
    def hadsell(a, b, alike, margin=1.0):
        d = F.pairwise_distance(a, b)
        return (0.5 * (alike * d**2 + (1 - alike) * torch.clamp(margin - d, min=0) ** 2)).mean()
    case("contrastive", hadsell, r(4, 3), r(4, 3), np.array([1, 0, 1, 0]), id="contrastive")
    case("contrastive", lambda a, b, y: hadsell(a, b, y, 4.0), r(4, 3), r(4, 3), np.array([1, 0, 0, 0]), id="contrastive-margin", margin=4)
    case("triplet", lambda a, p, n: F.triplet_margin_loss(a, p, n), r(4, 3), r(4, 3), r(4, 3), id="triplet")
    case("triplet", lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=3), r(4, 3), r(4, 3), r(4, 3), id="triplet-margin", margin=3)


def main():
    for f in (unary, binary, reductions, shapes, losses, norms_and_order):
        f()
    assert len(set(IDS)) == len(IDS), [i for i in IDS if IDS.count(i) > 1]
    if ARGS.only:
        return merge(ARGS.out, plain(CASES))
    write(ARGS.out, dict(format="ops/1", doc=__doc__.strip(), versions=common.VERSIONS, dtype="float64"), CASES)


if __name__ == "__main__":
    main()
