"""Files by Python's safetensors, base64, with the numbers in them: every dtype that gradus reads, shapes of every rank, no tensors at all."""
import base64, platform, sys

import numpy as np
import safetensors, torch
from safetensors.torch import save

from common import out_path, write

I = lambda *v: torch.tensor(v)
CASES = {
    "a model": ({"1.bias": torch.tensor([0.5, -0.0, 1e-40]), "0.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 3}, {"made": "by torch, «so»"}),
    "every dtype": ({
        "f64": torch.tensor([np.pi, -1e300, 5e-324], dtype=torch.float64), "f32": torch.tensor([3.4e38, -1.5, 1e-45], dtype=torch.float32),
        "i64": torch.tensor([-2 ** 63, 2 ** 53 + 1]), "u64": torch.tensor([2 ** 64 - 1, 1], dtype=torch.uint64),
        "i32": torch.tensor([-2 ** 31, 7], dtype=torch.int32), "u32": torch.tensor([2 ** 32 - 1], dtype=torch.uint32),
        "i16": torch.tensor([-2 ** 15, 2], dtype=torch.int16), "u16": torch.tensor([2 ** 16 - 1], dtype=torch.uint16),
        "i8": torch.tensor([-128, 127, 3], dtype=torch.int8), "u8": torch.tensor([255], dtype=torch.uint8)}, None),
    "halves": ({
        "f16": torch.tensor([1.5, -65504, 6e-8, 6.1e-5, 2049, 0, -0.0, 0.1], dtype=torch.float16),
        "bf16": torch.tensor([1.5, -3.3e38, 1e-40, 257, 0, 0.1], dtype=torch.bfloat16),
        "bool": torch.tensor([True, False, True])}, None),
    "ranks": ({"scalar": torch.tensor(2.5, dtype=torch.float32), "none": torch.zeros(0, 3, dtype=torch.float32),
               "four": torch.arange(24, dtype=torch.float32).reshape(1, 2, 3, 4), "ünïcode 数": torch.ones(1, dtype=torch.float32)}, None),
    "nothing": ({}, None),
}


def values(t):
    whole = t.dtype in (torch.int64, torch.uint64)
    return [str(v) for v in t.tolist()] if whole else t.flatten().to(torch.float64).tolist()


def case(name, tensors, metadata):
    data = {k: dict(shape=list(t.shape), dtype=str(t.dtype).removeprefix("torch."), values=values(t)) for k, t in tensors.items()}
    return dict(name=name, tensors=data, metadata=metadata or {}, file=base64.b64encode(save(tensors, metadata)).decode())


doc = ("Each case: `file` is base64 of what safetensors.torch.save(tensors, metadata) gives; `tensors` has what is in it, values flat in "
       "row-major order and as double precision, 64-bit integers as text.")
versions = dict(python=platform.python_version(), numpy=np.__version__, torch=torch.__version__.split("+")[0], safetensors=safetensors.__version__)
write(out_path(__file__, sys.argv, "safetensors_files.json"), dict(doc=doc, versions=versions), [case(k, *v) for k, v in CASES.items()])
