"""Oracles for ts/solve: SciPy on the Moré-Garbow-Hillstrom problems and on functions that people plot.

    python solve.py      # writes solve.json beside this file (numpy, scipy; a few seconds)

MGH numbers and formulas: Moré, Garbow, Hillstrom (1981), "Testing Unconstrained Optimization Software", TOMS 7(1).
Residuals are written once here (NumPy, complex-step Jacobians, exact to rounding) and once in test/tools/solve-problems.ts
(by hand there); F = sum r_i^2. For each problem: F and |g| at the start, and of each method of scipy.optimize the value,
|g|_inf, nit, nfev; least_squares: cost, x, nfev. Plot functions: the same for minimize.
"""
import json
import os
import platform

import numpy as np
import scipy
import scipy.optimize as so
from numpy import exp, sqrt, arctan, pi, sin, cos

T13 = np.arange(1, 14)


def helical(x):
    t = arctan(x[1] / x[0]) / (2 * pi) + (0.5 if x[0].real < 0 else 0)
    return [10 * (x[2] - 10 * t), 10 * (sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]


BARD = np.array([.14, .18, .22, .25, .29, .32, .35, .39, .37, .58, .73, .96, 1.34, 2.10, 4.39])
GAUSS = np.array([.0009, .0044, .0175, .0540, .1295, .2420, .3521, .3989, .3521, .2420, .1295, .0540, .0175, .0044, .0009])
KOW_Y = np.array([.1957, .1947, .1735, .1600, .0844, .0627, .0456, .0342, .0323, .0235, .0246])
KOW_U = np.array([4, 2, 1, .5, .25, .167, .125, .1, .0833, .0714, .0625])
OSB1 = np.array([.844, .908, .932, .936, .925, .908, .881, .850, .818, .784, .751, .718, .685, .658, .628, .603, .580, .558, .538, .522, .506,
                 .490, .478, .467, .457, .448, .438, .431, .424, .420, .414, .411, .406])
MEYER = np.array([34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872.])


def bard(x):
    u = np.arange(1, 16); v = 16 - u; w = np.minimum(u, v)
    return BARD - (x[0] + u / (v * x[1] + w * x[2]))


def gauss(x):
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSS


def box3(x):
    t = 0.1 * np.arange(1, 11)
    return exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (exp(-t) - exp(-10 * t))


def biggs6(x):
    t = 0.1 * T13
    y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t)
    return x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y


def jennrich(x):
    i = np.arange(1, 11)
    return 2 + 2 * i - (exp(i * x[0]) + exp(i * x[1]))


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - exp(t)) ** 2 + (x[2] + x[3] * sin(t) - cos(t)) ** 2


def osborne1(x):
    t = 10 * np.arange(33)
    return OSB1 - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4]))


def kowalik(x):
    u = KOW_U
    return KOW_Y - x[0] * (u ** 2 + u * x[1]) / (u ** 2 + u * x[2] + x[3])


def meyer(x):
    t = 45 + 5 * np.arange(1, 17)
    return x[0] * exp(x[1] / (t + x[2])) - MEYER


def trig(x):
    n = len(x)
    return np.array([n - sum(cos(x)) + (i + 1) * (1 - cos(x[i])) - sin(x[i]) for i in range(n)])


def brown_almost(x):
    n = len(x)
    return np.array([x[i] + sum(x) - (n + 1) for i in range(n - 1)] + [np.prod(x) - 1])


def variably(x):
    j = np.arange(1, len(x) + 1); s = sum(j * (x - 1))
    return np.concatenate([x - 1, [s, s ** 2]])


def penalty1(x):
    return np.concatenate([sqrt(1e-5) * (x - 1), [sum(x ** 2) - 0.25]])


def broyden(x):
    n = len(x); p = np.concatenate([[0], x, [0]])
    return (3 - 2 * p[1:-1]) * p[1:-1] - p[:-2] - 2 * p[2:] + 1


MGH = {
    "1 Rosenbrock": (lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1]),
    "2 Freudenstein-Roth": (lambda x: [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]], [.5, -2]),
    "3 Powell badly scaled": (lambda x: [1e4 * x[0] * x[1] - 1, exp(-x[0]) + exp(-x[1]) - 1.0001], [0, 1]),
    "4 Brown badly scaled": (lambda x: [x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2], [1, 1]),
    "5 Beale": (lambda x: [1.5 - x[0] * (1 - x[1]), 2.25 - x[0] * (1 - x[1] ** 2), 2.625 - x[0] * (1 - x[1] ** 3)], [1, 1]),
    "6 Jennrich-Sampson": (jennrich, [.3, .4]),
    "7 Helical valley": (helical, [-1, 0, 0]),
    "8 Bard": (bard, [1, 1, 1]),
    "9 Gaussian": (gauss, [.4, 1, 0]),
    "10 Meyer": (meyer, [.02, 4000, 250]),
    "12 Box 3D": (box3, [0, 10, 20]),
    "13 Powell singular": (lambda x: [x[0] + 10 * x[1], sqrt(5) * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, sqrt(10) * (x[0] - x[3]) ** 2], [3, -1, 0, 1]),
    "14 Wood": (lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0], sqrt(90) * (x[3] - x[2] ** 2), 1 - x[2], sqrt(10) * (x[1] + x[3] - 2), (x[1] - x[3]) / sqrt(10)], [-3, -1, -3, -1]),
    "15 Kowalik-Osborne": (kowalik, [.25, .39, .415, .39]),
    "16 Brown-Dennis": (brown_dennis, [25, 5, -5, -1]),
    "17 Osborne 1": (osborne1, [.5, 1.5, -1, .01, .02]),
    "18 Biggs EXP6": (biggs6, [1, 2, 1, 1, 1, 1]),
    "23 Penalty I": (penalty1, [1, 2, 3, 4]),
    "25 Variably dimensioned": (variably, list(1 - np.arange(1, 11) / 10)),
    "26 Trigonometric": (trig, [.1] * 10),
    "27 Brown almost-linear": (brown_almost, [.5] * 10),
    "30 Broyden tridiagonal": (broyden, [-1] * 10),
}
METHODS = {"lbfgs": "L-BFGS-B", "bfgs": "BFGS", "cg": "CG", "newton-cg": "Newton-CG", "trust-ncg": "trust-ncg"}


def jac(r, x):
    x = np.asarray(x, float)
    out = []
    for j in range(x.size):
        z = x.astype(complex); z[j] += 1e-30j
        out.append(np.imag(np.asarray(r(z), complex)) / 1e-30)
    return np.array(out).T


def num(v):
    return float(f"{v:.15g}")


def vec(v):
    return [num(a) for a in v]


def run(f, g, x0, hess):
    o = {}
    for ours, m in METHODS.items():
        kw = dict(hess=hess) if m in ("Newton-CG", "trust-ncg") else {}
        opts = dict(maxiter=5000, gtol=1e-5) if m != "Newton-CG" else dict(maxiter=5000)
        if m == "L-BFGS-B":
            opts.update(ftol=0, maxfun=20000)
        with np.errstate(all="ignore"):
            try:
                r = so.minimize(f, x0, jac=g, method=m, options=opts, **kw)
                o[ours] = dict(value=num(r.fun), gradient=num(np.max(np.abs(g(r.x)))), iterations=int(r.nit), evaluations=int(r.nfev), x=vec(r.x), success=bool(r.success))
            except Exception as e:  # a method of scipy that gives up by exception
                o[ours] = dict(error=type(e).__name__)
    return o


def hess_of(g, n):
    def h(x):
        out = np.empty((n, n))
        for j in range(n):
            e = 1e-5 * max(1, abs(x[j])); d = np.zeros(n); d[j] = e
            out[:, j] = (g(x + d) - g(x - d)) / (2 * e)
        return (out + out.T) / 2
    return h


def mgh():
    out = {}
    for name, (r, x0) in MGH.items():
        real = lambda x: np.asarray(np.real(r(np.asarray(x, complex))), float)
        f = lambda x: float(real(x) @ real(x))
        g = lambda x: 2 * jac(r, x).T @ real(x)
        x0 = np.array(x0, float)
        o = dict(start=vec(x0), value=num(f(x0)), gradient=vec(g(x0)), residuals=int(real(x0).size), methods=run(f, g, x0, hess_of(g, x0.size)))
        with np.errstate(all="ignore"):
            s = so.least_squares(real, x0, jac=lambda x: jac(r, x), method="lm", max_nfev=5000, ftol=1e-15, xtol=1e-15, gtol=1e-12)
        o["least_squares"] = dict(value=num(2 * s.cost), x=vec(s.x), evaluations=int(s.nfev))
        out[name] = o
    return out


def ackley_g(v):
    x, y = v; q = sqrt((x * x + y * y) / 2); w = pi * exp((cos(2 * pi * x) + cos(2 * pi * y)) / 2)
    k = 0 if q == 0 else 2 * exp(-.2 * q) / q
    return np.array([k * x + w * sin(2 * pi * x), k * y + w * sin(2 * pi * y)])


PLOT = {
    "Rosenbrock": (lambda v: (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2, [-1.2, 1]),
    "Beale": (lambda v: (1.5 - v[0] + v[0] * v[1]) ** 2 + (2.25 - v[0] + v[0] * v[1] ** 2) ** 2 + (2.625 - v[0] + v[0] * v[1] ** 3) ** 2, [1, 1]),
    "Himmelblau": (lambda v: (v[0] ** 2 + v[1] - 11) ** 2 + (v[0] + v[1] ** 2 - 7) ** 2, [0, 0]),
    "Booth": (lambda v: (v[0] + 2 * v[1] - 7) ** 2 + (2 * v[0] + v[1] - 5) ** 2, [-5, -5]),
    "Matyas": (lambda v: .26 * (v[0] ** 2 + v[1] ** 2) - .48 * v[0] * v[1], [8, -6]),
    "Styblinski-Tang": (lambda v: .5 * sum(x ** 4 - 16 * x ** 2 + 5 * x for x in v), [-1, -2]),
    "Rastrigin": (lambda v: 20 + sum(x ** 2 - 10 * cos(2 * pi * x) for x in v), [.3, -.2]),
    "Ackley": (lambda v: -20 * exp(-.2 * sqrt((v[0] ** 2 + v[1] ** 2) / 2)) - exp((cos(2 * pi * v[0]) + cos(2 * pi * v[1])) / 2) + np.e + 20, [.4, -.3]),
    "Saddle": (lambda v: v[0] ** 2 - v[1] ** 2, [1, .01]),
    "Monkey saddle": (lambda v: v[0] ** 3 - 3 * v[0] * v[1] ** 2, [1, .1]),
    "Plateau": (lambda v: 1 - exp(-(v[0] ** 2 + v[1] ** 2)), [1.5, 1]),
}


def plot():
    out = {}
    for name, (f, x0) in PLOT.items():
        g = ackley_g if name == "Ackley" else (lambda x: jac(lambda z: [f(z)], x)[0])
        x0 = np.array(x0, float)
        fr = lambda x: float(np.real(f(np.asarray(x, complex)))) if name != "Ackley" else float(f(x))
        o = dict(start=vec(x0), value=num(fr(x0)), gradient=vec(g(x0)))
        probe = np.array([0.7, -1.3])
        o["probe"] = dict(x=vec(probe), value=num(fr(probe)), gradient=vec(g(probe)))
        if name not in ("Saddle", "Monkey saddle"):
            o["methods"] = run(fr, g, x0, hess_of(g, 2))
        out[name] = o
    return out


def curves():
    """scipy.optimize.curve_fit: parameters and standard errors."""
    rng = np.random.default_rng(7)
    t = np.linspace(0, 4, 50)
    out = {}
    for name, model, true, start in [
        ("decay", lambda t, a, b, c: a * exp(-b * t) + c, [2.5, 1.3, .5], [1, 1, 0]),
        ("gauss", lambda t, a, m, s: a * exp(-((t - m) / s) ** 2 / 2), [3, 1.8, .6], [1, 1.5, 1]),
        ("logistic", lambda t, a, b, c: a / (1 + exp(-b * (t - c))), [4, 2.5, 1.9], [3, 1, 1.5]),
    ]:
        y = model(t, *true) + .1 * rng.normal(size=t.size)
        p, cov = so.curve_fit(model, t, y, p0=start, ftol=1e-15, xtol=1e-15, gtol=1e-15)
        sigma = .05 + .02 * t
        pw, cw = so.curve_fit(model, t, y, p0=start, sigma=sigma, absolute_sigma=True, ftol=1e-15, xtol=1e-15, gtol=1e-15)
        out[name] = dict(x=vec(t), y=vec(y), start=start, parameters=vec(p), covariance=[vec(r) for r in cov], sigma=vec(sigma),
                         weighted=dict(parameters=vec(pw), covariance=[vec(r) for r in cw]))
    return out


def softmax_regression():
    """L-BFGS-B on full-batch softmax regression (mean cross-entropy + 0.5e-3 |W|^2) on made-up digits-like rows."""
    rng = np.random.default_rng(11)
    n, d, k = 300, 64, 10
    centers = rng.random((k, d))
    y = np.arange(n) % k
    X = np.round(np.clip(centers[y] + .35 * rng.normal(size=(n, d)), 0, 1), 3)

    def fg(w):
        W = w[:d * k].reshape(d, k); b = w[d * k:]
        z = X @ W + b; z -= z.max(1, keepdims=True)
        p = exp(z); s = p.sum(1, keepdims=True); p /= s
        l = -np.mean(z[np.arange(n), y] - np.log(s[:, 0])) + .5e-3 * np.sum(W * W)
        p[np.arange(n), y] -= 1
        p /= n
        return l, np.concatenate([(X.T @ p + 1e-3 * W).ravel(), p.sum(0)])
    r = so.minimize(fg, np.zeros(d * k + k), jac=True, method="L-BFGS-B", options=dict(maxcor=10, ftol=0, gtol=1e-5, maxiter=5000))
    return dict(X=[int(round(v * 1000)) for v in X.ravel()], scale=1000, y=[int(v) for v in y], inputs=d, classes=k, decay=1e-3, value=num(r.fun), iterations=int(r.nit),
                evaluations=int(r.nfev))


if __name__ == "__main__":
    doc = dict(format="solve-oracles/1", doc=__doc__, versions=dict(scipy=scipy.__version__, numpy=np.__version__, python=platform.python_version()),
               mgh=mgh(), plot=plot(), curves=curves(), softmax=softmax_regression())
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "solve.json")
    with open(path, "w") as fh:
        json.dump(doc, fh, separators=(",", ":"), allow_nan=False)
        fh.write("\n")
    print(path, os.path.getsize(path))
    for k, v in doc["mgh"].items():
        print(k, num(v["value"]), v["least_squares"]["value"], {m: (round(q.get("value", -1), 9), q.get("iterations")) for m, q in v["methods"].items()})
