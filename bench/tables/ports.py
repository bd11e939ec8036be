"""RealMLP-TD-S by pytabkit and TabM-mini by the package tabm on a table of export.py: python ports.py FOLDER NAME SEEDS. ports.ts calls it.

Writes the rows, as numbers, to FOLDER/ports for the nets of gradus, and prints the loss on the test rows and the CPU seconds of each training. Split 0;
a fifth of the training rows chooses the best epoch. Texts become columns of 0 and 1; all columns are centered by the median, scaled by the quartiles
and squeezed as RealMLP does it, by the rows that are learned. One thread.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
import pytabkit
import torch
from field import frames_of, without_gaps
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from tabm import TabM

EPOCHS = {"RealMLP-TD-S": 256, "TabM-mini": 50}
# the package has k = 32, 512 neurons and 3 blocks: fifty times the time
TABM = {"arch_type": "tabm-mini", "k": 16, "d_block": 128, "n_blocks": 2, "dropout": 0.1, "start_scaling_init": "random-signs"}


def main(folder, name, seeds):
    about = json.loads((folder / "tables.json").read_text())[name]
    is_classes = about["task"] == "classification"
    (train, y), (test, truth) = frames_of(folder, name, about["target"], 0)
    train, test = without_gaps(train, test)
    if is_classes:
        labels = sorted(y.unique())
        y, truth = (values.map(labels.index).to_numpy(np.int32) for values in (y, truth))
    else:
        y, truth = (values.to_numpy(np.float32) for values in (y, truth))
    rows = np.arange(len(y))
    learned, held = train_test_split(rows, test_size=0.2, random_state=0, stratify=y if is_classes else None)
    inputs, test_inputs = prepared(train, test, learned)
    out = folder / "ports"
    out.mkdir(exist_ok=True)
    arrays = {"inputs": inputs, "targets": y, "test": test_inputs, "truth": truth, "learned": learned, "held": held}
    for what, values in arrays.items():
        np.save(out / f"{name}.{what}.npy", values.astype(np.int32) if values.dtype.kind == "i" else values)
    scores = []
    for seed in seeds:
        for who, train_one in (("RealMLP-TD-S", real_mlp), ("TabM-mini", tabm_mini)):
            began = time.process_time()
            predict = train_one(inputs, y, learned, held, is_classes, seed)
            cpu = time.process_time() - began
            answers = predict(test_inputs)
            loss = log_loss(truth, np.clip(answers, 1e-7, 1)) if is_classes else root_mean_squared_error(truth, answers)
            scores.append({"who": who, "seed": seed, "loss": float(loss), "cpu": cpu})
    print(json.dumps({"classes": len(labels) if is_classes else 0, "epochs": EPOCHS, "tabm": TABM, "scores": scores}))


def prepared(train, test, learned):
    both = pd.get_dummies(pd.concat([train, test]), dtype=float).to_numpy(float)
    own = both[learned]
    low, middle, high = np.quantile(own, [0.25, 0.5, 0.75], axis=0)
    spread, width = high - low, own.max(axis=0) - own.min(axis=0)
    factor = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), np.where(width > 0, 2 / np.where(width > 0, width, 1), 0))
    x = (both - middle) * factor
    x = (x / np.sqrt(1 + (x / 3) ** 2)).astype(np.float32)
    return x[: len(train)], x[len(train) :]


def real_mlp(inputs, y, learned, held, is_classes, seed):
    kind = pytabkit.RealMLP_TD_S_Classifier if is_classes else pytabkit.RealMLP_TD_S_Regressor
    # as pytabkit advises for probabilities
    more = {"use_ls": False, "val_metric_name": "cross_entropy"} if is_classes else {}
    model = kind(device="cpu", n_threads=1, random_state=seed, n_cv=1, tfms=[], n_epochs=EPOCHS["RealMLP-TD-S"], **more)
    model.fit(inputs, y, val_idxs=held)
    return model.predict_proba if is_classes else model.predict


def tabm_mini(inputs, y, learned, held, is_classes, seed):
    """The loop of the package's example, with one batch for all members and a given number of epochs."""
    torch.manual_seed(seed)
    mean, deviation = (0, 1) if is_classes else (y[learned].mean(), y[learned].std())
    x = torch.from_numpy(inputs)
    targets = torch.from_numpy(y).long() if is_classes else torch.from_numpy((y - mean) / deviation)
    model = TabM.make(n_num_features=inputs.shape[1], d_out=y.max() + 1 if is_classes else 1, **TABM)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-4)

    def loss_of(outputs, target):
        k = outputs.shape[1]
        if is_classes:
            return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), target.repeat_interleave(k))
        return torch.nn.functional.mse_loss(outputs.flatten(), target.repeat_interleave(k))

    @torch.inference_mode()
    def predict(rows):
        model.eval()
        outputs = torch.cat([model(part) for part in torch.as_tensor(rows).split(1024)])
        return (outputs.softmax(-1).mean(1) if is_classes else outputs.mean(1).squeeze(-1)).numpy()

    best, state = np.inf, None
    for _ in range(EPOCHS["TabM-mini"]):
        model.train()
        for batch in torch.from_numpy(learned)[torch.randperm(len(learned))].split(256):
            optimizer.zero_grad()
            loss_of(model(x[batch]), targets[batch]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        answers, own = predict(x[held]), targets[held].numpy()
        loss = -np.log(np.clip(answers[np.arange(len(own)), own], 1e-7, 1)).mean() if is_classes else ((answers - own) ** 2).mean()
        if loss < best:
            best, state = loss, {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(state)
    return lambda rows: mean + deviation * predict(rows) if not is_classes else predict(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(seed) for seed in sys.argv[3].split(",")])
