"""Hypervolumes of Optuna's TPE and NSGA-II with several objectives, for bench/tune/pareto.ts.

    python optuna_pareto.py OUT.json [--seeds 10] [--trials 200]

ZDT1, ZDT2 and DTLZ2 in 8 dimensions, as bench/tune/pareto.ts has them. A row of the file is a problem and a sampler, with the hypervolume of
each seed.
"""

import argparse
import json
import math
import time
import warnings

import numpy as np
import optuna
from optuna._hypervolume import compute_hypervolume

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--seeds", type=int, default=10)
parser.add_argument("--trials", type=int, default=200)
args = parser.parse_args()
optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
DIMENSIONS = 8


def g(x):
    return 1 + 9 * sum(x[1:]) / (len(x) - 1)


def zdt1(x):
    return x[0], g(x) * (1 - math.sqrt(x[0] / g(x)))


def zdt2(x):
    return x[0], g(x) * (1 - (x[0] / g(x)) ** 2)


def dtlz2(x):
    radius = 1 + sum((v - 0.5) ** 2 for v in x[2:])
    a, b = x[0] * math.pi / 2, x[1] * math.pi / 2
    return radius * math.cos(a) * math.cos(b), radius * math.cos(a) * math.sin(b), radius * math.sin(a)


PROBLEMS = {"zdt1": (zdt1, [1.1, 11]), "zdt2": (zdt2, [1.1, 11]), "dtlz2": (dtlz2, [2.5, 2.5, 2.5])}
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler}


def volume(problem, sampler, seed):
    function, reference = PROBLEMS[problem]
    study = optuna.create_study(directions=["minimize"] * len(reference), sampler=SAMPLERS[sampler](seed=seed))
    study.optimize(lambda trial: function([trial.suggest_float(f"x{i}", 0, 1) for i in range(DIMENSIONS)]), n_trials=args.trials)
    values = np.array([trial.values for trial in study.best_trials])
    values = values[np.all(values < reference, axis=1)]
    return float(compute_hypervolume(values, np.array(reference, dtype=float)))


rows = []
for problem in PROBLEMS:
    for sampler in SAMPLERS:
        started = time.process_time()
        volumes = [volume(problem, sampler, seed) for seed in range(args.seeds)]
        rows.append({"problem": problem, "sampler": sampler, "volumes": volumes, "seconds": time.process_time() - started})
        print(problem, sampler, round(float(np.median(volumes)), 3), round(rows[-1]["seconds"], 1), flush=True)
with open(args.out, "w") as file:
    text = json.dumps({"optuna": optuna.__version__, "trials": args.trials, "seeds": args.seeds, "rows": rows})
    file.write(text.replace('{"problem"', '\n{"problem"') + "\n")
