"""Layers of the authors of TabM and of embeddings of numbers, in PyTorch: what ts/nn/ensemble-dense.ts, scale.ts and the embeddings are compared with.

Each case has the weights of the layers by their names in gradus, inputs, targets, the outputs, the loss (mean of the members' losses) and its gradients.
Needs torch==2.15.0, tabm==0.0.3, rtdl_num_embeddings==0.0.12 and NumPy. Writes ensembles.json.
"""

import json
import pathlib
import platform
from importlib.metadata import version

import numpy as np
import rtdl_num_embeddings as rtdl
import tabm
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
here = pathlib.Path(__file__).parent


def numbers(t):
    return [float(f"{v:.12g}") for v in t.detach().numpy().ravel()]


def draw(parameters, seed):
    """Values that single precision holds, different ones everywhere."""
    random = torch.Generator().manual_seed(seed)
    for p in parameters:
        p.data.copy_((torch.randn(p.shape, generator=random) * 0.7).float().double())


def stored(names):
    return {name: {"shape": list(view(p).shape), "values": numbers(view(p)), "gradient": numbers(view(p.grad))} for name, (p, view) in names.items()}


def members_first(t):
    return t.transpose(0, 1)


SAME, TURNED, MEMBERS = (lambda t: t), (lambda t: t.T), (lambda t: t[:, None, :])


def ensemble(name, layers, names, task, seed):
    """A net [rows, 4] -> [rows, k, outputs]; gradus has the members first."""
    parameters = [p for layer in layers for p in layer.parameters()]
    draw(parameters, seed)
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed + 1)).float().double()
    y = nn.Sequential(*layers)(x)
    k, outputs = y.shape[1:]
    if task == "classes":
        targets = torch.arange(6) % outputs
        loss = nn.functional.cross_entropy(y.flatten(0, 1), targets.repeat_interleave(k))
        answer = torch.softmax(y, -1).mean(1)
    else:
        targets = torch.randn(6, generator=torch.Generator().manual_seed(seed + 2)).float().double()
        loss = nn.functional.mse_loss(y.squeeze(-1), targets[:, None].expand(-1, k))
        answer = y.mean(1)
    loss.backward()
    return {
        "name": name,
        "members": k,
        "inputs": numbers(x),
        "targets": [float(t) for t in targets],
        "task": task,
        "outputs": numbers(members_first(y)),
        "answer": numbers(answer),
        "loss": loss.item(),
        "parameters": stored(names),
    }


def full(k, outputs, task, seed):
    first = tabm.LinearBatchEnsemble(4, 5, k=k, scaling_init="random-signs")
    second = tabm.LinearBatchEnsemble(5, 3, k=k, scaling_init="ones")
    last = tabm.LinearEnsemble(3, outputs, k=k)
    names = {}
    for i, layer in enumerate((first, second)):
        names |= {
            f"{i}.weight": (layer.weight, TURNED),
            f"{i}.bias": (layer.bias, MEMBERS),
            f"{i}.inputScale": (layer.r, MEMBERS),
            f"{i}.outputScale": (layer.s, MEMBERS),
        }
    names |= {"2.weight": (last.weight, SAME), "2.bias": (last.bias, MEMBERS)}
    layers = [tabm.EnsembleView(k=k), first, nn.ReLU(), second, nn.ReLU(), last]
    return ensemble(f"full, {k} members, {task}", layers, names, task, seed)


def mini(k, outputs, task, seed):
    front = tabm.ElementwiseAffine((k, 4), bias=False, scaling_init="random-signs")
    hidden, last = nn.Linear(4, 5), tabm.LinearEnsemble(5, outputs, k=k)
    names = {
        "0.weight": (front.weight, MEMBERS),
        "1.weight": (hidden.weight, TURNED),
        "1.bias": (hidden.bias, SAME),
        "2.weight": (last.weight, SAME),
        "2.bias": (last.bias, MEMBERS),
    }
    return ensemble(f"mini, {k} members, {task}", [tabm.EnsembleView(k=k), front, hidden, nn.ReLU(), last], names, task, seed)


def embedding(name, layer, x, names, seed, **more):
    """Vectors of all columns, flat, and gradients of the sum of their squares."""
    draw(layer.parameters(), seed)
    y = layer(x).flatten(1)
    loss = (y**2).sum()
    loss.backward()
    return {
        "name": name,
        "inputs": numbers(x),
        "features": x.shape[1],
        "outputs": numbers(y),
        "loss": loss.item(),
        "parameters": stored(names(layer)),
        **more,
    }


def piecewise(bins, size, seed):
    random = torch.Generator().manual_seed(seed)
    train = torch.cat([torch.randn(40, 2, generator=random), torch.randint(0, 3, (40, 1), generator=random), torch.rand(40, 1, generator=random) ** 4], 1)
    train = train.float().double()
    edges = rtdl.compute_bins(train, n_bins=bins)
    layer = rtdl.PiecewiseLinearEmbeddings(edges, size, activation=False, version="B")
    # beyond both ends, on edges, between them
    x = torch.cat([train[:5], torch.stack([e[0] for e in edges])[None] - 1, torch.stack([e[-1] for e in edges])[None] + 2, torch.stack([e[1] for e in edges])[None]])
    x = x.float().double()

    def names(layer):
        places = [[*range(len(e) - 2), layer.linear.weight.shape[1] - 1] for e in edges]

        def of(i):
            # a is not a row of V there
            slope, v = layer.linear0.weight, layer.linear.weight
            rows = torch.cat([slope[i][None], v[i][places[i]]])
            rows.grad = torch.cat([slope.grad[i][None], v.grad[i][places[i]]])
            return rows

        return {**{f"weights.{i}": (of(i), SAME) for i in range(4)}, "bias": (layer.linear0.bias, lambda t: t.reshape(-1, 1))}

    def with_bins(i):
        return {"feature": i, "edges": [float(v) for v in edges[i]]}

    return embedding(f"piecewise linear, {bins} bins", layer, x, names, seed, size=size, columns=[with_bins(i) for i in range(4)], training=numbers(train), bins=bins)


def periodic(frequencies, size, seed):
    layer = rtdl.PeriodicEmbeddings(3, size, n_frequencies=frequencies, lite=False)
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(seed)).float().double()

    def names(layer):
        def rate(i):
            rates = 2 * np.pi * layer.periodic.weight[i][:, None]
            rates.grad = layer.periodic.weight.grad[i][:, None] / (2 * np.pi)
            return rates

        def weight(i):
            w = layer.linear.weight[i].detach().clone()
            w.grad = layer.linear.weight.grad[i]
            return w

        return {
            **{f"rates.{i}": (rate(i), SAME) for i in range(3)},
            **{f"weights.{i}": (weight(i), SAME) for i in range(3)},
            "bias": (layer.linear.bias, lambda t: t.reshape(-1, 1)),
        }

    return embedding(f"periodic, {frequencies} frequencies", layer, x, names, seed, size=size, frequencies=frequencies)


document = {
    "doc": "Values by the packages of the authors in float64. ensembles: layers, outputs [members, rows, outputs], the mean of the members' losses, and "
    "parameters by their names in gradus with gradients. embeddings: vectors of all columns, [rows, columns · size], and gradients of the sum of their squares.",
    "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "tabm", "rtdl_num_embeddings", "numpy")}},
    "ensembles": [full(3, 2, "classes", 1), full(4, 1, "numbers", 2), mini(5, 3, "classes", 3), mini(2, 1, "numbers", 4)],
    "embeddings": [piecewise(8, 3, 5), piecewise(2, 4, 6), periodic(5, 4, 7)],
}
lines = [
    f' "{key}": ' + ("[\n  " + ",\n  ".join(json.dumps(c, ensure_ascii=False) for c in value) + "\n ]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False))
    for key, value in document.items()
]
(here / "ensembles.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
