"""Scores of the field on the tables that export.py wrote:

    python field.py FOLDER RESULTS [--seeds 0,1,2] [--only ames,oj] [--who XGB_TD,TabM_D] [--bags] [--limit 300]
    python field.py FOLDER RESULTS --who "AutoGluon medium,AutoGluon best"

The meta-tuned defaults of pytabkit, CatBoost_TD, LGBM_TD, XGB_TD, RealMLP_TD and TabM_D, for classes with early stopping by the log loss and no label
smoothing, as its documents advise for probabilities; and scikit-learn's HistGradientBoosting with its defaults. All see what a person would hand over:
texts as categories; days as a number and their parts; without columns of another text in each row; for pytabkit, which takes no gaps in numbers, with
the median there and a column of yes and no. Its nets and trees set a fifth of the training rows aside for early stopping. --bags: the mean of five
trainings instead, each of which sets another fifth aside (n_cv=5).

AutoGluon's presets medium_quality and best_quality have a minute of CPU for each table. AutoGluon needs other versions of some packages, so it runs in an
environment of its own (requirements-autogluon.txt).

RESULTS is written after each score; scores that are there are kept, so that the program goes on where it was stopped. One thread, --limit CPU seconds
a training at most: null says that there was no result by then.
"""

import argparse
import datetime
import importlib
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

warnings.filterwarnings("ignore")
FORK = get_context("fork")
BAG = ", bag of 5"
# the quickest first
WHO = ("HistGradientBoosting", "LGBM_TD", "XGB_TD", "CatBoost_TD", "RealMLP_TD", "TabM_D")
AUTOGLUON = {"AutoGluon medium": "medium_quality", "AutoGluon best": "best_quality"}
AUTOGLUON_SECONDS = 60


def main():
    given = argparse.ArgumentParser()
    given.add_argument("folder", type=Path)
    given.add_argument("results", type=Path)
    given.add_argument("--seeds", default="0,1,2")
    given.add_argument("--only")
    given.add_argument("--who")
    given.add_argument("--limit", type=int, default=300)
    given.add_argument("--bags", action="store_true")
    options = given.parse_args()
    about = json.loads((options.folder / "tables.json").read_text())
    names = options.only.split(",") if options.only else [name for name in about if about[name]["field"]]
    # small tables first
    names.sort(key=lambda name: about[name]["rows"] * about[name]["columns"])
    # only pytabkit makes bags
    contestants = options.who.split(",") if options.who else WHO[1:] if options.bags else WHO
    # children find the packages loaded
    for who in contestants:
        importlib.import_module("autogluon.tabular" if who in AUTOGLUON else "sklearn" if who == "HistGradientBoosting" else "pytabkit")
    for seed in options.seeds.split(","):
        for who in (one + BAG if options.bags else one for one in contestants):
            for name in names:
                if who in known(options.results).get(name, {}).get(seed, {}):
                    continue
                scores = in_child(options.limit, options.folder, name, about[name], int(seed), who)
                # another run may have written meanwhile
                now = known(options.results)
                now.setdefault(name, {}).setdefault(seed, {})[who] = scores
                options.results.write_text(json.dumps(now, indent=1) + "\n")
                print(name, seed, who, scores, flush=True)


def known(results):
    return json.loads(results.read_text()) if results.exists() else {}


def in_child(limit, *work):
    """The scores, from a process whose time is limited: null if it did not finish."""
    receive, send = FORK.Pipe(duplex=False)
    child = FORK.Process(target=score, args=(send, limit, *work))
    child.start()
    send.close()
    try:
        scores = receive.recv()
    except EOFError:
        scores = None
    child.join()
    if child.exitcode > 0:
        sys.exit(f"failed: {work}")
    return scores


def score(send, limit, *work):
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    send.send(scores_of(*work))


def frames_of(folder, name, target, seed):
    read = lambda part: pd.read_csv(folder / f"{name}.{seed}.{part}.csv", keep_default_na=False, na_values=["", "NA"], low_memory=False)
    train, test = read("train"), read("test")
    parts = []
    for frame in (train, test):
        inputs = frame.drop(columns=target)
        for column in list(inputs.columns):
            if train[column].dtype != object:
                continue
            days = pd.to_datetime(train[column], format="%Y-%m-%d", errors="coerce")
            if days.notna().all():
                days = pd.to_datetime(inputs.pop(column))
                of_day = {"day": days.dt.dayofyear, "weekday": days.dt.dayofweek, "time": days.astype("int64") / 864e11}
                inputs = inputs.assign(**{f"{column} {part}": values.astype(float) for part, values in of_day.items()})
            elif train[column].nunique() > 0.9 * len(train):
                inputs = inputs.drop(columns=column)
            else:
                inputs[column] = pd.Categorical(inputs[column], categories=sorted(train[column].dropna().unique()))
        parts.append((inputs, frame[target]))
    return parts


def scores_of(folder, name, about, seed, who):
    isClasses = about["task"] == "classification"
    (train, y), (test, truth) = frames_of(folder, name, about["target"], seed)
    model = model_of(who, isClasses, seed, train)
    if who != "HistGradientBoosting" and who not in AUTOGLUON:
        train, test = without_gaps(train, test)
    started = time.process_time()
    if isClasses:
        labels = sorted(y.unique())
        y, truth = (values.map(labels.index) for values in (y, truth))
    model.fit(train, y)
    if isClasses:
        answers = model.predict_proba(test)
        chosen = np.argmax(answers, axis=1)
        answers = np.clip(np.asarray(answers, float), 1e-7, 1)
        answers /= answers.sum(axis=1, keepdims=True)
        scores = {"loss": log_loss(truth, answers, labels=range(len(labels))), "accuracy": accuracy_score(truth, chosen)}
        if len(labels) == 2:
            scores["rocAuc"] = roc_auc_score(truth, answers[:, 1])
    else:
        answers = np.asarray(model.predict(test), float).ravel()
        scores = {"loss": root_mean_squared_error(truth, answers), "r2": r2_score(truth, answers)}
    cpu = time.process_time() - started
    return {**{key: float(f"{value:.6g}") for key, value in scores.items()}, "cpu": round(cpu, 1), "date": str(datetime.date.today())}


def without_gaps(train, test):
    for column in list(train.columns):
        if train[column].dtype.name == "category" or not train[column].isna().any():
            continue
        for frame in (train, test):
            frame[f"{column} is missing"] = frame[column].isna().astype(float)
    numbers = [c for c in train.columns if train[c].dtype.name != "category"]
    return [frame.fillna(train[numbers].median()) for frame in (train, test)]


def model_of(who, isClasses, seed, train):
    if who == "HistGradientBoosting":
        kind = HistGradientBoostingClassifier if isClasses else HistGradientBoostingRegressor
        return kind(categorical_features="from_dtype", random_state=seed)
    if who in AUTOGLUON:
        return AutoGluon(AUTOGLUON[who], isClasses)
    import pytabkit

    kind = getattr(pytabkit, f"{who.removesuffix(BAG)}_{'Classifier' if isClasses else 'Regressor'}")
    # as pytabkit advises for probabilities
    more = {"val_metric_name": "cross_entropy"} if isClasses else {}
    if isClasses and who.startswith("RealMLP_TD"):
        more["use_ls"] = False
    return kind(device="cpu", n_threads=1, random_state=seed, n_cv=5 if who.endswith(BAG) else 1, **more)


class AutoGluon:
    """A preset of AutoGluon with a minute. Its clock counts the CPU time of the process, so that other work of the machine takes nothing from the minute."""

    def __init__(self, preset, isClasses):
        self.preset, self.isClasses = preset, isClasses

    def fit(self, train, y):
        from autogluon.tabular import TabularPredictor

        began = time.time()
        time.time = lambda: began + time.process_time()
        kind = "regression" if not self.isClasses else "binary" if y.nunique() == 2 else "multiclass"
        metric = "log_loss" if self.isClasses else "root_mean_squared_error"
        self.folder = tempfile.TemporaryDirectory()
        self.predictor = TabularPredictor(y.name, problem_type=kind, eval_metric=metric, path=f"{self.folder.name}/predictor", verbosity=0)
        self.classes = range(y.nunique())
        self.predictor.fit(
            train.assign(**{y.name: y}),
            presets=self.preset,
            time_limit=AUTOGLUON_SECONDS,
            num_cpus=1,
            num_gpus=0,
            ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
        )

    def predict(self, test):
        return self.predictor.predict(test)

    def predict_proba(self, test):
        return self.predictor.predict_proba(test).reindex(columns=self.classes, fill_value=0)


if __name__ == "__main__":
    main()
