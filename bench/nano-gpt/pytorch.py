"""The contestant of bench/nano-gpt.ts: takes steps for each line, and answers with seconds of CPU and the loss of the held-out rows."""
import json, pathlib, resource, sys

import numpy as np
import torch
import torch.nn.functional as F

folder = pathlib.Path(sys.argv[1])
steps, turn, held, vocabulary = map(int, sys.argv[2:])
rows, context, width, heads, blocks = 12, 64, 128, 4, 4
torch.set_num_threads(1)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.attn = torch.nn.ModuleDict(dict(c_attn=torch.nn.Linear(width, 3 * width), c_proj=torch.nn.Linear(width, width)))
        self.mlp = torch.nn.ModuleDict(dict(c_fc=torch.nn.Linear(width, 4 * width), c_proj=torch.nn.Linear(4 * width, width)))

    def forward(self, x):
        r, t, _ = x.shape
        q, k, v = (y.view(r, t, heads, width // heads).transpose(1, 2) for y in self.attn["c_attn"](self.ln_1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn["c_proj"](y.transpose(1, 2).reshape(r, t, width))
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class GPT(torch.nn.Module):
    def __init__(self):
        super().__init__()
        parts = dict(wte=torch.nn.Embedding(vocabulary, width), wpe=torch.nn.Embedding(context, width), ln_f=torch.nn.LayerNorm(width))
        self.transformer = torch.nn.ModuleDict(dict(**parts, h=torch.nn.ModuleList([Block() for _ in range(blocks)])))

    def forward(self, tokens):
        t = self.transformer
        x = t["wte"](tokens) + t["wpe"](torch.arange(tokens.shape[1]))
        for block in t["h"]:
            x = block(x)
        return t["ln_f"](x) @ t["wte"].weight.T


def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    body = data[8 + size :]
    part = lambda a, b, shape: torch.from_numpy(np.frombuffer(body[a:b], dtype=np.float32).reshape(shape).copy())
    return {name: part(*entry["data_offsets"], entry["shape"]) for name, entry in header.items()}


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def loss_of(x, y):
    return F.cross_entropy(net(x).reshape(-1, vocabulary), y.reshape(-1))


net = GPT()
net.load_state_dict(read_safetensors(folder / "weights.safetensors"))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
tokens = torch.from_numpy(np.fromfile(folder / "tokens.bin", dtype=np.int32).astype(np.int64))
n, m = steps * rows * context, held * context
x, y = (tokens[a : a + n].view(steps, rows, context) for a in (0, n))
hx, hy = (tokens[a : a + m].view(held, context) for a in (2 * n, 2 * n + m))
done = 0
for _ in sys.stdin:
    start = cpu()
    for k in range(done, done + turn):
        loss = loss_of(x[k], y[k])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    seconds = cpu() - start
    done += turn
    with torch.no_grad():
        held_loss = loss_of(hx, hy).item() if done % 50 == 0 else 0.0
    print(json.dumps(dict(seconds=seconds, loss=held_loss)), flush=True)
