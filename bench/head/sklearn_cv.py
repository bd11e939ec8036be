"""scikit-learn's LogisticRegressionCV on the sets of embed.py, on the five parts that bench/head.ts uses.

    .cache/venv/bin/python bench/head/sklearn_cv.py .cache/head

Writes <name>.sklearn.json: whether each row was right where it was left out, its loss, and milliseconds of CPU for one training. A set that has one is kept.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegressionCV

FOLDER = Path(sys.argv[1])
# numbers of a set times its classes, and seconds of CPU
MOST_WORK, MOST_SECONDS = 1e7, 3600

for about in sorted(FOLDER.glob("*.json")):
    if about.name.endswith(".sklearn.json") or about.with_suffix(".sklearn.json").exists():
        continue
    data = json.loads(about.read_text())
    x = np.fromfile(about.with_suffix(".f32"), "<f4").reshape(data["count"], data["width"]).astype(np.float64)
    y = np.array(data["labels"])
    part = ((np.arange(len(x), dtype=np.uint64) * 0x9E3779B1 & 0xFFFFFFFF) >> 16) % 5
    # a grid of ten penalties takes hours of wide vectors with many classes: three powers of ten around the usual one, in three parts, are left of it
    wide = x.size * len(set(y)) > MOST_WORK
    how = {"Cs": [0.01, 0.1, 1.0], "cv": 3, "max_iter": 300} if wide else {"max_iter": 1000}
    right, losses, start = np.zeros(len(x), int), np.zeros(len(x)), time.process_time()
    for p in range(5):
        model = LogisticRegressionCV(use_legacy_attributes=False, **how).fit(x[part != p], y[part != p])
        probabilities = model.predict_proba(x[part == p])
        own = np.searchsorted(model.classes_, y[part == p])
        right[part == p] = probabilities.argmax(axis=1) == own
        losses[part == p] = -np.log(np.maximum(probabilities[np.arange(len(own)), own], 1e-15))
        if time.process_time() - start > MOST_SECONDS:
            break
    else:
        found = {"cpu": 1000 * (time.process_time() - start) / 5, "wide": wide, "right": right.tolist(), "losses": losses.round(6).tolist()}
        about.with_suffix(".sklearn.json").write_text(json.dumps(found))
        print(about.stem, right.mean(), losses.mean(), found["cpu"], flush=True)
        continue
    print(about.stem, "took more than", MOST_SECONDS, "s", flush=True)
