"""Shared by the oracle scripts: packages that are imported on demand, random numbers by name of a case, and files that keep their rows.

A file has one case a line. A script that is run with `--only REGEX` computes the cases whose name matches and puts them into the
file; all other lines stay byte for byte as they are. Every new line says in `origin` what made it. Lines without one are older: the
`versions` at the head of the file made them.
"""
import argparse, datetime, hashlib, importlib, json, os, platform, re
from importlib.metadata import version

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np

PINNED = dict(numpy="numpy==2.4.6", torch="torch==2.15.0", jax="jax[cpu]==0.10.2", optax="optax==0.2.8", keras="keras==3.15.1",
              schedulefree="schedulefree==1.4.1", prodigyopt="prodigyopt==1.1.2", pytorch_optimizer="pytorch_optimizer==4.1.0",
              scipy="scipy==1.17.1", sklearn="scikit-learn==1.9.1", safetensors="safetensors==0.8.0")


class Lazy:
    """A module that is imported when one of its attributes is first used, so that a formula in NumPy needs NumPy alone."""

    def __init__(self, name, before=None, after=None):
        self.__dict__.update(_name=name, _module=None, _before=before, _after=after)

    def __getattr__(self, attribute):
        if self._module is None:
            if self._before:
                self._before()
            try:
                self.__dict__["_module"] = importlib.import_module(self._name)
            except ModuleNotFoundError as e:
                package = (e.name or self._name).split(".")[0]
                raise SystemExit(f"this case needs {package}: pip install '{PINNED.get(package, package)}'") from None
            if self._after:
                self._after(self._module)
        return getattr(self._module, attribute)


class LazyClasses:
    """Classes of a lazy module by name: they can stand in tables of cases without importing it."""

    def __init__(self, module):
        self._of = module

    def __getattr__(self, name):
        def make(*args, **options):
            return getattr(self._of, name)(*args, **options)
        make.__name__ = name
        return make


def _prepare_torch(torch):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # torch keeps scalars of optimizers (step, mu_product, eta) in the default dtype if that is float64, else in float32
    torch.set_default_dtype(torch.float64)


torch = Lazy("torch", after=_prepare_torch)


def __getattr__(name):
    """VERSIONS, for scripts whose cases all come from torch."""
    if name == "VERSIONS":
        return dict(python=platform.python_version(), numpy=np.__version__, torch=torch.__version__, machine=platform.machine(),
                    cpu=torch.backends.cpu.get_cpu_capability())
    raise AttributeError(name)


def origin(*packages):
    """What makes a case here and now."""
    return dict(date=datetime.date.today().isoformat(), python=platform.python_version(), numpy=np.__version__,
                **{p: version(p) for p in packages}, machine=platform.machine())


def rng_of(name):
    """The random numbers of a case, which depend on its name alone: a new case changes no other."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


def dyadic(a, bits):
    """Round to multiples of 2^-bits: exact in float32, float64 and in a short decimal."""
    return np.round(np.asarray(a, dtype=np.float64) * 2 ** bits) / 2 ** bits


def plain(v):
    """Arrays and tensors to nested lists; integral floats to ints (json '1' instead of '1.0'); shortest repr else."""
    if hasattr(v, "detach"):
        v = v.detach().numpy()
    if hasattr(v, "tolist"):
        v = np.asarray(v).tolist()
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        assert np.isfinite(v)
        return 0 if v == 0 else int(v) if v.is_integer() and abs(v) < 2 ** 53 else v
    return v


def line(v):
    """Compact json."""
    return json.dumps(v, separators=(",", ":"), allow_nan=False)


def write(path, head, cases):
    """A new file: compact json, one case a line."""
    with open(path, "w") as f:
        f.write(line(plain(head))[:-1] + ',"cases":[\n' + ",\n".join(line(plain(c)) for c in cases) + "\n]}\n")
    print(f"{path}: {len(cases)} cases, {os.path.getsize(path)} bytes")


def merge(path, cases, name_of=lambda case: case["id"], list_name="cases"):
    """Puts cases into a file that `write` or its like made: in the place of those of the same name, else at the end of the list.
    All other bytes of the file stay as they are."""
    with open(path) as f:
        lines = f.read().split("\n")
    start = next(i for i, text in enumerate(lines) if text.endswith(f'"{list_name}":['))
    end = next(i for i in range(start, len(lines)) if lines[i].startswith("]"))
    rows = [text.removesuffix(",") for text in lines[start + 1:end]]
    at = {name_of(json.loads(row)): i for i, row in enumerate(rows)}
    for case in cases:
        name, row = name_of(case), line(case)
        if name in at:
            rows[at[name]] = row
        else:
            at[name] = len(rows)
            rows.append(row)
    lines[start + 1:end] = [row + "," for row in rows[:-1]] + rows[-1:]
    with open(path, "w") as f:
        f.write("\n".join(lines))
    print(f"{path}, {list_name}: {', '.join(map(name_of, cases)) or 'none'} written, {len(rows)} in all")


def arguments(script, name, doc):
    """--only REGEX and the file, which is beside the script unless it is given."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", default=os.path.join(os.path.dirname(os.path.abspath(script)), name))
    parser.add_argument("--only", metavar="REGEX", help="compute the cases whose name matches, and keep all other lines of the file")
    return parser.parse_args()


def chosen(args, name):
    return args.only is None or re.search(args.only, name) is not None


def out_path(script, argv, name):
    return argv[1] if len(argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(script)), name)
