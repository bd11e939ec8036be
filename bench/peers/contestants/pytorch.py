"""PyTorch on one thread. Options: `eager` (its default optimizer), `fused` (one kernel for all of Adam), `compiled`;
`threads` (two)."""
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2 if "threads" in sys.argv else 1)
versions = {"torch": torch.__version__.split("+")[0]}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
LOSSES = {"bce": F.binary_cross_entropy_with_logits, "ce": F.cross_entropy, "mse": F.mse_loss}


def optimizer_of(parameters, task):
    fused = "fused" in task["options"] or "compiled" in task["options"]
    if task["optimizer"] == "adam":
        return torch.optim.Adam(parameters, lr=task["learningRate"], fused=fused or None)
    return torch.optim.SGD(parameters, lr=task["learningRate"], momentum=0.9, fused=fused or None)


def create(task):
    return Update(task) if task["kind"] == "update" else Net(task)


class Net:
    def __init__(self, task):
        layers = []
        for w in task["weights"]:
            layer = nn.Linear(*w.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(w.T.copy()))
                layer.bias.zero_()
            layers += [layer, ACTIVATIONS[task["activation"]]()]
        self.model = nn.Sequential(*layers[:-1])
        self.optimizer = optimizer_of(self.model.parameters(), task)
        loss, forward = LOSSES[task["loss"]], self.model
        self.loss_of = lambda x, y: loss(forward(x), y)
        if "compiled" in task["options"]:
            self.loss_of = torch.compile(self.loss_of)
        classes = task["loss"] == "ce"
        self.labels = torch.from_numpy(task["y"].copy())
        targets = self.labels.long() if classes else self.labels[..., None]
        self.batches = list(zip(torch.from_numpy(task["x"].copy()), targets))

    def run(self, epochs):
        for _ in range(epochs):
            for x, y in self.batches:
                self.optimizer.zero_grad()
                self.loss_of(x, y).backward()
                self.optimizer.step()

    def loss(self):
        with torch.no_grad():
            return sum(self.loss_of(x, y).item() for x, y in self.batches) / len(self.batches)

    def accuracy(self):
        with torch.no_grad():
            right = [(self.model(x).argmax(1) == y).float().mean().item() for x, y in self.batches]
        return sum(right) / len(right)


class Update:
    def __init__(self, task):
        self.p = nn.Parameter(torch.full(task["sizes"], 0.5))
        self.p.grad = torch.full(task["sizes"], 0.01)
        self.optimizer = optimizer_of([self.p], task)
        self.step = torch.compile(self.optimizer.step) if "compiled" in task["options"] else self.optimizer.step

    def drift(self):
        return self.p[-1].item() - 0.5
