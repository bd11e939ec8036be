"""PyTorch on one thread in inference.ts, as inference.mjs: `python inference.py`, in .cache/peers."""
import json
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WARM_UP, WINDOWS, WINDOW = 12, 7, 0.06
torch.set_num_threads(1)
with open("data/inference.json") as file:
    spec = json.load(file)
sizes, rows = spec["sizes"], spec["rows"]
floats = np.fromfile("data/inference.bin", dtype=np.float32)
at = 0


def take(*shape):
    global at
    n = int(np.prod(shape))
    at += n
    return torch.from_numpy(floats[at - n : at].reshape(shape).copy())


inputs, labels = take(rows, sizes[0]), take(rows).long()
layers = []
for i in range(len(sizes) - 1):
    layer = nn.Linear(sizes[i], sizes[i + 1])
    with torch.no_grad():
        layer.weight.copy_(take(sizes[i], sizes[i + 1]).T)
        layer.bias.copy_(take(sizes[i + 1]))
    layers += [layer, nn.ReLU()]
model = nn.Sequential(*layers[:-1])
one, few, batch, wanted = inputs[:1].clone(), inputs[:256].clone(), inputs[:64].clone(), labels[:64].clone()
parameters = list(model.parameters())
directions = [torch.full_like(p, 0.01) for p in parameters]


def predict(x):
    with torch.no_grad():
        return model(x)


def evaluate():
    """By 1,000 rows, which is faster here than all at once."""
    loss = right = 0
    with torch.no_grad():
        for start in range(0, rows, 1000):
            y, labels_of = model(inputs[start : start + 1000]), labels[start : start + 1000]
            loss += F.cross_entropy(y, labels_of).item() * len(y)
            right += (y.argmax(1) == labels_of).sum().item()
    return loss / rows


def gradient(create_graph=False):
    return torch.autograd.grad(F.cross_entropy(model(batch), wanted), parameters, create_graph=create_graph)


calls = {
    "one": lambda: predict(one),
    "many": lambda: predict(few),
    "all": evaluate,
    "gradient": gradient,
    "product": lambda: torch.autograd.grad(gradient(create_graph=True), parameters, directions),
}
result = {"loss": evaluate(), "times": {}, "best": {}}
for kind, call in calls.items():
    repeats, times = 1, []
    for window in range(-WARM_UP, WINDOWS):
        started = time.process_time()
        for _ in range(repeats):
            call()
        elapsed = time.process_time() - started
        if window >= 0:
            times.append(1e6 * elapsed / repeats)
        repeats = max(1, round(repeats * WINDOW / elapsed))
    result["times"][kind], result["best"][kind] = statistics.median(times), min(times)
print(json.dumps(result))
