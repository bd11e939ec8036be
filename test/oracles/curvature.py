"""Second and higher derivatives by JAX in float64: test/oracles/curvature.json. About two minutes for all;
`--only REGEX` computes the cases whose name (their stages, or activation and loss, joined by commas) matches, and leaves all other
lines as they are. Run with
`python3 -m venv V && V/bin/pip install jax[cpu]==0.10.2 numpy==2.4.6`, then `V/bin/python curvature.py`.

`chains`: y = stages applied one after the other to x[3, 4] (every operation is a stage), f(x) = sum(W*y) + logsumexp(y) with
W_i = cos(1 + i). `nets`: two dense layers on theta = x[3,4], w1[4,3], b1[3], w2[3,2], b2[2] and every loss.
"""
import platform
import common
from common import arguments, chosen, line, merge, np, origin, rng_of
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
from jax.scipy.special import logsumexp, erf

C = jnp.asarray(np.round(np.cos(np.arange(12) * 1.7) * 2**8) / 2**8).reshape(3, 4)
MASK = jnp.asarray([[1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]])

ACT = dict(
    linear=lambda x: x,
    relu=jax.nn.relu,
    leakyRelu=lambda x: jax.nn.leaky_relu(x, 0.01),
    sigmoid=jax.nn.sigmoid,
    tanh=jnp.tanh,
    gelu=lambda x: jax.nn.gelu(x, approximate=False),
    silu=jax.nn.silu,
    softplus=jax.nn.softplus,
    elu=jax.nn.elu,
    mish=jax.nn.mish,
    selu=jax.nn.selu,
)

STAGES = dict(
    abs=lambda x: jnp.abs(x),
    add=lambda x: x + C,
    clip=lambda x: jnp.clip(x, -0.7, 0.9) * x,
    cos=lambda x: jnp.cos(x),
    div=lambda x: x / (1.5 + jnp.cos(x)),
    divRow=lambda x: x / (1.5 + jnp.cos(x[0])),
    erf=lambda x: erf(x),
    exp=lambda x: jnp.exp(0.3 * x),
    log=lambda x: jnp.log(1.5 + x * x),
    maximum=lambda x: jnp.maximum(x, C) * x,
    minimum=lambda x: jnp.minimum(x, C) * x,
    mul=lambda x: x * jnp.sin(x),
    neg=lambda x: -x,
    pow=lambda x: (1.2 + x * x) ** 1.5,
    powTensor=lambda x: (1.2 + x * x) ** (0.5 * x),
    reciprocal=lambda x: 1 / (2 + jnp.cos(x)),
    sign=lambda x: jnp.sign(x) * x * x,
    sin=lambda x: jnp.sin(x),
    sqrt=lambda x: jnp.sqrt(1 + x * x),
    square=lambda x: x * x,
    sub=lambda x: x - jnp.mean(x, 0),
    greater=lambda x: x * (x > C),
    greaterEqual=lambda x: x * x * (x >= C),
    equal=lambda x: x * (1 + (x == x)),
    where=lambda x: jnp.where(MASK != 0, x, jnp.sin(x)),
    broadcastTo=lambda x: jnp.broadcast_to(jnp.mean(x * x, 0), (3, 4)) * x,
    gather=lambda x: x[jnp.array([2, 0, 2])] * x,
    argmax=lambda x: x[jnp.argmax(x, 0)][:3] * x,
    matmul=lambda x: x @ (x.T @ x) * 0.2,
    matmulTA=lambda x: x @ (x.T @ x) * 0.2 + x,
    matmulTB=lambda x: (x @ x.T) @ x * 0.2,
    matmulTT=lambda x: (x.T @ (x @ x.T).T).T * 0.2,
    max=lambda x: x * jnp.max(x, 1, keepdims=True),
    min=lambda x: x * jnp.min(x, 0, keepdims=True),
    mean=lambda x: x * jnp.mean(x, 1, keepdims=True),
    sum=lambda x: 0.2 * x * jnp.sum(x, 0, keepdims=True),
    variance=lambda x: x / jnp.sqrt(0.5 + jnp.var(x, 1, ddof=1, keepdims=True)),
    logSumExp=lambda x: x * logsumexp(x, 1, keepdims=True),
    concat=lambda x: jnp.concatenate([x[:, 2:], x[:, :2]], 1) * x,
    reshape=lambda x: (x.reshape(4, 3) @ x.reshape(3, 4)[:, :3]).reshape(3, 4) * 0.3,
    slice=lambda x: x * x[:, 1:2],
    stack=lambda x: jnp.stack([x[2], x[0], x[1]]) * x,
    transpose=lambda x: jnp.transpose(jnp.transpose(x) * x.reshape(4, 3)),
    softmax=lambda x: jax.nn.softmax(x, -1),
    logSoftmax=lambda x: jax.nn.log_softmax(x, -1),
    **{f"activate.{k}": f for k, f in ACT.items()},
    less=lambda x: x * (x < C),
    lessEqual=lambda x: x * x * (x <= C),
    argmin=lambda x: x[jnp.argmin(x, 0)][:3] * x,
    split=lambda x: jnp.concatenate(jnp.split(x, [1, 3], 1)[::-1], 1) * x,
    squeeze=lambda x: jnp.squeeze((x * x)[None, :, None], (0, 2)),
    expandDims=lambda x: jnp.sum(jnp.expand_dims(x, 1) * jnp.expand_dims(x, 0), 0) * 0.3,
    norm=lambda x: x / (0.5 + jnp.linalg.norm(x, axis=1, keepdims=True)),
    std=lambda x: x / (0.5 + jnp.std(x, 0, keepdims=True)),
    prod=lambda x: 0.5 * x * jnp.prod(x, 1, keepdims=True),
    tile=lambda x: jnp.tile(x[:1], (3, 1)) * x,
    sort=lambda x: jnp.sort(x, 0) * x,
    argsort=lambda x: x[jnp.argsort(x[:, 1])] * x,
    topK=lambda x: jax.lax.top_k(x, 1)[0] * x,
    floor=lambda x: x * x * jnp.floor(x),
    ceil=lambda x: x * x * jnp.ceil(x),
    round=lambda x: x * x * jnp.round(2 * x),
    gatherAlong=lambda x: jnp.take_along_axis(x, jnp.array([[3, 0, 3, 1], [1, 1, 1, 2], [0, 2, 0, 0]]), 1) * x,
    cumsum=lambda x: jnp.cumsum(x, -1),
)

# No kinks: the third and fourth derivatives are compared as well.
ROUGH = {"abs", "clip", "maximum", "minimum", "sign", "greater", "greaterEqual", "equal", "argmax", "less", "lessEqual", "argmin", "max", "min",
         "sort", "argsort", "topK", "floor", "ceil", "round",
         "activate.relu", "activate.leakyRelu", "activate.elu", "activate.selu"}


def outer(y):
    w = jnp.cos(1 + jnp.arange(y.size, dtype=jnp.float64)).reshape(y.shape)
    return jnp.sum(w * y) + logsumexp(y)


def dyadic(a, bits=10):
    return np.round(np.asarray(a) * 2**bits) / 2**bits


def hvp(f, x, v):
    return jax.jvp(jax.grad(f), (x,), (v,))[1]


def along(f, x, v, order):
    g = lambda t: f(x + t * v)
    out = []
    for _ in range(order):
        g = jax.grad(g)
        out.append(g(0.0))
    return out


def gnvp(f, loss, x, v):
    y, jv = jax.jvp(f, (x,), (v,))
    return jax.vjp(f, x)[1](hvp(loss, y, jv))[0]


def chain(names, rng, full):
    def y(x):
        for n in names:
            x = STAGES[n](x)
        return x
    f = lambda x: outer(y(x))
    x, v = [jnp.asarray(dyadic(rng.uniform(-1.5, 1.5, (3, 4)))) for _ in range(2)]
    out, tangent = jax.jvp(y, (x,), (v,))
    case = dict(stages=names, x=x, v=v, y=out, jvp=tangent, vjp=jax.vjp(y, x)[1](v)[0], value=f(x), gradient=jax.grad(f)(x),
                hvp=hvp(f, x, v), gnvp=gnvp(y, outer, x, v))
    if not ROUGH & set(names):
        case["along"] = along(f, x, v, 4)
        case["third"] = jax.grad(lambda x: jnp.sum(v * hvp(f, x, v)))(x)
    if full:
        case["jacobian"] = jax.jacrev(y)(x).reshape(12, 12)
        case["hessian"] = jax.hessian(f)(x).reshape(12, 12)
    return case


T2 = jnp.asarray([[0.25, 0.75], [0.625, 0.375], [0.125, 0.5]])
LABELS = jnp.array([1, 0, 1])
ROWS = jnp.asarray([1.0, 0.5, 2.0])


def binary(p, t):
    return jnp.maximum(p, 0) - p * t + jnp.log1p(jnp.exp(-jnp.abs(p)))


LOSSES = {
    "mse": lambda p: jnp.mean((p - T2) ** 2),
    "mse, weights": lambda p: jnp.mean(ROWS[:, None] * (p - T2) ** 2),
    "mae": lambda p: jnp.mean(jnp.abs(p - T2)),
    "huber": lambda p: jnp.mean(jnp.where(jnp.abs(p - T2) <= 0.5, 0.5 * (p - T2) ** 2, 0.5 * (jnp.abs(p - T2) - 0.25))),
    "binaryCrossEntropy": lambda p: jnp.mean(binary(p, 0.9 * T2 + 0.05)),
    "crossEntropy": lambda p: -jnp.mean(jax.nn.log_softmax(p)[jnp.arange(3), LABELS]),
    "crossEntropy, weights, smoothed, summed": lambda p: -jnp.sum(
        ROWS * jnp.sum((0.8 * jax.nn.one_hot(LABELS, 2) + 0.1) * jax.nn.log_softmax(p), 1)),
    "crossEntropy of probabilities": lambda p: -jnp.mean(jnp.sum((0.9 * T2 + 0.05) * jax.nn.log_softmax(p), 1)),
}


def net(act, loss, rng):
    def out(t):
        x, w1, b1, w2, b2 = t[:12].reshape(3, 4), t[12:24].reshape(4, 3), t[24:27], t[27:33].reshape(3, 2), t[33:35]
        return ACT[act](x @ w1 + b1) @ w2 + b2
    f = lambda t: LOSSES[loss](out(t))
    t, v = [jnp.asarray(dyadic(rng.uniform(-1, 1, 35))) for _ in range(2)]
    return dict(activation=act, loss=loss, theta=t, v=v, value=f(t), gradient=jax.grad(f)(t), hvp=hvp(f, t, v),
                gnvp=gnvp(out, LOSSES[loss], t, v), eigenvalues=jnp.linalg.eigvalsh(jax.hessian(f)(t)))


def plain(v):
    """Lists are flat here."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (jax.Array, np.ndarray)):
        return common.plain(np.asarray(v).ravel())
    return [plain(x) for x in v] if isinstance(v, (list, tuple)) else common.plain(v)


def stages_of(case):
    return ",".join(case["stages"])


def net_of(case):
    return f"{case['activation']}, {case['loss']}"


ARGS = arguments(__file__, "curvature.json", __doc__)
NAMES = list(STAGES)
# Every stage alone, and with the two before it in the table; some longer chains of smooth ones. So that a new stage changes no other
# case, it belongs at the end of the table, and the random numbers of a case depend on its name alone.
lists = [[n] for n in NAMES] + [NAMES[i - 2:i + 1] for i in range(2, len(NAMES), 3)]
smooth = [n for n in NAMES if n not in ROUGH]
lists += [smooth[i:i + 4] for i in range(0, 40, 4)]
kinds = [(a, l) for a in ACT for l in (LOSSES if a in ("tanh", "relu") else ["mse", "crossEntropy"])]
MADE = dict(origin=origin("jax"))
chains = [{**chain(names, rng_of(",".join(names)), len(names) == 3 and i % 3 == 0), **MADE} for i, names in enumerate(lists) if chosen(ARGS, ",".join(names))]
nets = [{**net(a, l, rng_of(f"{a}, {l}")), **MADE} for a, l in kinds if chosen(ARGS, f"{a}, {l}")]
if ARGS.only:
    merge(ARGS.out, plain(chains), stages_of, "chains")
    merge(ARGS.out, plain(nets), net_of, "nets")
else:
    head = dict(doc=__doc__, versions=dict(python=platform.python_version(), jax=jax.__version__, numpy=np.__version__),
                constant=C, chains=None, nets=None)
    enc = lambda v: line(plain(v))
    with open(ARGS.out, "w") as out:
        out.write("{" + ",\n".join(f'"{k}":' + (enc(v) if v is not None else "[\n" + ",\n".join(enc(c) for c in globals()[k]) + "\n]")
                                  for k, v in head.items()) + "}\n")
    print(len(chains), "chains", len(nets), "nets")
