"""Recurrent layers by PyTorch in float64: outputs, last states, gradients and second derivatives, for sequences of different lengths, both directions
and given first states. The GRU whose reset comes before the product (Cho et al. 2014) and the cases with a mask that has holes are formulas in
PyTorch's operations.

Weights are in PyTorch's layout and gate order, [gates · units, inputs]. Needs torch==2.15.0 and NumPy. Writes recurrent.json.
"""
import json, pathlib, platform

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
here = pathlib.Path(__file__).parent
KINDS = dict(SimpleRNN=torch.nn.RNN, GRU=torch.nn.GRU, LSTM=torch.nn.LSTM)
ROWS, STEPS, INPUTS, UNITS = 3, 4, 2, 3


def gru_before(x, h, w, u, b, mask):
    """n = tanh(x W_n + b_n + (r * h) U_n), with the gates r, z, n; a step whose mask is 0 keeps the state."""
    outputs = []
    for t in range(x.shape[1]):
        i = x[:, t] @ w.T + b
        r, z = torch.sigmoid(i[:, : 2 * UNITS] + h @ u[: 2 * UNITS].T).chunk(2, 1)
        n = torch.tanh(i[:, 2 * UNITS :] + (r * h) @ u[2 * UNITS :].T)
        m = mask[:, t : t + 1]
        new = (1 - z) * n + z * h
        outputs.append(m * new)
        h = m * new + (1 - m) * h
    return torch.stack(outputs, 1), h


def lstm_with_holes(x, h, c, w, u, b, mask):
    outputs = []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ w.T + b + h @ u.T).chunk(4, 1)
        new_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        new_h = torch.sigmoid(o) * torch.tanh(new_c)
        m = mask[:, t : t + 1]
        outputs.append(m * new_h)
        h, c = m * new_h + (1 - m) * h, m * new_c + (1 - m) * c
    return torch.stack(outputs, 1), torch.cat([h, c], 1)


def case(name, kind, bidirectional=False, lengths=None, initial=False, mask=None, seed=0):
    rng = np.random.default_rng(seed)
    draw = lambda *shape: torch.tensor(np.round(rng.normal(size=shape), 3), requires_grad=True)
    gates = dict(SimpleRNN=1, GRU=3, GRUBefore=3, LSTM=4)[kind]
    parts = 2 if kind == "LSTM" else 1
    ways = 2 if bidirectional else 1
    x = draw(ROWS, STEPS, INPUTS)
    weights = {}
    for suffix in ["", "_reverse"][:ways]:
        weights["weight_ih_l0" + suffix] = draw(gates * UNITS, INPUTS)
        weights["weight_hh_l0" + suffix] = draw(gates * UNITS, UNITS)
        weights["bias_ih_l0" + suffix] = draw(gates * UNITS)
        # one bias is enough but for a GRU's candidate: the others stay 0, and have no gradient here
        rest = torch.zeros(gates * UNITS)
        if kind == "GRU":
            candidate = draw(UNITS)
            weights["candidate" + suffix] = candidate
    state = draw(ROWS, ways * parts * UNITS) if initial else torch.zeros(ROWS, ways * parts * UNITS)
    m = None if mask is None else torch.tensor(mask, dtype=torch.float64)

    def run():
        if kind == "GRUBefore":
            full = torch.ones(ROWS, STEPS) if m is None else m
            return gru_before(x, state, weights["weight_ih_l0"], weights["weight_hh_l0"], weights["bias_ih_l0"], full)
        if m is not None:
            return lstm_with_holes(x, *state.chunk(2, 1), weights["weight_ih_l0"], weights["weight_hh_l0"], weights["bias_ih_l0"], m)
        net = KINDS[kind](INPUTS, UNITS, batch_first=True, bidirectional=bidirectional)
        own = {n: w for n, w in weights.items() if not n.startswith("candidate")}
        for suffix in ["", "_reverse"][:ways]:
            c = weights.get("candidate" + suffix)
            own["bias_hh_l0" + suffix] = rest if c is None else torch.cat([rest[: 2 * UNITS], c])
        given = x if lengths is None else pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        # [rows, ways * parts * units] to [ways, rows, units] for h, and for c
        split = state.reshape(ROWS, ways, parts, UNITS).permute(2, 1, 0, 3).contiguous()
        out, last = torch.func.functional_call(net, own, (given, tuple(split) if parts == 2 else split[0]))
        if lengths is not None:
            out, _ = pad_packed_sequence(out, batch_first=True, total_length=STEPS)
        last = torch.stack(last) if parts == 2 else last[None]
        return out, last.permute(2, 1, 0, 3).reshape(ROWS, ways * parts * UNITS)

    leaves = dict(x=x, **weights, **(dict(initial=state) if initial else {}))
    out, last = run()
    d_out, d_last = (torch.tensor(np.round(rng.normal(size=t.shape), 3)) for t in (out, last))
    first = torch.autograd.grad((out * d_out).sum() + (last * d_last).sum(), list(leaves.values()), create_graph=True)
    directions = {n: torch.tensor(np.round(rng.normal(size=t.shape), 3)) for n, t in leaves.items()}
    along = sum((g * d).sum() for g, d in zip(first, directions.values()))
    second = torch.autograd.grad(along, list(leaves.values()))
    numbers = lambda t: dict(shape=list(t.shape), values=[float(v) for v in t.detach().reshape(-1)])
    return dict(
        name=name, kind=kind, bidirectional=bidirectional, lengths=lengths, mask=mask,
        leaves={n: numbers(t) for n, t in leaves.items()}, output=numbers(out), state=numbers(last),
        outputGradient=numbers(d_out), stateGradient=numbers(d_last),
        gradients={n: numbers(g) for n, g in zip(leaves, first)},
        directions={n: numbers(d) for n, d in directions.items()},
        seconds={n: numbers(s) for n, s in zip(leaves, second)},
    )


def curve(kind, optimizer, steps=40, both=False):
    """
    Losses of a small net that says the next value of sines, from given weights. One bias is trained where one is enough. `both`: of both directions,
    with gradients of norm .05 at most and a learning rate that falls to zero.
    """
    torch.manual_seed(5)
    units = 6
    layer, head = KINDS[kind](1, units, batch_first=True, bidirectional=both), torch.nn.Linear((1 + both) * units, 1)
    phase = torch.linspace(0, 5, 8)[:, None] + 0.5 * torch.arange(11)
    x, y = torch.sin(phase[:, :10, None]), torch.sin(phase[:, 10:])
    hidden = [layer.bias_hh_l0, *([layer.bias_hh_l0_reverse] if both else [])]
    trained = torch.zeros_like(hidden[0])
    if kind == "GRU":
        trained[2 * units :] = 1
    with torch.no_grad():
        for bias in hidden:
            bias *= trained
    first = {n: t.detach().clone() for n, t in [*layer.state_dict().items(), *((f"head.{n}", t) for n, t in head.state_dict().items())]}
    method = optimizer([*layer.parameters(), *head.parameters()])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(method, steps)
    losses = []
    for _ in range(steps):
        last = torch.cat(list(layer(x)[1]), 1) if both else layer(x)[0][:, -1]
        loss = ((head(last) - y) ** 2).mean()
        method.zero_grad()
        loss.backward()
        for bias in hidden:
            bias.grad *= trained
        if both:
            torch.nn.utils.clip_grad_norm_([*layer.parameters(), *head.parameters()], 0.05)
        method.step()
        if both:
            schedule.step()
        losses.append(float(loss.detach()))
    numbers = lambda t: dict(shape=list(t.shape), values=[float(v) for v in t.detach().reshape(-1)])
    return dict(kind=kind, both=both, inputs=numbers(x), targets=numbers(y), first={n: numbers(t) for n, t in first.items()}, losses=losses)


LENGTHS = [2, 4, 1]
HOLES = [[1, 0, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1]]
cases = []
for seed, kind in enumerate(["SimpleRNN", "GRU", "LSTM"]):
    cases.append(case(f"{kind}", kind, seed=10 * seed))
    cases.append(case(f"{kind} from a state", kind, initial=True, seed=10 * seed + 1))
    cases.append(case(f"{kind} of different lengths from a state", kind, lengths=LENGTHS, initial=True, seed=10 * seed + 2))
    cases.append(case(f"{kind} of both directions and different lengths", kind, bidirectional=True, lengths=LENGTHS, initial=True, seed=10 * seed + 3))
cases.append(case("GRUBefore", "GRUBefore", seed=50))
cases.append(case("GRUBefore from a state with holes", "GRUBefore", initial=True, mask=HOLES, seed=51))
cases.append(case("LSTM from a state with holes", "LSTM", initial=True, mask=HOLES, seed=52))
doc = (
    "Of each case the leaves (x, weights in PyTorch's layout, the first state [rows, ways * parts * units]), output, last state, gradients of"
    " sum(output * outputGradient) + sum(state * stateGradient), and second derivatives: gradients of the sum of gradients * directions."
    " `candidate` is the last third of bias_hh of a GRU, whose other thirds are 0. `curves` are 40 losses of a net [layer, dense] by Adam at .02; with `both`,"
    " of both directions, with clipped gradients and a rate that falls to zero."
)
versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
adam = lambda parameters: torch.optim.Adam(parameters, lr=0.02)
curves = [*(curve(kind, adam) for kind in KINDS), curve("GRU", adam, both=True)]
rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
more = ",\n".join(json.dumps(c, separators=(",", ":")) for c in curves)
(here / "recurrent.json").write_text(f'{{"doc":{json.dumps(doc)},"versions":{json.dumps(versions)},"cases":[\n{rows}\n],"curves":[\n{more}\n]}}\n')
