"""One Python contestant on one workload, in a process of its own: `python harness.py CONTESTANT WORKLOAD [OPTION …]`, in
.cache/peers. Prints one line of JSON; what is measured, and how, is as in harness.mjs."""
import importlib
import json
import os
import platform
import statistics
import sys
import time

# numpy asks when it is imported; on two cores others may use both
if "threads" not in sys.argv:
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np

PATIENCE, WINDOWS, WINDOW, LEARNED, MAX_EPOCHS = 6, 7, 0.3, 0.5, 400
name, workload, *options = sys.argv[1:]
sys.path.insert(0, "contestants")
module = importlib.import_module(name)
with open(f"data/{workload}.json") as file:
    spec = json.load(file)


def read_task(start=0):
    """Inputs, targets (as in the file, floats), and the weights of one start, batch by batch."""
    floats = np.fromfile(f"data/{workload}.bin", dtype=np.float32)
    sizes, batch, batches = spec["sizes"], spec["batch"], spec["batches"]
    count = batch * batches
    at = count * sizes[0]
    x = floats[:at].reshape(batches, batch, sizes[0])
    y = floats[at : at + count].reshape(batches, batch)
    at += count
    counts = [a * b for a, b in zip(sizes, sizes[1:])]
    at += start * sum(counts)
    weights = []
    for i, n in enumerate(counts):
        weights.append(floats[at : at + n].reshape(sizes[i], sizes[i + 1]).copy())
        at += n
    return {**spec, "x": x, "y": y, "weights": weights, "options": options}


def learn(net):
    first = net.loss()
    started, epochs, last = time.perf_counter(), 0, first
    while epochs < 2 or (last >= LEARNED * first and time.perf_counter() - started < PATIENCE and epochs < MAX_EPOCHS):
        net.run(1)
        epochs += 1
        last = net.loss()
    each = (time.perf_counter() - started) / epochs
    return each, {"first": first, "last": last, "epochs": epochs, "learned": last < LEARNED * first}


def measure_steps():
    net = module.create(read_task())
    each, learning = learn(net)
    epochs, speeds = max(1, round(WINDOW / each)), []
    for i in range(-2, WINDOWS):
        started = time.perf_counter()
        net.run(epochs)
        elapsed = time.perf_counter() - started
        if i >= 0:
            speeds.append(epochs * spec["batches"] / elapsed)
        else:
            epochs = max(1, round(epochs * WINDOW / elapsed))
    return {"best": max(speeds), "median": statistics.median(speeds), **learning}


def measure_update():
    optimizer, n, times = module.create({**spec, "options": options}), spec["sizes"][0], []
    for i in range(25):
        started = time.perf_counter()
        optimizer.step()
        if i > 2:
            times.append((time.perf_counter() - started) * 1e9 / n)
    drift = optimizer.drift()
    return {"best": min(times), "median": statistics.median(times), "learned": drift < 0, "drift": drift}


def measure_reach():
    times, epochs = [], []
    for start in range(1 if "once" in options else spec["starts"]):
        net = module.create(read_task(start))
        started, took = time.perf_counter(), 0
        while took < MAX_EPOCHS:
            net.run(1)
            took += 1
            if net.accuracy() >= 0.97:
                break
        times.append((time.perf_counter() - started) * 1000)
        epochs.append(took)
    learned = all(n < MAX_EPOCHS for n in epochs)
    return {"best": min(times), "median": statistics.median(times), "learned": learned, "epochs": epochs}


measure = {"steps": measure_steps, "update": measure_update, "reach": measure_reach}[spec["kind"]]
result = measure()
versions = {"python": platform.python_version(), **module.versions}
print(json.dumps({**result, "versions": versions}))
