"""Checks what gradus exports by those who read it, and stores what they compute: exports.json.

    node --import tsx ../../test/tools/export-files.ts     (from the root; writes .cache/exports)
    python exports.py                   (with --only REGEX the cases of these names alone; every other one stays as it is)

ONNX files go through onnx.checker and onnxruntime; weights for PyTorch and Keras into the models that the exported code makes, all of them by
name and shape. It also makes files of others for fromOnnx: nets as torch.onnx and skl2onnx write them, with Gemm and transB.
Needs onnx, onnxruntime, safetensors, torch, keras (on any backend); cases that are in ONNX alone need the first two.
"""
import argparse
import base64
import datetime
import hashlib
import json
import os
import platform
import re

os.environ.setdefault("KERAS_BACKEND", "torch")
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.cache/exports")


def digest(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def run(data, inputs):
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"input": inputs})[0]


def by_onnx(i, inputs):
    name = f"{i}.onnx"
    model = onnx.load(os.path.join(FOLDER, name))
    onnx.checker.check_model(model, full_check=True)
    output = run(model.SerializeToString(), inputs)
    # any number of rows
    assert np.allclose(run(model.SerializeToString(), inputs[:1]), output[:1], atol=1e-6)
    return {"sha256": digest(name), "output": output.astype(float).ravel().tolist(), "shape": list(output.shape)}


def by_torch(i, code, inputs):
    import safetensors.torch
    import torch
    from torch import nn

    name = f"{i}.torch.safetensors"
    tensors = safetensors.torch.load_file(os.path.join(FOLDER, name))
    model = eval(code, {"nn": nn})
    if isinstance(model, nn.Sequential):
        missing = model.load_state_dict(tensors, strict=False)
        assert not missing.unexpected_keys, missing
        assert all(key.endswith("num_batches_tracked") for key in missing.missing_keys), missing
    model.eval()
    if "nn.Conv" in code:
        inputs = np.ascontiguousarray(np.moveaxis(inputs, -1, 1))  # PyTorch has the channels of images second
    with torch.no_grad():
        output = model(torch.from_numpy(inputs)).numpy()
    if "nn.Conv" in code and output.ndim > 2:
        output = np.moveaxis(output, 1, -1)
    return {"sha256": digest(name), "code": code, "output": output.astype(float).ravel().tolist()}


def by_keras(i, code, inputs):
    import keras
    import safetensors.numpy
    from keras import layers, ops

    name = f"{i}.keras.safetensors"
    tensors = safetensors.numpy.load_file(os.path.join(FOLDER, name))
    model = eval(code, {"keras": keras, "layers": layers, "ops": ops})
    model(inputs)
    model.set_weights([tensors[key] for key in sorted(tensors)])
    output = keras.ops.convert_to_numpy(model(inputs, training=False))
    return {"sha256": digest(name), "code": code, "output": output.astype(float).ravel().tolist()}


def of_others():
    """Nets as other exporters write them."""
    random = np.random.RandomState(3)
    weights = {name: random.randn(*shape).astype(np.float32) for name, shape in [("a", (5, 3)), ("b", (5,)), ("c", (5, 2)), ("d", (2,))]}
    inputs = random.randn(4, 3).astype(np.float32)

    def model(nodes, initializers, opset=17):
        value = lambda name, n: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n])
        graph = helper.make_graph(nodes, "g", [value("input", 3)], [value("output", 2)], initializers)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made.SerializeToString()

    constant = lambda name, values: numpy_helper.from_array(np.ascontiguousarray(values), name)
    plain = [constant(name, values) for name, values in weights.items()]
    floats = [helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel().tolist()) for name, values in weights.items()]
    node = helper.make_node
    gemm = [
        node("Gemm", ["input", "a", "b"], ["x"], transB=1),
        node("Relu", ["x"], ["y"]),
        node("Gemm", ["y", "c", "d"], ["output"]),
    ]
    cases = {
        "Gemm as torch.onnx has it": (gemm, plain, 17),
        "numbers in fields of their own": (gemm, floats, 17),
        "MatMul and Add, the bias first": (
            [
                node("Identity", ["input"], ["i"]),
                node("Gemm", ["i", "a"], ["x"], transB=1, alpha=0.5),
                node("Add", ["b", "x"], ["p"]),
                node("Tanh", ["p"], ["y"]),
                node("MatMul", ["y", "c"], ["q"]),
                node("Add", ["q", "d"], ["output"]),
            ],
            plain,
            17,
        ),
        "x · sigmoid(x), Gelu": (
            [
                node("Gelu", ["input"], ["g"]),
                node("Gemm", ["g", "a", "b"], ["x"], transB=1, beta=2.0),
                node("Sigmoid", ["x"], ["s"]),
                node("Mul", ["x", "s"], ["y"]),
                node("Gemm", ["y", "c", "d"], ["output"]),
            ],
            plain,
            20,
        ),
    }
    out = []
    for name, (nodes, initializers, opset) in cases.items():
        data = model(nodes, initializers, opset)
        out.append({"name": name, "file": base64.b64encode(data).decode(), "inputs": inputs.tolist(), "output": run(data, inputs).astype(float).tolist()})
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", metavar="REGEX")
    only = parser.parse_args().only
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exports.json")
    with open(os.path.join(FOLDER, "cases.json")) as file:
        cases = json.load(file)
    known = {}
    if only:
        with open(path) as file:
            before = json.load(file)
        known = {case["name"]: case for case in before["cases"]}
    results = []
    for i, case in enumerate(cases):
        if only and not re.search(only, case["name"]):
            results.append(known[case["name"]])
            continue
        inputs = np.array(case["inputs"], dtype=np.int64 if case["dtype"].startswith("int") else np.float32).reshape(case["shape"])
        result = {"name": case["name"], "onnx": by_onnx(i, inputs)}
        if "torch" in case["codes"]:
            result["torch"] = by_torch(i, case["codes"]["torch"], inputs)
        if "keras" in case["codes"]:
            result["keras"] = by_keras(i, case["codes"]["keras"], inputs)
        if only:
            result["origin"] = f"{datetime.date.today()}, onnxruntime {onnxruntime.__version__}"
        results.append(result)
        print(case["name"])
    if only:
        out = {**before, "cases": results}
    else:
        import keras
        import torch

        versions = {m.__name__: m.__version__ for m in (onnx, onnxruntime, torch, keras, np)}
        doc = "exports of test/export/models.ts as onnxruntime, PyTorch and Keras compute them; sha256 of the files that they read"
        out = {"doc": doc, "versions": {"python": platform.python_version(), **versions}, "cases": results, "others": of_others()}
    with open(path, "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")


main()
