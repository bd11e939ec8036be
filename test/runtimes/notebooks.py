"""The notebooks in examples/notebook in Deno's kernel: every cell runs, and what is shown has text/plain. Needs dist/ (`make build`) and Deno (`make runtimes`).

    python3 -m venv .cache/venv && .cache/venv/bin/pip install nbclient nbformat
    .cache/venv/bin/python test/runtimes/notebooks.py
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
DENO = os.environ.get("DENO", str(ROOT / ".cache/runtimes/node_modules/@deno/linux-x64-glibc/deno"))

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    kernel = folder / "kernels/deno"
    kernel.mkdir(parents=True)
    argv = [DENO, "jupyter", "--kernel", "--conn", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Deno", "language": "typescript"}))
    os.environ.update(JUPYTER_PATH=name, DENO_NO_UPDATE_CHECK="1")
    shutil.copy(ROOT / "examples/notebook/package.json", folder)
    (folder / "deno.json").write_text('{"nodeModulesDir":"manual"}')
    (folder / "node_modules").mkdir()
    (folder / "node_modules/gradus").symlink_to(ROOT)
    wrong = 0
    for file in sorted((ROOT / "examples/notebook").glob("*.ipynb")):
        notebook = nbformat.read(file, 4)
        NotebookClient(notebook, timeout=300, kernel_name="deno", resources={"metadata": {"path": name}}).execute()
        shown = [o["data"] for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
        print(file.name, [sorted(data) for data in shown])
        wrong += not shown or any("text/plain" not in data for data in shown)
    sys.exit(wrong)
