"""Files of tables and arrays by pyarrow and NumPy, as base64, with what is in them: Parquet with every compression and several row groups,
Arrow IPC as a file and as a stream, .npy of every type, order and byte order, .npz packed and not."""
import base64, io, json, platform, sys

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from common import out_path, write

N = 50
table = pa.table(dict(
    number=pa.array([i / 4 for i in range(N)], pa.float64()),
    whole=pa.array([i - 7 for i in range(N)], pa.int32()),
    long=pa.array([10**12 + i for i in range(N)], pa.int64()),
    kind=pa.array([["a", "b", "ü"][i % 3] for i in range(N)]),
    coded=pa.array([["x", "y"][i % 2] for i in range(N)]).dictionary_encode(),
    yes=pa.array([i % 3 == 0 for i in range(N)]),
    gap=pa.array([None if i % 5 == 0 else i for i in range(N)], pa.float32()),
    day=pa.array([864 * 10**5 * i for i in range(N)], pa.timestamp("ms", tz="UTC")),
))
def plain(v):
    return v.timestamp() / 86400 if hasattr(v, "timestamp") else v
rows = [{k: plain(v) for k, v in row.items()} for row in table.to_pylist()]

def bytes_of(write_to):
    sink = io.BytesIO()
    write_to(sink)
    return base64.b64encode(sink.getvalue()).decode()

def ipc(new, **options):
    def write_to(sink):
        with new(sink, table.schema, **options) as writer:
            writer.write_table(table)
    return write_to

CASES = [dict(kind="rows", name="rows", rows=rows)]
for codec in ("none", "snappy", "gzip", "zstd", "brotli"):
    CASES.append(dict(kind="parquet", name=f"data-{codec}.parquet", compression=codec,
                      bytes=bytes_of(lambda sink: pq.write_table(table, sink, compression=codec, row_group_size=20))))
CASES.append(dict(kind="arrow", name="file.arrow", bytes=bytes_of(ipc(pa.ipc.new_file))))
CASES.append(dict(kind="arrow", name="stream.arrow", bytes=bytes_of(ipc(pa.ipc.new_stream))))
CASES.append(dict(kind="arrow", name="data.feather", bytes=bytes_of(lambda sink: feather.write_feather(table, sink, compression="uncompressed"))))

values = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 100]])
for order in "<>":
    for kind in ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"):
        a = values.astype((order + kind) if kind[1] != "1" else kind)
        CASES.append(dict(kind="npy", name=f"{order}{kind}", type=kind, shape=a.shape, values=a.astype(float).ravel(),
                          bytes=bytes_of(lambda sink: np.save(sink, a))))
cube = np.arange(24.0).reshape(2, 3, 4)
CASES.append(dict(kind="npy", name="Fortran's order", type="f8", shape=cube.shape, values=cube.ravel(), bytes=bytes_of(lambda s: np.save(s, np.asfortranarray(cube)))))
CASES.append(dict(kind="npy", name="one number", type="f8", shape=[], values=[2.5], bytes=bytes_of(lambda s: np.save(s, np.float64(2.5)))))
CASES.append(dict(kind="npy", name="nothing", type="f4", shape=[0, 3], values=[], bytes=bytes_of(lambda s: np.save(s, np.zeros((0, 3), "f4")))))
CASES.append(dict(kind="refused", name="objects", bytes=bytes_of(lambda s: np.save(s, np.array([{}, 1], object)))))
CASES.append(dict(kind="refused", name="texts", bytes=bytes_of(lambda s: np.save(s, np.array(["a", "b"])))))
CASES.append(dict(kind="refused", name="records", bytes=bytes_of(lambda s: np.save(s, np.zeros(2, [("a", "f4"), ("b", "i4")])))))
arrays = dict(x=values.astype("f4"), y=np.array([0, 1, 1]))
for name, save in (("stored", np.savez), ("packed", np.savez_compressed)):
    CASES.append(dict(kind="npz", name=name, shapes=dict(x=[3, 4], y=[3]), values=dict(x=values.ravel(), y=[0, 1, 1]), bytes=bytes_of(lambda s: save(s, **arrays))))
versions = dict(python=platform.python_version(), numpy=np.__version__, pyarrow=pa.__version__)
write(out_path(__file__, sys.argv, "data_files.json"), dict(format="data_files/1", doc=__doc__.strip(), versions=versions), CASES)
