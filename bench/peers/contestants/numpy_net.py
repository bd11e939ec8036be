"""numpy by hand, on the thread that harness.py leaves it: the step as a textbook has it, in arrays that are made once."""
import numpy as np

versions = {"numpy": np.__version__}


def create(task):
    return Update(task) if task["kind"] == "update" else Net(task)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e


class Adam:
    def __init__(self, n, rate):
        self.p, self.g = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.m, self.v, self.a, self.b = (np.zeros(n, np.float32) for _ in range(4))
        self.rate, self.t = rate, 0

    def step(self):
        p, g, m, v, a, b = self.p, self.g, self.m, self.v, self.a, self.b
        self.t += 1
        np.subtract(g, m, out=a)
        a *= np.float32(0.1)
        m += a
        np.multiply(g, g, out=a)
        a -= v
        a *= np.float32(0.001)
        v += a
        np.sqrt(v, out=a)
        a *= np.float32(1 / np.sqrt(1 - 0.999**self.t))
        a += np.float32(1e-8)
        np.divide(m, a, out=b)
        b *= np.float32(self.rate / (1 - 0.9**self.t))
        p -= b


class Net:
    def __init__(self, task):
        self.task = task
        self.x, self.y = task["x"], task["y"]
        if task["loss"] == "ce":
            self.y = self.y.astype(np.int64)
        shapes = [shape for w in task["weights"] for shape in (w.shape, w.shape[1:])]
        self.adam = Adam(sum(int(np.prod(shape)) for shape in shapes), task["learningRate"])
        self.layers, self.gradients, at = [], [], 0
        for shape in shapes:
            n = int(np.prod(shape))
            self.layers.append(self.adam.p[at : at + n].reshape(shape))
            self.gradients.append(self.adam.g[at : at + n].reshape(shape))
            at += n
        for layer, w in zip(self.layers[::2], task["weights"]):
            layer[...] = w
        self.rows = np.arange(task["batch"])

    def forward(self, x):
        activations, last = [x], len(self.layers) // 2 - 1
        for i in range(last + 1):
            z = activations[-1] @ self.layers[2 * i]
            z += self.layers[2 * i + 1]
            if i < last:
                np.maximum(z, 0, out=z) if self.task["activation"] == "relu" else np.tanh(z, out=z)
            activations.append(z)
        return activations

    def step(self, x, y):
        activations = self.forward(x)
        kind, z = self.task["loss"], activations[-1]
        if kind == "ce":
            d = softmax(z)
            d[self.rows, y] -= 1
        elif kind == "bce":
            d = 1 / (1 + np.exp(-z)) - y[:, None]
        else:
            d = 2 * (z - y[:, None])
        d /= np.float32(len(x))
        for i in reversed(range(len(self.layers) // 2)):
            a = activations[i]
            np.matmul(a.T, d, out=self.gradients[2 * i])
            np.sum(d, axis=0, out=self.gradients[2 * i + 1])
            if i > 0:
                d = d @ self.layers[2 * i].T
                d *= (a > 0) if self.task["activation"] == "relu" else 1 - a * a
        self.adam.step()

    def run(self, epochs):
        for _ in range(epochs):
            for x, y in zip(self.x, self.y):
                self.step(x, y)

    def loss(self):
        return float(np.mean([self.loss_of(self.forward(x)[-1], y) for x, y in zip(self.x, self.y)]))

    def loss_of(self, z, y):
        kind = self.task["loss"]
        if kind == "ce":
            return -np.log(softmax(z)[self.rows, y]).mean()
        if kind == "bce":
            return (np.maximum(z[:, 0], 0) - z[:, 0] * y + np.log1p(np.exp(-np.abs(z[:, 0])))).mean()
        return ((z[:, 0] - y) ** 2).mean()

    def accuracy(self):
        return float(np.mean([(self.forward(x)[-1].argmax(1) == y).mean() for x, y in zip(self.x, self.y)]))


class Update:
    def __init__(self, task):
        n, self.momentum = task["sizes"][0], task["optimizer"] == "momentum"
        self.adam = Adam(n, task["learningRate"])
        self.adam.p.fill(0.5)
        self.adam.g.fill(0.01)

    def step(self):
        if not self.momentum:
            return self.adam.step()
        p, g, m, a = self.adam.p, self.adam.g, self.adam.m, self.adam.a
        m *= np.float32(0.9)
        m += g
        np.multiply(m, np.float32(self.adam.rate), out=a)
        p -= a

    def drift(self):
        return float(self.adam.p[-1]) - 0.5
