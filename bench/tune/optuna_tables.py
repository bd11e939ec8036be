"""Optuna's side of bench/tune/tables.ts: asks, while that trains.

    python optuna_tables.py DATA SPACE

First it writes tables of scikit-learn as CSV into the folder DATA. SPACE is JSON: [name, kind, low, high, log] or [name, "categorical", choices]
for each parameter. Then it reads lines of JSON: a whole number begins a study with that seed, {"value": x} says what came of the trial at hand,
null that it failed. To each it answers with the parameters of the next trial, in a line of JSON. The sampler is what
`optuna.create_study(sampler=TPESampler(seed=s))` gives.
"""

import csv
import json
import os
import sys
import warnings

import optuna
from sklearn import datasets

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
folder, space = sys.argv[1], json.loads(sys.argv[2])

os.makedirs(folder, exist_ok=True)
for name in ["breast_cancer", "diabetes", "digits"]:
    data = getattr(datasets, f"load_{name}")()
    columns = [str(column).replace(" ", "_") for column in data.feature_names]
    with open(f"{folder}/{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "target"])
        for row, target in zip(data.data.tolist(), data.target.tolist()):
            writer.writerow([*row, int(target) if float(target).is_integer() else target])
print(json.dumps({"optuna": optuna.__version__}), flush=True)

for line in sys.stdin:
    message = json.loads(line)
    if isinstance(message, int):
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=message))
    elif message is None:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, message["value"])
    trial = study.ask()
    params = {}
    for name, kind, *rest in space:
        if kind == "categorical":
            params[name] = trial.suggest_categorical(name, rest[0])
        else:
            low, high, log = rest
            suggest = trial.suggest_int if kind == "int" else trial.suggest_float
            params[name] = suggest(name, low, high, log=log)
    print(json.dumps(params), flush=True)
