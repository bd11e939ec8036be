"""Many nets at once in PyTorch, batched by hand, on one core: net-steps per second of processor time, the best and the median of five.

    python torch_batched.py "[2,8,1]" BATCH NETS STEPS

Weights of all nets are one tensor for each layer, products are bmm, the gradient is written out, and Adam is written with _foreach
operations: what is fastest there, without a graph. Each net has a learning rate of its own.
"""

import json
import statistics
import sys
import time

import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)
sizes, (batch, nets, steps) = json.loads(sys.argv[1]), map(int, sys.argv[2:5])
layers = list(zip(sizes, sizes[1:]))
parameters = []
for inputs, outputs in layers:
    parameters += [torch.randn(nets, inputs, outputs) * (2 / inputs) ** 0.5, torch.zeros(nets, 1, outputs)]
means = [torch.zeros_like(p) for p in parameters]
squares = [torch.zeros_like(p) for p in parameters]
rates = torch.logspace(-4, -2, nets).view(nets, 1, 1)
rows = torch.randn(steps, batch, sizes[0])
targets = torch.randn(steps, batch, sizes[-1])
taken = 0


def gradients(x, y):
    values = [x.expand(nets, batch, sizes[0])]
    for i in range(len(layers)):
        z = torch.baddbmm(parameters[2 * i + 1], values[-1], parameters[2 * i])
        values.append(z.relu_() if i < len(layers) - 1 else z)
    slope = (values[-1] - y) * (2 / (batch * sizes[-1]))
    out = [None] * len(parameters)
    for i in reversed(range(len(layers))):
        out[2 * i] = torch.bmm(values[i].transpose(1, 2), slope)
        out[2 * i + 1] = slope.sum(1, keepdim=True)
        if i > 0:
            slope = torch.bmm(slope, parameters[2 * i].transpose(1, 2)) * (values[i] > 0)
    return out


def step(x, y):
    global taken
    taken += 1
    slopes = gradients(x, y)
    torch._foreach_lerp_(means, slopes, 0.1)
    torch._foreach_mul_(squares, 0.999)
    torch._foreach_addcmul_(squares, slopes, slopes, 0.001)
    roots = torch._foreach_div(squares, 1 - 0.999**taken)
    torch._foreach_sqrt_(roots)
    torch._foreach_add_(roots, 1e-8)
    for p, m, root in zip(parameters, means, roots):
        p.addcdiv_(m * (rates / (1 - 0.9**taken)), root, value=-1)


for i in range(3):
    step(rows[i % steps], targets[i % steps])
found = []
for _ in range(5):
    start, count = time.process_time(), 0
    while time.process_time() - start < 0.2:
        step(rows[count % steps], targets[count % steps])
        count += 1
    found.append(nets * count / (time.process_time() - start))
print(json.dumps([max(found), statistics.median(found)]))
