"""Logistic and ridge regression by scikit-learn, with the penalties that it usually has: what ts/table/straight-line.ts is compared with.

Needs scikit-learn==1.9.1 and NumPy. Writes straight_line.json.
"""

import csv
import json
import pathlib
import platform

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge

here = pathlib.Path(__file__).parent


def numbers(x, digits=9):
    return [float(f"{value:.{digits}g}") for value in np.asarray(x).ravel()]


def case(name, x, y, classes):
    """Inputs are rounded to what 32 bits hold before they are fitted."""
    x = np.asarray(x, dtype=np.float32).astype(np.float64)
    if classes:
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=100_000).fit(x, y)
        predictions = model.predict_proba(x)
    else:
        y = (np.asarray(y) - np.mean(y)) / np.std(y)
        predictions = Ridge(alpha=1.0).fit(x, y).predict(x)
    return {
        "name": name,
        "classes": classes,
        "count": x.shape[0],
        "width": x.shape[1],
        "inputs": numbers(x),
        "targets": [int(v) for v in y] if classes else numbers(y),
        "predictions": numbers(predictions, 7),
    }


def main():
    with open(here / "../../docs/guide/iris.csv") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "species"]
    x = np.array([[float(row[name]) for name in names] for row in rows])
    x = (x - x.mean(0)) / x.std(0)
    species = sorted({row["species"] for row in rows})
    y = np.array([species.index(row["species"]) for row in rows])
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(40, 60))
    cases = [
        case("three classes", x, y, 3),
        case("two classes that no line tells apart", x[50:], y[50:] - 1, 2),
        case("a number", x[:, :3], x[:, 3], 0),
        case("more columns than rows", wide, wide[:, 0] + 0.3 * rng.normal(size=40), 0),
        case("columns that say the same", np.hstack([x, x, x[:, :1] * 10]), x[:, 3], 0),
    ]
    versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__}
    doc = "Of each case row-major inputs [count, width], targets, and predictions on the same rows: probabilities, or numbers."
    lines = ",\n".join("    " + json.dumps(one) for one in cases)
    text = f'{{\n  "doc": {json.dumps(doc)},\n  "versions": {json.dumps(versions)},\n  "cases": [\n{lines}\n  ]\n}}\n'
    (here / "straight_line.json").write_text(text)


main()
