"""scikit-learn's LogisticRegressionCV on the sets of embed.py, on the five parts that bench/head.ts uses.

    .cache/venv/bin/python bench/head/sklearn_cv.py .cache/head

Writes <name>.sklearn.json: accuracy and log loss on rows that were left out, and milliseconds of CPU for one training.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegressionCV

FOLDER = Path(sys.argv[1])

for about in sorted(FOLDER.glob("*.json")):
    if about.name.endswith(".sklearn.json"):
        continue
    data = json.loads(about.read_text())
    x = np.fromfile(about.with_suffix(".f32"), "<f4").reshape(data["count"], data["width"]).astype(np.float64)
    y = np.array(data["labels"])
    part = ((np.arange(len(x), dtype=np.uint64) * 0x9E3779B1 & 0xFFFFFFFF) >> 16) % 5
    right, loss, start = 0, 0.0, time.process_time()
    for p in range(5):
        model = LogisticRegressionCV(max_iter=1000, use_legacy_attributes=False).fit(x[part != p], y[part != p])
        probabilities = model.predict_proba(x[part == p])
        own = np.searchsorted(model.classes_, y[part == p])
        right += int((probabilities.argmax(axis=1) == own).sum())
        loss -= float(np.log(np.maximum(probabilities[np.arange(len(own)), own], 1e-15)).sum())
    found = {"accuracy": right / len(x), "logLoss": loss / len(x), "cpu": 1000 * (time.process_time() - start) / 5}
    about.with_suffix(".sklearn.json").write_text(json.dumps(found))
    print(about.stem, found, flush=True)
