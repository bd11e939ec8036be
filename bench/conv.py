"""The nets of bench/conv.ts in PyTorch: steps per second of CPU time on one thread. bench/conv.ts starts it.

    python bench/conv.py V1 SECONDS
"""

import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)


class Flatten(nn.Module):
    def forward(self, x):
        return torch.flatten(x, 1)


def block(inputs, filters, stride):
    return [
        nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, filters, 1, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
    ]


# the shape of an image, rows of a batch, layers
NETS = {
    "V1": ((1, 28, 28), 64, lambda: [
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        Flatten(), nn.Linear(784, 10),
    ]),
    "V2": ((1, 28, 28), 64, lambda: [
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    ]),
    "V3": ((1, 28, 28), 32, lambda: [
        nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        *block(32, 64, 1), *block(64, 64, 2), nn.AdaptiveAvgPool2d(1), Flatten(), nn.Linear(64, 10),
    ]),
    "V4": ((40, 50), 32, lambda: [
        nn.Conv1d(40, 64, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(),
        nn.AdaptiveAvgPool1d(1), Flatten(), nn.Linear(64, 10),
    ]),
}

shape, rows, layers = NETS[sys.argv[1]]
seconds = float(sys.argv[2])
model = nn.Sequential(*layers())
x = torch.rand(rows, *shape)
if len(shape) == 3:
    model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
y = torch.arange(rows) % 10
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
loss_function = nn.CrossEntropyLoss()


def step():
    optimizer.zero_grad()
    loss_function(model(x), y).backward()
    optimizer.step()


for _ in range(3):
    step()
best = 0.0
for _ in range(5):
    begun, steps = time.process_time(), 0
    while time.process_time() - begun < seconds / 5:
        step()
        steps += 1
    best = max(best, steps / (time.process_time() - begun))
print(best)
