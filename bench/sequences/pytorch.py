"""The contestants of bench/sequences.ts in PyTorch, with its own first weights, on the series that it wrote; answers a line for each net."""
import json, pathlib, resource, sys

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

folder = pathlib.Path(sys.argv[1])
steps, channels, classes, units, filters, epochs, seeds, padding = map(int, sys.argv[2:])
torch.set_num_threads(1)


def read(part):
    inputs = torch.from_numpy(np.fromfile(folder / f"{part}.inputs", dtype=np.float32)).view(-1, steps, channels)
    return inputs, torch.from_numpy(np.fromfile(folder / f"{part}.targets", dtype=np.int32)).long()


class GRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(channels, units, bidirectional=True, batch_first=True), nn.Linear(2 * units, classes)

    def forward(self, x):
        lengths = (x != padding).any(2).sum(1)
        is_whole = lengths.min() == steps
        _, h = self.gru(x if is_whole else pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return self.head(torch.cat([h[0], h[1]], 1))


class Convolution(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [(channels, 7), (filters, 5), (filters, 3)]
        block = lambda i, k: [nn.Conv1d(i, filters, k, padding=k // 2, bias=False), nn.BatchNorm1d(filters), nn.ReLU()]
        self.layers, self.head = nn.Sequential(*[layer for size in sizes for layer in block(*size)]), nn.Linear(filters, classes)

    def forward(self, x):
        return self.head(self.layers(x.masked_fill(x == padding, 0).transpose(1, 2)).mean(2))


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


(x, y), (tx, ty) = read("train"), read("test")
for name, Net in (("GRU", GRU), ("convolution", Convolution)):
    start, accuracies = cpu(), []
    for seed in range(seeds):
        torch.manual_seed(seed)
        net = Net()
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        steps_in_all = epochs * -(-len(x) // 16)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps_in_all)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(16):
                loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        net.eval()
        with torch.no_grad():
            accuracies.append((net(tx).argmax(1) == ty).float().mean().item())
    print(json.dumps(dict(net=name, accuracies=accuracies, seconds=(cpu() - start) / seeds)))
