"""How long a fresh process waits, in Python: for the import, for the first step of a net, and for the first step of W5, as in
start.mjs. `python start.py CONTESTANT [OPTION …]`, in .cache/peers; prints one line of JSON, milliseconds."""
import importlib
import json
import sys
import time

import numpy as np

name, *options = sys.argv[1:]
sys.path.insert(0, "contestants")


def task_of(workload):
    """One batch of a workload."""
    with open(f"data/{workload}.json") as file:
        spec = json.load(file)
    sizes, batch = spec["sizes"], spec["batch"]
    floats = lambda *shape: np.sin(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)
    y = (np.arange(batch) % max(2, sizes[-1])).astype(np.float32)[None]
    weights = [floats(a, b) for a, b in zip(sizes, sizes[1:])]
    return {**spec, "batches": 1, "x": floats(1, batch, sizes[0]), "y": y, "weights": weights, "options": options}


def first_step(workload):
    net = module.create(task_of(workload))
    started = time.perf_counter()
    net.run(1)
    return 1000 * (time.perf_counter() - started)


started = time.perf_counter()
module = importlib.import_module(name)
ready = 1000 * (time.perf_counter() - started)
print(json.dumps({"ready": ready, "first": first_step("W2"), "large": first_step("W5")}))
