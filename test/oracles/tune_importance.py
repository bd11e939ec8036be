"""Importances by Optuna's PED-ANOVA, for test/tune/importance.test.ts: python tune_importance.py (Optuna 5)."""

import json
import math
import pathlib
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def net(trial):
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    width = trial.suggest_int("width", 4, 256, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    dropout = trial.suggest_float("dropout", 0, 0.5, step=0.1)
    kind = trial.suggest_categorical("kind", ["SGD", "Adam", "Lion"])
    loss = (math.log10(rate) + 2.5) ** 2 + 0.1 * abs(math.log2(width) - 6) + 0.05 * layers + dropout / 5 + {"SGD": 0.5, "Adam": 0, "Lion": 0.1}[kind]
    if kind == "SGD":
        loss -= trial.suggest_float("momentum", 0, 1) * 0.4
    return loss


def bowl(trial):
    return -sum((trial.suggest_float(f"x{i}", -5, 5) - i) ** 2 * 10**-i for i in range(4))


cases = []
for name, objective, direction, sampler, trials in [
    ("net by TPE", net, "minimize", optuna.samplers.TPESampler(seed=1), 120),
    ("net at random", net, "minimize", optuna.samplers.RandomSampler(seed=2), 200),
    ("bowl, maximized", bowl, "maximize", optuna.samplers.RandomSampler(seed=3), 80),
    ("few", bowl, "maximize", optuna.samplers.RandomSampler(seed=4), 12),
]:
    study = optuna.create_study(direction=direction, sampler=sampler)
    study.optimize(objective, n_trials=trials)
    for good, among in [(0.1, 1.0), (0.25, 0.5)]:
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=good, region_quantile=among)
        cases.append(
            {
                "name": f"{name}, best {good} among {among}",
                "direction": direction,
                "good": good,
                "among": among,
                "space": {k: json.loads(optuna.distributions.distribution_to_json(d)) for t in study.trials for k, d in t.distributions.items()},
                "trials": [{"params": t.params, "value": t.value} for t in study.trials],
                "importance": dict(optuna.importance.get_param_importances(study, evaluator=evaluator)),
            }
        )
file = pathlib.Path(__file__).with_suffix(".json")
file.write_text(json.dumps({"optuna": optuna.__version__, "cases": cases}))
