"""Weights of classes by PyTorch: cross_entropy(weight=…) of labels and of probabilities, with label smoothing and both reductions,
value and gradient; a training of a dense net on all rows with CrossEntropyLoss(weight); scikit-learn's balanced weights."""
import sys

import sklearn
from sklearn.utils.class_weight import compute_class_weight

from common import VERSIONS, dyadic, np, out_path, torch, write

F = torch.nn.functional
rng = np.random.default_rng(11)


def loss(name, target, weight, smoothing=0.0, reduction="mean", rows=5, classes=4):
    x = torch.tensor(dyadic(rng.normal(size=(rows, classes)) * 2, 8), requires_grad=True)
    t = torch.tensor(target)
    y = F.cross_entropy(x, t, weight=torch.tensor(weight), label_smoothing=smoothing, reduction=reduction)
    y.backward()
    return dict(kind="loss", name=name, prediction=x, target=t, weight=weight, labelSmoothing=smoothing, reduction=reduction, loss=y, gradient=x.grad)


W = [0.5, 2.0, 1.0, 0.0]
P = dyadic(rng.dirichlet(np.ones(4), 5), 8)
CASES = [loss(f"{kind}, smoothing {s}, {how}", t, W, s, how)
         for kind, t in (("labels", [0, 1, 2, 3, 1]), ("probabilities", P)) for s in (0.0, 0.25) for how in ("mean", "sum")]


def training(weight, steps=6, lr=0.25):
    x, y = dyadic(rng.normal(size=(24, 3)), 6), rng.choice(3, 24, p=[0.7, 0.2, 0.1])
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor(dyadic(rng.uniform(-1, 1, tuple(p.shape)), 6)))
    weight = compute_class_weight("balanced", classes=np.arange(3), y=y) if weight == "balanced" else np.array(weight)
    flat = lambda: {n: (p.detach().T if p.dim() == 2 else p.detach().clone()).reshape(-1) for n, p in net.named_parameters()}
    start, losses = flat(), []
    criterion, opt = torch.nn.CrossEntropyLoss(weight=torch.tensor(weight)), torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        opt.zero_grad()
        value = criterion(net(torch.tensor(x)), torch.tensor(y))
        value.backward()
        opt.step()
        losses.append(value.item())
    return dict(kind="training", inputs=x, targets=y, weight=weight, lr=lr, start=start, losses=losses, end=flat())


CASES += [dict(training([1.0, 3.0, 8.0]), name="given"), dict(training("balanced"), name="balanced")]
write(out_path(__file__, sys.argv, "class_weights.json"),
      dict(format="class-weights/1", doc=__doc__.strip(), versions=dict(VERSIONS, sklearn=sklearn.__version__)), CASES)
