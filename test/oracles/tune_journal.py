"""A journal by Optuna with two studies, for test/tune/storage/optuna.test.ts: python tune_journal.py (Optuna 5) writes optuna_journal.log."""

import pathlib

import optuna

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
file = pathlib.Path(__file__).with_name("optuna_journal.log")
file.unlink(missing_ok=True)
storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))


def objective(trial):
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    trial.suggest_int("width", 8, 64, step=8)
    trial.suggest_int("size", 1, 100, log=True)
    kind = trial.suggest_categorical("kind", ["b" if trial.number > 90 else "a", 2, True, None])
    if kind == "a":
        trial.suggest_float("extra", 0, 1, step=0.25)
    trial.report(float("nan"), 0)
    trial.report(float("inf"), 1)
    trial.report(0.5, 2)
    trial.set_user_attr("note", 'NaN and "Infinity"')
    if trial.number % 4 == 3:
        raise optuna.TrialPruned
    if trial.number == 6:
        raise ValueError("wrong")
    if trial.number == 8:
        return float("nan")
    return rate


study = optuna.create_study(study_name="first", storage=storage, direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
study.optimize(objective, n_trials=14, catch=ValueError)
optuna.create_study(study_name="second", storage=storage)
