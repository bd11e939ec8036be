"""The same forecasts by statsforecast, for bench/forecast.ts: writes .cache/forecast/peers.json.

    pip install statsforecast==2.1.1 && python bench/forecast/peers.py

For each set, window and series the forecasts of each model, and the CPU seconds of each model over all of them.
"""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

warnings.simplefilter("ignore")
folder = pathlib.Path(__file__).parents[2] / ".cache/forecast"
WINDOWS = 3
MODELS = {
    "AutoETS": lambda m: AutoETS(season_length=m),
    "AutoARIMA": lambda m: AutoARIMA(season_length=m, approximation=True),
    "AutoTheta": lambda m: AutoTheta(season_length=m),
}
# AutoARIMA with long seasons takes minutes for a series, AutoETS estimates no season beyond 24
SLOW = {"AutoARIMA": 12}
only = sys.argv[1:] or list(MODELS)

file = folder / "peers.json"
found = json.loads(file.read_text()) if file.exists() else {}
for one in json.loads((folder / "sets.json").read_text()):
    for model in only:
        key = f"{one['name']}/{model}"
        if key in found or one["season"] > SLOW.get(model, 10**9):
            continue
        began = time.process_time()
        windows = []
        for w in range(WINDOWS, 0, -1):
            forecasts = []
            for values in one["series"]:
                y = np.asarray(values[: len(values) - w * one["horizon"]])
                m = one["season"]
                if model == "AutoETS" and m > 24:
                    m = 1
                try:
                    forecasts.append([float(v) for v in MODELS[model](m).fit(y).predict(one["horizon"])["mean"]])
                except Exception as error:
                    print(key, w, error)
                    forecasts.append(None)
            windows.append(forecasts)
        found[key] = {"windows": windows, "seconds": time.process_time() - began}
        print(key, round(found[key]["seconds"], 1), flush=True)
        file.write_text(json.dumps(found))
