"""Best values of Optuna's TPE on 20 functions of COCO's bbob, for bench/tune/regret.ts.

    python optuna_bbob.py OUT.json [--seeds 30] [--trials 100] [--part 0/1]

Functions f1 to f20 in 5 dimensions, as the package ioh has them; seed s runs on instance 1 + s % 15. Optuna's sampler is what
`optuna.create_study(sampler=TPESampler(seed=s))` gives, multivariate since Optuna 5. A row of the file is a function, with the regret
(best value found minus optimum) of each seed after all trials. `curves` has the mean log10 regret after 10, 20, … trials.
"""

import argparse
import json
import math
import time
import warnings

import ioh
import optuna

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--seeds", type=int, default=30)
parser.add_argument("--trials", type=int, default=100)
parser.add_argument("--part", default="0/1")
args = parser.parse_args()
part, parts = map(int, args.part.split("/"))
optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
DIMENSIONS = 5


def regrets(function, seed):
    problem = ioh.get_problem(function, 1 + seed % 15, DIMENSIONS, ioh.ProblemClass.BBOB)
    optimum = problem.optimum.y
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    names = [f"x{i}" for i in range(DIMENSIONS)]

    def objective(trial):
        return problem([trial.suggest_float(name, -5, 5) for name in names])

    study.optimize(objective, n_trials=args.trials)
    best, curve = math.inf, []
    for trial in study.trials:
        best = min(best, trial.value - optimum)
        curve.append(best)
    return curve


rows = {}
started = time.process_time()
for function in range(1, 21):
    if function % parts != part:
        continue
    curves = [regrets(function, seed) for seed in range(args.seeds)]
    rows[str(function)] = {
        "regret": [curve[-1] for curve in curves],
        "curve": [sum(math.log10(max(curve[i], 1e-12)) for curve in curves) / len(curves) for i in range(9, args.trials, 10)],
    }
    print(function, time.process_time() - started, flush=True)
with open(args.out, "w") as file:
    json.dump({"optuna": optuna.__version__, "trials": args.trials, "seconds": time.process_time() - started, "functions": rows}, file)
