"""Scores of scikit-learn on the tables that export.py wrote: python scikit.py FOLDER > scikit.json

mlp: MLPClassifier or MLPRegressor with their defaults behind the usual pipeline: numbers with gaps filled in by the median and standardized,
texts by the commonest one and one-hot; targets of the regressor are standardized, too. Columns that are another text in each row, and those
that number the rows, are left out, as a person would.
trees: HistGradientBoosting with its defaults, texts as its categories.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
SEEDS = (0, 1, 2)


def score(model, task, test, target):
    truth = test[target]
    inputs = test.drop(columns=[target])
    if task == "regression":
        said = model.predict(inputs)
        return {"r2": r2_score(truth, said), "rmse": root_mean_squared_error(truth, said)}
    return {
        "accuracy": accuracy_score(truth, model.predict(inputs)),
        "logLoss": log_loss(truth, model.predict_proba(inputs), labels=model.classes_),
    }


def run(folder, name, target, task, seed):
    train = pd.read_csv(folder / f"{name}.{seed}.train.csv")
    test = pd.read_csv(folder / f"{name}.{seed}.test.csv")
    useless = [c for c in train.columns if c == "rownames" or (train[c].dtype == object and train[c].nunique() > 0.9 * len(train))]
    train, test = train.drop(columns=useless), test.drop(columns=useless)
    inputs, truth = train.drop(columns=[target]), train[target]
    texts = [c for c in inputs.columns if inputs[c].dtype == object]
    numbers = [c for c in inputs.columns if c not in texts]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), texts),
        ]
    )
    out = {}
    started = time.perf_counter()
    if task == "regression":
        mlp = TransformedTargetRegressor(make_pipeline(prepare, MLPRegressor(random_state=seed)), transformer=StandardScaler())
    else:
        mlp = make_pipeline(prepare, MLPClassifier(random_state=seed))
    mlp.fit(inputs, truth)
    out["mlp"] = {**score(mlp, task, test, target), "seconds": time.perf_counter() - started}
    started = time.perf_counter()
    for frame in (inputs, test):
        for c in texts:
            frame[c] = pd.Categorical(frame[c], categories=sorted(inputs[c].dropna().unique()) if frame is inputs else inputs[c].cat.categories)
    trees = (HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier)(
        categorical_features="from_dtype", random_state=seed
    )
    trees.fit(inputs, truth)
    out["trees"] = {**score(trees, task, test, target), "seconds": time.perf_counter() - started}
    return out


def main(folder):
    folder = Path(folder)
    about = json.loads((folder / "tables.json").read_text())
    results = {
        name: [run(folder, name, table["target"], table["task"], seed) for seed in SEEDS] for name, table in about.items()
    }
    print(json.dumps({"scikit-learn": sklearn.__version__, "numpy": np.__version__, "results": results}, indent=1))


main(sys.argv[1])
