"""Oracles for minimize with bounds: SciPy's L-BFGS-B on problems of solve.py in boxes, and on two of its own.

    python bounds.py      # writes bounds.json beside this file (numpy, scipy; a second)

Of each: start, bounds (null is none), x, value, |P(x - g) - x|_inf, nit, nfev at the tightest tolerances that it takes. "chain" is
the sample problem of the L-BFGS-B code (Zhu, Byrd, Lu, Nocedal 1997): f = (x_0 - 1)^2 + 4 sum (x_i - x_{i-1}^2)^2, n = 25, odd
components (from 1) in [1, 100], even ones in [-100, 100], from 3. "quadratic": x'Ax/2 - b'x in a box that holds about half of x.
"""
import json
import os
import platform

import numpy as np
import scipy
import scipy.optimize as so

from solve import MGH, PLOT, jac, num, vec

INF = float("inf")
BOXES = [
    ("1 Rosenbrock", [-1.2, 1], [-INF, -INF], [.5, INF]),
    ("1 Rosenbrock", [2, 2], [1.5, -INF], [INF, INF]),
    ("5 Beale", [1, 1], [.6, .5], [10, 100]),
    ("7 Helical valley", [-1, 0, 0], [-100, -1, -1], [.8, 1, 1]),
    ("8 Bard", [1, 1, 1], [.1, 0, 0], [50, 100, 1.5]),
    ("12 Box 3D", [0, 10, 1.5], [0, 5, 0], [2, 9.5e3, 20]),
    ("13 Powell singular", [3, -1, 0, 1], [.1, -20, -1, -1], [100, 20, 1, 50]),
    ("14 Wood", [-3, -1, -3, -1], [-100] * 4, [0, 10, 100, 100]),
    ("15 Kowalik-Osborne", [.25, .39, .415, .39], [.13, -1, .12, .12], [.3, 1, 1, 1]),
    ("16 Brown-Dennis", [5, 5, -5, -1], [-10, 0, -100, -20], [100, 15, 0, .2]),
    ("18 Biggs EXP6", [1, 2, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0], [2, 8, 1, 7, 5, 5]),
    ("25 Variably dimensioned", [.5] * 10, [0] * 10, [.9] * 5 + [INF] * 5),
    ("30 Broyden tridiagonal", [-.5] * 10, [-.55] * 10, [INF] * 10),
    ("Booth", [-5, -5], [-10, -10], [.5, 10]),
    ("Himmelblau", [0, 0], [-1, -1], [2, 1.5]),
    ("Styblinski-Tang", [-1, -2], [-2, -2.5], [5, 5]),
]


def solve(f, g, x0, low, up):
    low, up = np.array(low, float), np.array(up, float)
    r = so.minimize(f, np.array(x0, float), jac=g, method="L-BFGS-B", bounds=list(zip(low, up)),
                    options=dict(ftol=0, gtol=1e-9, maxiter=5000, maxfun=20000))
    steep = np.max(np.abs(np.clip(r.x - g(r.x), low, up) - r.x))
    finite = lambda b: [None if np.isinf(v) else num(v) for v in b]
    return dict(start=vec(x0), lower=finite(low), upper=finite(up), x=vec(r.x), value=num(r.fun), steepness=num(steep),
                iterations=int(r.nit), evaluations=int(r.nfev))


def boxed(name, x0, low, up):
    if name in MGH:
        r = MGH[name][0]
        real = lambda x: np.asarray(np.real(r(np.asarray(x, complex))), float)
        f, g = lambda x: float(real(x) @ real(x)), lambda x: 2 * jac(r, x).T @ real(x)
    else:
        h = PLOT[name][0]
        f, g = lambda x: float(np.real(h(np.asarray(x, complex)))), lambda x: jac(lambda z: [h(z)], x)[0]
    return dict(problem=name, **solve(f, g, x0, low, up))


def chain():
    n = 25
    r = lambda x: np.concatenate([[x[0] - 1], 2 * (x[1:] - x[:-1] ** 2)])
    low = [1 if i % 2 == 0 else -100 for i in range(n)]
    return dict(problem="chain", **solve(lambda x: float(r(x) @ r(x)), lambda x: 2 * jac(r, x).T @ r(x), [3] * n, low, [100] * n))


def quadratic():
    rng = np.random.default_rng(5)
    n = 30
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    a = np.round((q * 10 ** np.linspace(0, 3, n)) @ q.T, 6)
    a = (a + a.T) / 2
    b = np.round(30 * rng.normal(size=n), 6)
    o = solve(lambda x: float(x @ a @ x / 2 - b @ x), lambda x: a @ x - b, [0] * n, [-1] * n, [1] * n)
    return dict(problem="quadratic", A=[vec(row) for row in a], b=vec(b), **o)


if __name__ == "__main__":
    versions = dict(scipy=scipy.__version__, numpy=np.__version__, python=platform.python_version())
    cases = [boxed(*box) for box in BOXES] + [chain(), quadratic()]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bounds.json")
    with open(path, "w") as fh:
        json.dump(dict(format="bounds-oracles/1", doc=__doc__, versions=versions, cases=cases), fh, separators=(",", ":"), allow_nan=False)
        fh.write("\n")
    for c in cases:
        at = sum(x in (l, u) for x, l, u in zip(c["x"], c["lower"], c["upper"]))
        print(f"{c['problem']:26s} {c['value']:.12g} {c['steepness']:.1e} at bounds {at} of {len(c['x'])} nit {c['iterations']} nfev {c['evaluations']}")
