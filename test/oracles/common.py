"""Shared by dense_nets.py and ops.py: one deterministic float64 thread, dyadic random numbers, compact json."""
import json, os, platform

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import torch

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
torch.set_default_dtype(torch.float64)

VERSIONS = dict(python=platform.python_version(), numpy=np.__version__, torch=torch.__version__, machine=platform.machine(),
                cpu=torch.backends.cpu.get_cpu_capability())


def dyadic(a, bits):
    """Round to multiples of 2^-bits: exact in float32, float64 and in a short decimal."""
    return np.round(np.asarray(a, dtype=np.float64) * 2 ** bits) / 2 ** bits


def plain(v):
    """Arrays and tensors to nested lists; integral floats to ints (json '1' instead of '1.0'); shortest repr else."""
    if torch.is_tensor(v):
        v = v.detach().numpy()
    if isinstance(v, np.ndarray):
        v = v.tolist()
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        assert np.isfinite(v)
        return 0 if v == 0 else int(v) if v.is_integer() and abs(v) < 2 ** 53 else v
    return v


def write(path, head, cases):
    """Compact json, one case a line."""
    enc = lambda v: json.dumps(plain(v), separators=(",", ":"), allow_nan=False)
    with open(path, "w") as f:
        f.write(enc(head)[:-1] + ',"cases":[\n' + ",\n".join(enc(c) for c in cases) + "\n]}\n")
    print(f"{path}: {len(cases)} cases, {os.path.getsize(path)} bytes")


def out_path(script, argv, name):
    return argv[1] if len(argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(script)), name)
