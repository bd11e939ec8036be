#!/usr/bin/env python3
"""Whole training runs of small dense networks by PyTorch, in float64.

Usage: python dense_nets.py [out.json]      (CPU, one thread, deterministic, some seconds)

Layer l computes a_l = act_l(a_{l-1} W_l + b_l); W_l is [in, out] row-major (the transpose of torch's Linear.weight).
losses[k] is the loss on the rows batches[k] BEFORE update k+1; grads is the gradient of losses[0]; final is after the
last update. Every start number (weights, biases, x, targets, sampleWeights) is a multiple of 2^-10, hence exact in float32.

Losses. mse, mae, huber, bce (with logits; targets in [0,1]): mean over ALL elements. crossEntropy (softmax over the
last axis, on logits): mean over rows; labelSmoothing s turns the target p into (1-s) p + s / classes. With
sampleWeights w: (1/N) sum_i w_i l_i over the N rows of the batch (NOT divided by sum w), l_i = mean over the
outputs of row i for mse/mae/huber/bce. huber: 0.5 d^2 if |d| <= delta else delta (|d| - 0.5 delta).

Optimizers (torch.optim names and options, every option explicit; weight_decay hits the biases too). With t from 1:
  SGD      g += wd p; buf = g at t = 1, else momentum buf + (1-dampening) g; d = nesterov ? g + momentum buf : buf; p -= lr d
  RMSprop  g += wd p; v = alpha v + (1-alpha) g^2; centered: m = alpha m + (1-alpha) g, v' = v - m^2, else v' = v;
           d = g / (sqrt(v') + eps); momentum > 0: buf = momentum buf + d, p -= lr buf; else p -= lr d
  Adam     g += wd p; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; amsgrad: v' = running max of v, else v' = v;
           p -= lr / (1-b1^t) m / (sqrt(v') / sqrt(1-b2^t) + eps)
  AdamW    p *= 1 - lr wd first, then Adam without the g += wd p

Tolerances. drift32: the same run in float32 by torch against float64: loss[k] = |l32-l64| / |l64|, maxLoss its maximum,
weights = max |w32-w64| over final weights and biases. spread32 / spread64: the maxima of the same three over 8 further
float32 / float64 runs with hidden units and rows within a batch permuted (the same mathematics summed in another
order; the float64 ones also start ~1e-15 relative away). A sound implementation is one more such run:
  tol64.loss = max(1e-12, 100 spread64.maxLoss),             tol64.weights = max(1e-12, 100 spread64.weights)
  tol32.loss = max(2e-6, 8 max(drift32, spread32).maxLoss),  tol32.weights = max(2e-6, 8 max(drift32, spread32).weights)
compare |l-l*| <= tol.loss |l*| at every step and max |w-w*| <= tol.weights.
"""
import sys
from common import VERSIONS, dyadic, np, out_path, torch, write

F = torch.nn.functional
ACT = {
    "relu": lambda x, o: F.relu(x),
    "leakyRelu": lambda x, o: F.leaky_relu(x, o["slope"]),
    "sigmoid": lambda x, o: torch.sigmoid(x),
    "tanh": lambda x, o: torch.tanh(x),
    "gelu": lambda x, o: F.gelu(x),  # the erf form
    "silu": lambda x, o: F.silu(x),
    "softplus": lambda x, o: F.softplus(x, threshold=1e4),  # no linear shortcut above 20
    "elu": lambda x, o: F.elu(x, o["alpha"]),
    "mish": lambda x, o: F.mish(x),
    "selu": lambda x, o: F.selu(x),
    "linear": lambda x, o: x,
}
ACT_OPT = {"leakyRelu": {"slope": 0.01}, "elu": {"alpha": 1.0}}
SGD = dict(lr=0.1, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0)
RMS = dict(lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False)
ADAM = dict(lr=0.01, betas=[0.9, 0.999], eps=1e-8, weight_decay=0.0, amsgrad=False)
OPT = {"SGD": (torch.optim.SGD, SGD), "RMSprop": (torch.optim.RMSprop, RMS), "Adam": (torch.optim.Adam, ADAM), "AdamW": (torch.optim.AdamW, ADAM)}


def spec(id, sizes, acts, loss, targets, opt, batch, n=12, steps=72, weighted=False, **options):
    """loss options go in `loss`, optimizer options in **options over the defaults above; batch: rows a step."""
    return dict(id=id, sizes=sizes, acts=acts, loss=loss, targets=targets, opt=opt, batch=batch, n=n, steps=steps, weighted=weighted, options=options)


CE, MSE, MAE, HUBER, BCE = ({"name": k} for k in ("crossEntropy", "mse", "mae", "huber", "bce"))
SPECS = [
    spec("relu-ce-sgd-full", [4, 8, 3], "relu linear", CE, "indices", "SGD", 12, lr=0.3),
    spec("leakyRelu-ceProb-momentum-ragged", [5, 7, 6, 2], "leakyRelu leakyRelu linear", CE, "probabilities", "SGD", 5, lr=0.05, momentum=0.9),
    spec("sigmoid-bce-nesterov-full", [4, 8, 3], "sigmoid linear", BCE, "bits", "SGD", 12, lr=0.2, momentum=0.9, nesterov=True),
    spec("tanh-mse-rmsprop-one", [3, 6, 2], "tanh linear", MSE, "values", "RMSprop", 1, lr=0.005),
    spec("gelu-ceSmooth-adam-ragged", [4, 8, 3], "gelu linear", {**CE, "labelSmoothing": 0.1}, "indices", "Adam", 5, lr=0.02),
    spec("silu-huber-adamL2-ragged", [5, 7, 6, 2], "silu silu linear", {**HUBER, "delta": 1.0}, "wide", "Adam", 7, weight_decay=0.05),
    spec("softplus-mae-adamw-full", [4, 8, 3], "softplus linear", MAE, "values", "AdamW", 11, n=11, lr=0.01, weight_decay=0.1),  # odd n: signs never cancel to 0
    spec("elu-ceWeighted-adamw-ragged", [5, 7, 6, 4], "elu elu linear", CE, "indices", "AdamW", 5, weighted=True, weight_decay=0.05),
    spec("linear-mse-sgd-full", [5, 2], "linear", MSE, "values", "SGD", 12, lr=0.1),
    spec("sigmoidOut-mseWeighted-sgdL2-ragged", [4, 6, 2], "tanh sigmoid", MSE, "bits", "SGD", 5, weighted=True, lr=0.5, momentum=0.8, dampening=0.2, weight_decay=0.01),
    spec("tanh-bceWeighted-rmspropCentered-one", [4, 6, 1], "tanh linear", BCE, "soft", "RMSprop", 1, weighted=True, lr=0.002, centered=True, momentum=0.5, alpha=0.9, eps=1e-3),
    spec("elu-ceProbSmoothWeighted-amsgrad-ragged", [4, 8, 3], "elu linear", {**CE, "labelSmoothing": 0.1}, "probabilities", "Adam", 7, weighted=True, amsgrad=True, lr=0.03),
    spec("deep-ce-adam-ragged", [4, 6, 5, 5, 4, 3], "relu tanh silu gelu linear", CE, "indices", "Adam", 5),
    spec("softplusOut-huberWeighted-rmsprop-one", [3, 5, 2], "gelu softplus", {**HUBER, "delta": 0.5}, "wide", "RMSprop", 1, weighted=True, lr=0.003),
    spec("leakyRelu-mae-momentum-ragged", [4, 8, 2], "leakyRelu linear", MAE, "wide", "SGD", 5, lr=0.01, momentum=0.9),
]


def build(s, seed):
    rng = np.random.default_rng([20191121, seed])
    L, n, k = len(s["sizes"]) - 1, s["n"], s["sizes"][-1]
    c = dict(id=s["id"], sizes=s["sizes"], activations=[dict(name=a, **ACT_OPT.get(a, {})) for a in s["acts"].split()])
    assert len(c["activations"]) == L
    c["weights"], c["biases"] = [], []
    for i, o in zip(s["sizes"], s["sizes"][1:]):
        r = np.sqrt(6 / (i + o))
        c["weights"].append(dyadic(rng.uniform(-r, r, (i, o)), 10))
        c["biases"].append(dyadic(rng.uniform(-0.3, 0.3, o), 10))
    c["x"] = dyadic(rng.standard_normal((n, s["sizes"][0])), 8)
    kind = s["targets"]
    if kind == "indices":
        y = rng.permutation(np.arange(n) % k)
    elif kind == "probabilities":  # multiples of 1/256 that sum to exactly 1
        y = np.floor(rng.dirichlet(np.ones(k), n) * 256) / 256
        y[:, 0] += 1 - y.sum(1)
    elif kind == "bits":
        y = rng.integers(0, 2, (n, k)).astype(float)
    elif kind == "soft":  # hard and soft labels for bce
        y = rng.integers(0, 5, (n, k)) / 4
    else:  # values; "wide" ones cross huber's delta on both sides
        y = dyadic(rng.standard_normal((n, k)) * (2 if kind == "wide" else 1), 8)
    c["targets"] = dict(kind=kind if kind in ("indices", "probabilities") else "values", data=y)
    if s["weighted"]:
        c["sampleWeights"] = rng.integers(0, 9, n) / 4
        c["sampleWeights"][:2] = 0.0, 1.0
    for a in (c["x"], y, *c["weights"], *c["biases"]):
        assert (a == a.astype(np.float32)).all()
    c["loss"] = s["loss"]
    c["optimizer"] = dict(name=s["opt"], options={**OPT[s["opt"]][1], **s["options"]})
    c["batches"] = []
    while len(c["batches"]) < s["steps"]:
        p = np.arange(n) if s["batch"] == n else rng.permutation(n)
        c["batches"] += [p[i:i + s["batch"]].tolist() for i in range(0, n, s["batch"])]
    c["batches"] = c["batches"][:s["steps"]]
    return c


def loss_of(c, z, y, w):
    o = c["loss"]
    red = "mean" if w is None else "none"
    if o["name"] == "crossEntropy":
        l = F.cross_entropy(z, y, reduction=red, label_smoothing=o.get("labelSmoothing", 0.0))
    elif o["name"] == "mse":
        l = F.mse_loss(z, y, reduction=red)
    elif o["name"] == "mae":
        l = F.l1_loss(z, y, reduction=red)
    elif o["name"] == "huber":
        l = F.huber_loss(z, y, reduction=red, delta=o["delta"])
    else:
        l = F.binary_cross_entropy_with_logits(z, y, reduction=red)
    return l if w is None else (w * (l if l.dim() == 1 else l.mean(1))).mean()


def run(c, dtype, rng=None):
    """Train; with rng: permute the hidden units and the rows of each batch, and in float64 move the start by ~1e-15."""
    sizes = c["sizes"]
    perm = [np.arange(n) if rng is None or i in (0, len(sizes) - 1) else rng.permutation(n) for i, n in enumerate(sizes)]
    Ws = [w[perm[i]][:, perm[i + 1]] for i, w in enumerate(c["weights"])]
    bs = [b[perm[i + 1]] for i, b in enumerate(c["biases"])]
    if rng is not None and dtype == torch.float64:
        Ws, bs = ([a * (1 + 1e-15 * rng.uniform(-1, 1, a.shape)) for a in v] for v in (Ws, bs))
    layers = []
    for w, b in zip(Ws, bs):
        lin = torch.nn.Linear(*w.shape, dtype=dtype)
        with torch.no_grad():
            lin.weight.copy_(torch.tensor(w.T))
            lin.bias.copy_(torch.tensor(b))
        layers.append(lin)
    params = [p for l in layers for p in (l.weight, l.bias)]
    make, _ = OPT[c["optimizer"]["name"]]
    opt = make(params, **c["optimizer"]["options"])
    x = torch.tensor(c["x"], dtype=dtype)
    y = torch.tensor(c["targets"]["data"], dtype=torch.int64 if c["targets"]["kind"] == "indices" else dtype)
    w = torch.tensor(c["sampleWeights"], dtype=dtype) if "sampleWeights" in c else None

    def read(get):  # back to [in, out] and to the unpermuted order
        inv = [np.argsort(p) for p in perm]
        ws = [get(l.weight).detach().double().numpy().T[inv[i]][:, inv[i + 1]] for i, l in enumerate(layers)]
        return dict(weights=ws, biases=[get(l.bias).detach().double().numpy()[inv[i + 1]].copy() for i, l in enumerate(layers)])

    losses, grads = [], None
    for rows in c["batches"]:
        rows = torch.tensor(rows if rng is None else rng.permutation(rows))
        a = x[rows]
        for l, act in zip(layers, c["activations"]):
            a = ACT[act["name"]](l(a), act)
        opt.zero_grad()
        loss = loss_of(c, a, y[rows], None if w is None else w[rows])
        loss.backward()
        losses.append(loss.item())
        grads = grads or read(lambda p: p.grad)
        opt.step()
    return dict(losses=losses, grads=grads, final=read(lambda p: p))


def g2(v):
    return float(f"{v:.2g}")


def distance(r, ref):
    rel = [abs(a - b) / abs(b) if a != b else 0.0 for a, b in zip(r["losses"], ref["losses"])]
    wd = max(float(np.abs(a - b).max()) for k in ("weights", "biases") for a, b in zip(r["final"][k], ref["final"][k]))
    return dict(loss=[g2(v) for v in rel], maxLoss=g2(max(rel)), weights=g2(wd))


def spread(c, dtype, ref, seed):
    ds = [distance(run(c, dtype, np.random.default_rng([seed, j])), ref) for j in range(8)]
    return {k: max(d[k] for d in ds) for k in ("maxLoss", "weights")}


def main():
    cases = []
    for i, s in enumerate(SPECS):
        c = build(s, i)
        ref = run(c, torch.float64)
        d32 = distance(run(c, torch.float32), ref)
        s32, s64 = spread(c, torch.float32, ref, i), spread(c, torch.float64, ref, i)
        tol64 = {k: g2(max(1e-12, 100 * s64[m])) for k, m in (("loss", "maxLoss"), ("weights", "weights"))}
        tol32 = {k: g2(max(2e-6, 8 * max(d32[m], s32[m]))) for k, m in (("loss", "maxLoss"), ("weights", "weights"))}
        for k in ("weights", "biases"):  # flat rows for compactness; shapes follow from sizes
            for o in (c, ref["grads"], ref["final"]):
                o[k] = [a.reshape(-1) for a in o[k]]
        c.update(ref, drift32=d32, spread32=s32, spread64=s64, tol64=tol64, tol32=tol32)
        cases.append(c)
        print(f"{c['id']:42} {ref['losses'][0]:8.4f} -> {ref['losses'][-1]:8.4f}  drift32 {d32['maxLoss']:.1e} {d32['weights']:.1e}  "
              f"spread32 {s32['maxLoss']:.1e} {s32['weights']:.1e}  spread64 {s64['maxLoss']:.1e} {s64['weights']:.1e}")
    write(out_path(__file__, sys.argv, "dense_nets.json"), dict(format="dense-nets/1", doc=__doc__.strip(), versions=VERSIONS, dtype="float64"), cases)


if __name__ == "__main__":
    main()
