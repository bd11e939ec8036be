"""What Python's Optuna does with a journal of gradus: check.py read|more|both FILE."""

import json
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
mode, file = sys.argv[1:3]
storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(file))


def objective(trial):
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    width = trial.suggest_int("width", 4, 64)
    kind = trial.suggest_categorical("kind", ["SGD", "Adam"])
    momentum = trial.suggest_float("momentum", 0, 1) if kind == "SGD" else 0
    for step in range(3):
        trial.report(1 / (step + 1), step)
    return rate + width / 64 + momentum


study = optuna.load_study(study_name="study", storage=storage, sampler=optuna.samplers.TPESampler(seed=1), pruner=optuna.pruners.NopPruner())
if mode != "read":
    study.optimize(objective, n_trials=20)
print(
    json.dumps(
        {
            "direction": study.direction.name,
            "best": study.best_value,
            "trials": [
                {
                    "number": t.number,
                    "state": t.state.name,
                    "value": t.value,
                    "params": t.params,
                    "reports": t.intermediate_values,
                    "log": t.distributions["rate"].log,
                    "constraints": t.constraints,
                    "attributes": t.user_attrs,
                }
                for t in study.trials
            ],
            "importance": list(optuna.importance.get_param_importances(study)),
        }
    )
)
