"""The same forecasts by statsforecast and neuralforecast, for bench/forecast.ts: writes .cache/forecast/peers/<model>.json.

    pip install statsforecast==2.1.1 neuralforecast==3.3.0 && python bench/forecast/peers.py [AutoETS AutoARIMA AutoTheta NHITS TiDE]

For each set, window and series the forecasts, and the CPU seconds of the model for the set. A set that the file has is left out, so that a run which was
stopped goes on. Classics are fitted again for each window, as gradus is; nets once, before the first window, as in neuralforecast's cross-validation.

The nets have the defaults of neuralforecast, but for the options that its examples change: the robust scaler, an input of three horizons, and STEPS steps
(200 in the example of NHITS) of BATCH windows: 1,000 of 1,024 take two minutes for one forecast of AirPassengers. As in gradus, one net learns all
series of a set.
"""

import json
import logging
import pathlib
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")
folder = pathlib.Path(__file__).parents[2] / ".cache/forecast"
WINDOWS = 3
# AutoARIMA with long seasons takes minutes for a series, AutoETS estimates no season beyond 24
LONGEST_SEASON = {"AutoARIMA": 12}
STEPS = 200
# windows of a step for one series, and for several
BATCH = (64, 512)


def classic(name, known, season, horizon):
    from statsforecast import models

    if name == "AutoETS" and season > 24:
        season = 1
    options = {"approximation": True} if name == "AutoARIMA" else {}
    out = []
    for y in known:
        try:
            model = getattr(models, name)(season_length=season, **options)
            out.append([float(v) for v in model.fit(y).predict(horizon)["mean"]])
        except Exception as error:
            print(name, error)
            out.append(None)
    return out


def net(name, windows, horizon):
    import pandas as pd
    import torch
    from neuralforecast import NeuralForecast, models

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    frames = [
        pd.concat([pd.DataFrame({"unique_id": s, "ds": np.arange(len(y)), "y": y}) for s, y in enumerate(known)]) for known in windows
    ]
    trainer = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    steps = {"max_steps": STEPS, "windows_batch_size": BATCH[len(windows[0]) > 1]}
    model = getattr(models, name)(h=horizon, input_size=3 * horizon, scaler_type="robust", start_padding_enabled=True, **steps, **trainer)
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(frames[0])
    ahead = [forecaster.predict(df=frame) for frame in frames]
    return [
        [[float(v) for v in one[one["unique_id"] == s].sort_values("ds")[name]] for s in range(len(windows[0]))] for one in ahead
    ]


for name in sys.argv[1:] or ["AutoETS", "AutoTheta", "AutoARIMA", "NHITS", "TiDE"]:
    file = folder / "peers" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    found = json.loads(file.read_text()) if file.exists() else {}
    for one in json.loads((folder / "sets.json").read_text()):
        season, horizon = one["season"], one["horizon"]
        if one["name"] in found or season > LONGEST_SEASON.get(name, 10**9):
            continue
        began = time.process_time()
        known = [[np.asarray(values[: len(values) - w * horizon]) for values in one["series"]] for w in range(WINDOWS, 0, -1)]
        is_net = name in ("NHITS", "TiDE")
        windows = net(name, known, horizon) if is_net else [classic(name, own, season, horizon) for own in known]
        found[one["name"]] = {"windows": windows, "seconds": round(time.process_time() - began, 2)}
        print(name, one["name"], found[one["name"]]["seconds"], flush=True)
        file.write_text(json.dumps(found))
