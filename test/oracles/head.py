"""Multinomial logistic regression by scikit-learn: what the weights and probabilities of gradus/head are compared with, at the same penalty.

Vectors are rows of scikit-learn's own data sets, rounded to what 32 bits hold. The search is given the time to converge.

Needs scikit-learn==1.9.1 and NumPy. Writes head.json.
"""

import json
import pathlib
import platform

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression

here = pathlib.Path(__file__).parent


def numbers(x, digits):
    return [float(f"{value:.{digits}g}") for value in np.asarray(x).ravel()]


def case(name, data, every, c, scale, neurons=0):
    x = np.float32(data.data[::every] / scale)
    y = data.target[::every]
    behind, hidden = x.astype(np.float64), {}
    if neurons > 0:
        random = np.random.default_rng(len(x))
        w = np.float32(random.normal(size=(x.shape[1], neurons)) / np.sqrt(x.shape[1]))
        b = np.float32(random.normal(size=neurons))
        behind = np.maximum(0, behind @ w.astype(np.float64) + b)
        hidden = {"hidden": {"weights": numbers(w, 9), "bias": numbers(b, 9), "values": numbers(behind, 12)}}
    model = LogisticRegression(C=c, tol=1e-13, max_iter=1_000_000, solver="newton-cg").fit(behind, y)
    weights, bias = (model.coef_, model.intercept_)
    if len(weights) == 1:
        # two classes: scikit-learn has the difference of their weights
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return {
        "name": name,
        "l2": 1 / c,
        "count": len(x),
        "width": x.shape[1],
        "classes": len(weights),
        "vectors": numbers(x, 9),
        "labels": [int(v) for v in y],
        "weights": numbers(weights.T, 12),
        "bias": numbers(bias - bias.mean(), 12),
        "probabilities": numbers(model.predict_proba(behind), 12),
        **hidden,
    }


digits, iris, wine, cancer = load_digits(), load_iris(), load_wine(), load_breast_cancer()
spread = wine.data.std(axis=0)
cases = [
    case("ten digits, C 1", digits, 30, 1.0, 16),
    case("ten digits, C 0.01", digits, 30, 0.01, 16),
    case("ten digits, C 100", digits, 30, 100.0, 16),
    case("three flowers, C 1", iris, 1, 1.0, 1),
    case("three wines, columns of deviation 1", wine, 1, 1.0, spread),
    case("two kinds of tumours, columns of deviation 1", cancer, 3, 1.0, cancer.data.std(axis=0)),
    case("ten digits behind a hidden layer", digits, 30, 1.0, 16, 24),
    case("two kinds of tumours behind a hidden layer", cancer, 3, 1.0, cancer.data.std(axis=0), 8),
]
doc = (
    "Of each case row-major vectors [count, width] and labels, and of LogisticRegression with C = 1/l2 the weights [width, classes], the biases less"
    " their mean, and the probabilities of the same rows [count, classes]. Where there is a hidden layer, max(0, x·W + b), its values [count, neurons] are"
    " what the regression sees."
)
versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__}
lines = ",\n    ".join(json.dumps(c) for c in cases)
(here / "head.json").write_text(f'{{\n  "doc": {json.dumps(doc)},\n  "versions": {json.dumps(versions)},\n  "cases": [\n    {lines}\n  ]\n}}\n')
