"""Values of COCO's bbob functions, for test/tune/samplers/bbob.test.ts: python bbob.py (the package ioh)."""

import json
import pathlib
import random

import ioh

random.seed(1)
points = [[round(random.uniform(-5, 5), 6) for _ in range(5)] for _ in range(4)] + [[0] * 5, [4.9, -4.9, 4.5, -5, 5]]
rows = []
for function in range(1, 21):
    for instance in (1, 2, 7, 15):
        problem = ioh.get_problem(function, instance, 5, ioh.ProblemClass.BBOB)
        rows.append({"function": function, "instance": instance, "optimum": problem.optimum.y, "values": [problem(point) for point in points]})
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps({"points": points, "rows": rows}))
