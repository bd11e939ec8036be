"""Logistic and ridge regression by scikit-learn at its defaults, with which ts/table/search/straight-line.ts and `hidden: []` are compared.

Numbers go through StandardScaler, categories through OneHotEncoder. LogisticRegression is given the time to converge; its penalty is the usual one.

Needs scikit-learn==1.9.1, pandas and NumPy. Writes straight_line.json.
"""

import csv
import json
import pathlib
import platform

import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

here = pathlib.Path(__file__).parent


def numbers(x, digits=9):
    return [float(f"{value:.{digits}g}") for value in np.asarray(x).ravel()]


def logistic(class_weight=None):
    return LogisticRegression(class_weight=class_weight, tol=1e-12, max_iter=100_000)


def case(name, x, y, classes, scaled=None, class_weight=None):
    """Inputs are rounded to what 32 bits hold before they are fitted. Columns in `scaled`, or all, are standardized."""
    x = np.asarray(x, dtype=np.float32).astype(np.float64)
    scaled = list(range(x.shape[1])) if scaled is None else scaled
    scaler = ColumnTransformer([("numbers", StandardScaler(), scaled)], remainder="passthrough")
    if classes:
        model = make_pipeline(scaler, logistic(class_weight)).fit(x, y)
        predictions = model.predict_proba(x)
    else:
        y = np.float32((np.asarray(y) - np.mean(y)) / np.std(y)).astype(np.float64)
        predictions = make_pipeline(scaler, Ridge()).fit(x, y).predict(x)
    return {
        "name": name,
        "classes": classes,
        "count": x.shape[0],
        "width": x.shape[1],
        "scaled": scaled,
        **({"classWeights": class_weight} if class_weight else {}),
        "inputs": numbers(x),
        "targets": [int(v) for v in y] if classes else numbers(y),
        "predictions": numbers(predictions, 10),
    }


def table(name, frame, target, classes):
    """Of a whole table: every fifth row is predicted by a model of the others."""
    test = np.arange(len(frame)) % 5 == 0
    inputs = frame.drop(columns=[target])
    texts = [c for c in inputs if not pd.api.types.is_numeric_dtype(inputs[c])]
    encoder = ColumnTransformer(
        [("numbers", StandardScaler(), [c for c in inputs if c not in texts]), ("texts", OneHotEncoder(), texts)]
    )
    model = make_pipeline(encoder, logistic() if classes else Ridge()).fit(inputs[~test], frame[target][~test])
    answers = model.predict_proba(inputs[test]) if classes else model.predict(inputs[test])
    return {"name": name, "target": target, "predictions": numbers(answers, 10)}


def lagged(y, lags):
    return np.array([[y[t - k] for k in range(1, lags + 1)] for t in range(lags, len(y))]), np.array(y[lags:])


def main():
    with open(here / "../../docs/guide/iris.csv") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "species"]
    x = np.array([[float(row[name]) for name in names] for row in rows])
    species = sorted({row["species"] for row in rows})
    y = np.array([species.index(row["species"]) for row in rows])
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(40, 60))
    kinds = np.eye(5)[rng.integers(0, 5, 120)]
    money = np.hstack([np.exp(rng.normal(10, 2, (120, 2))), kinds])
    trend = [100 + 3 * t + 20 * np.sin(t / 2) + rng.normal(0, 5) for t in range(124)]
    rare = (x[:, 0] + rng.normal(0, 0.5, len(x)) > 7).astype(int)
    cases = [
        case("three classes", x, y, 3),
        case("two classes that no line tells apart", x[y > 0], y[y > 0] - 1, 2),
        case("a number", x[:, :3], x[:, 3], 0),
        case("more columns than rows", wide, wide[:, 0] + 0.3 * rng.normal(size=40), 0),
        case("columns that say the same", np.hstack([x, x, x[:, :1] * 10]), x[:, 3], 0),
        case("huge numbers and categories", money, np.log(money[:, 0]) + kinds @ np.arange(5), 0, [0, 1]),
        case("a series with a trend", *lagged(trend, 24), 0),
        case("a rare class, balanced", x, rare, 2, None, "balanced"),
        case("three classes, balanced", np.vstack([x[:70], kinds[:70, :4]]), np.r_[y[:70], np.full(70, 2)], 3, [1], "balanced"),
    ]
    penguins = pd.read_csv(here / "../../docs/guide/penguins.csv").dropna()
    tables = [table("penguins", penguins, "body_mass_g", False), table("penguins", penguins, "species", True)]
    versions = {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
    }
    doc = (
        "Of each case row-major inputs [count, width], of which the scaled ones are standardized, targets, and predictions on the same rows: "
        "probabilities, or numbers. Of each table, whose rows with gaps are left out, predictions of every fifth row by a model of the others."
    )
    lists = ",\n".join(
        f'  "{key}": [\n' + ",\n".join("    " + json.dumps(one) for one in some) + "\n  ]"
        for key, some in {"cases": cases, "tables": tables}.items()
    )
    text = f'{{\n  "doc": {json.dumps(doc)},\n  "versions": {json.dumps(versions)},\n{lists}\n}}\n'
    (here / "straight_line.json").write_text(text)


main()
