"""The net and the training of bench/images/learn.ts in PyTorch, on the pixels that it wrote. bench/images/learn.ts starts it.

    python bench/images/learn.py FOLDER
"""

import json
import math
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
folder = Path(sys.argv[1])
plan = json.loads((folder / "plan.json").read_text())
size, channels, classes, epochs = (plan[k] for k in ("size", "channels", "classes", "epochs"))
torch.manual_seed(plan["seed"])


def read(part):
    pixels = torch.frombuffer(bytearray((folder / f"{part}.pixels").read_bytes()), dtype=torch.uint8)
    labels = torch.frombuffer(bytearray((folder / f"{part}.labels").read_bytes()), dtype=torch.int32).long()
    return pixels.reshape(-1, size, size, channels).permute(0, 3, 1, 2).contiguous(), labels


def small():
    layers, side, inputs, filters = [], size, channels, 16
    while side >= 6 and filters <= 64:
        layers += [nn.Conv2d(inputs, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
        side, inputs, filters = side // 2, filters, 2 * filters
    hidden = [nn.Linear(side * side * inputs, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3)]
    return [*layers, nn.Flatten(), *hidden, nn.Linear(64, classes)]


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        conv = lambda a, s: nn.Conv2d(a, filters, 3, stride=s, padding=1, bias=False)
        self.layers = nn.Sequential(conv(inputs, stride), nn.BatchNorm2d(filters), nn.ReLU(), conv(filters, 1), nn.BatchNorm2d(filters))
        changes = stride > 1 or inputs != filters
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)) if changes else nn.Identity()

    def forward(self, x):
        return F.relu(self.layers(x) + self.shortcut(x))


def residual():
    layers = [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    if size > 32:
        layers.append(nn.MaxPool2d(2))
    layers += [Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2)]
    return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]


def changed(x):
    """Shifts by up to a tenth, brightness and contrast by up to a tenth."""
    rows = x.shape[0]
    move = torch.zeros(rows, 2, 3)
    move[:, 0, 0] = move[:, 1, 1] = 1
    move[:, :, 2] = (2 * torch.rand(rows, 2) - 1) * 0.2  # a side is 2 wide
    x = F.grid_sample(x, F.affine_grid(move, list(x.shape), align_corners=False), padding_mode="border", align_corners=False)
    gain = 1 + (2 * torch.rand(rows, 1, 1, 1) - 1) * 0.1
    return gain * x + 0.5 - 0.5 * gain + (2 * torch.rand(rows, 1, 1, 1) - 1) * 0.1


def scores(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part.float() / 255) for part in x.split(256)])
    model.train()
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


x, y = read("train")
order = torch.randperm(len(y))
held = torch.cat([rows[: round(0.2 * len(rows))] for c in range(classes) for rows in [order[y[order] == c]]])
is_held = torch.zeros(len(y), dtype=torch.bool)
is_held[held] = True
rows = torch.arange(len(y))[~is_held]
model = nn.Sequential(*(residual() if plan["net"] == "residual" else small()))
batch = min(64, max(8, math.ceil(len(rows) / 20)))
while len(rows) % batch == 1:
    batch += 1
steps = math.ceil(len(rows) / batch)
optimizer = torch.optim.Adam(model.parameters(), lr=0.004)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, total_steps=epochs * steps, cycle_momentum=False)
best, kept = (math.inf, 0.0), None
begun = time.process_time()
for epoch in range(epochs):
    for part in rows[torch.randperm(len(rows))].split(batch):
        optimizer.zero_grad()
        F.cross_entropy(model(changed(x[part].float() / 255)), y[part]).backward()
        optimizer.step()
        schedule.step()
    found = scores(model, x[held], y[held])
    if found[0] < best[0]:
        best, kept = found, {name: value.clone() for name, value in model.state_dict().items()}
    print(f"  PyTorch epoch {epoch + 1}/{epochs} held out {found[1]:.4f} {time.process_time() - begun:.0f} s", file=sys.stderr)
model.load_state_dict(kept)
seconds = time.process_time() - begun
test = scores(model, *read("test"))
count = sum(p.numel() for p in model.parameters())
print(f"  PyTorch: {count} weights, {len(rows)} pictures, test {test[1]:.4f}, held out {best[1]:.4f}, {epochs} epochs, {seconds:.0f} s")
