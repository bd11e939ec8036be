"""Optuna's figures for bench/tune/speed.ts, as JSON: the same studies with its default sampler, in memory, in time of the processor."""

import json
import statistics
import time
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
FINISHED, ASKS, REPORTS = 1000, 20, 20

SPACES = {
    "five numbers": {f"x{i}": FloatDistribution(-5, 5) for i in range(5)},
    "a net": {
        "learningRate": FloatDistribution(1e-5, 1, log=True),
        "beta": FloatDistribution(0.5, 0.999),
        "width": IntDistribution(8, 256, log=True),
        "layers": IntDistribution(1, 4),
        "activation": CategoricalDistribution(["relu", "tanh", "gelu"]),
        "batchSize": CategoricalDistribution([16, 32, 64, 128]),
        "weightDecay": FloatDistribution(1e-6, 0.1, log=True),
    },
}


def value(params):
    return sum((x - 0.3) ** 2 if isinstance(x, (int, float)) else len(x) for x in params.values())


def cost(work):
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


figures = {}
for name, space in SPACES.items():
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))

    def run(trials):
        for _ in range(trials):
            trial = study.ask(space)
            study.tell(trial, value(trial.params))

    figures[f"1000 trials, {name}"] = cost(lambda: run(FINISHED))[0]
    times = []
    for _ in range(ASKS):
        seconds, trial = cost(lambda: study.ask(space))
        times.append(1000 * seconds)
        study.tell(trial, value(trial.params))
    figures[f"ask(), {name}, {FINISHED} finished"] = statistics.median(times)

pruners = {
    "median": optuna.pruners.MedianPruner(),
    "asha": optuna.pruners.SuccessiveHalvingPruner(),
    "hyperband": optuna.pruners.HyperbandPruner(max_resource=REPORTS),
}
for name, pruner in pruners.items():
    study = optuna.create_study(direction="maximize", pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(FINISHED):
        trial = study.ask(SPACES["five numbers"])
        for step in range(1, REPORTS + 1):
            trial.report(-value(trial.params) - 1 / step, step)
        study.tell(trial, -value(trial.params))
    trial = study.ask(SPACES["five numbers"])
    times = []
    for step in range(1, REPORTS + 1):
        times.append(1000 * cost(lambda: (trial.report(-step, step), trial.should_prune()))[0])
    figures[f"report and shouldPrune, {name}"] = statistics.median(times)
print(json.dumps(figures))
