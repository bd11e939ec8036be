"""Attention by PyTorch in float64: values, gradients and second derivatives of scaled_dot_product_attention for some hundred sizes, of
nn.MultiheadAttention, nn.TransformerEncoderLayer (norm_first) and nn.RMSNorm, and the losses of a small GPT in training.

All numbers are made by `fill`, which test/attention/oracle.test.ts has, too, so the file holds only results: two sums of each tensor, with the weights
fill(size, 1001) and fill(size, 1002). Needs torch==2.15.0. Writes attention.json.
"""
import json, pathlib, platform, random

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
# the one way of scaled_dot_product_attention that has second derivatives
torch.backends.cuda.enable_flash_sdp(False)
torch.backends.cuda.enable_mem_efficient_sdp(False)
here = pathlib.Path(__file__).parent


def fill(shape, seed, scale=1.0):
    """((i · 7919 + seed · 104729) mod 2003) / 1001.5 − 1, times a scale."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.int64)
    return ((((i * 7919 + seed * 104729) % 2003).double() / 1001.5 - 1) * scale).reshape(shape)


def sums(t):
    t = t.detach()
    return [float((t * fill(t.shape, seed)).sum()) for seed in (1001, 1002)]


def derivatives(y, leaves):
    """Sums of y, of the gradients of Σ y · fill(y, 7), and of the gradients of Σ over leaves of gradient · fill(leaf, 11 + its number)."""
    first = torch.autograd.grad((y * fill(y.shape, 7)).sum(), leaves, create_graph=True)
    along = sum((g * fill(g.shape, 11 + i)).sum() for i, g in enumerate(first))
    second = torch.autograd.grad(along, leaves, allow_unused=True)
    return dict(
        output=sums(y),
        first=[sums(g) for g in first],
        second=[sums(torch.zeros_like(l) if g is None else g) for g, l in zip(second, leaves)],
    )


def attention(seed, leading, queries, keys, width, value_width, causal, masked):
    q, k, v = (
        fill([*leading, n, w], seed + i).mul_(2).requires_grad_()
        for i, (n, w) in enumerate([(queries, width), (keys, width), (keys, value_width)])
    )
    seen = torch.ones(*leading, queries, keys, dtype=torch.bool)
    if masked:
        mask = fill([*leading, keys], seed + 3) > -0.4
        mask[..., 0] = True
        seen = seen & mask[..., None, :]
    if causal:
        seen = seen & torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    sizes = dict(seed=seed, leading=leading, queries=queries, keys=keys, width=width, valueWidth=value_width, causal=causal, masked=masked)
    return dict(**sizes, **derivatives(y, [q, k, v]))


def cases():
    r = random.Random(1)
    found = []
    for seed in range(300):
        large = seed % 12 == 0
        leading = r.choice([[], [1], [2], [3], [2, 2]]) if not large else [r.choice([1, 2])]
        keys = r.choice([1, 2, 3, 5, 7, 8, 9, 16, 17]) if not large else r.choice([63, 64, 65, 100, 129])
        causal = r.random() < 0.5
        queries = r.randint(1, keys) if causal or r.random() < 0.5 else r.choice([1, 2, 4, 6, 70])
        found.append(attention(seed, leading, queries, keys, r.choice([1, 2, 3, 4, 5, 8]), r.choice([1, 2, 3, 4, 8]), causal, r.random() < 0.5))
    return found


def layer(kind, seed, width, heads, steps, causal=False, lengths=None, memory=None, rows=2):
    make = dict(
        attention=lambda: torch.nn.MultiheadAttention(width, heads, batch_first=True),
        block=lambda: torch.nn.TransformerEncoderLayer(width, heads, 3 * width, 0, F.gelu, batch_first=True, norm_first=True),
        rms=lambda: torch.nn.RMSNorm(width, eps=1e-6),
    )
    net = make[kind]()
    names = [name for name, _ in net.named_parameters()]
    named = {name: fill(p.shape, seed + i, 0.5).requires_grad_() for i, (name, p) in enumerate(net.named_parameters())}
    x = fill([rows, steps, width], seed + 50).requires_grad_()
    leaves = [x, *named.values()]
    hidden = torch.ones(steps, steps, dtype=torch.bool).triu(1) if causal else None
    padding = None if lengths is None else torch.arange(steps if memory is None else memory)[None] >= torch.tensor(lengths)[:, None]
    if kind == "attention":
        other = x if memory is None else fill([rows, memory, width], seed + 60).requires_grad_()
        if memory is not None:
            leaves.append(other)
        y, _ = torch.func.functional_call(
            net, named, (x, other, other), dict(attn_mask=hidden, key_padding_mask=padding, need_weights=False)
        )
    elif kind == "block":
        y = torch.func.functional_call(net, named, (x,), dict(src_mask=hidden, src_key_padding_mask=padding))
    else:
        y = torch.func.functional_call(net, named, (x,))
    sizes = dict(kind=kind, seed=seed, width=width, heads=heads, steps=steps, causal=causal, lengths=lengths, memory=memory, rows=rows, names=names)
    return dict(**sizes, **derivatives(y, leaves))


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.attn = torch.nn.ModuleDict(dict(c_attn=torch.nn.Linear(width, 3 * width), c_proj=torch.nn.Linear(width, width)))
        self.mlp = torch.nn.ModuleDict(dict(c_fc=torch.nn.Linear(width, 4 * width), c_proj=torch.nn.Linear(4 * width, width)))

    def forward(self, x):
        rows, steps, width = x.shape
        heads = lambda t: t.view(rows, steps, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = map(heads, self.attn["c_attn"](self.ln_1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn["c_proj"](y.transpose(1, 2).reshape(rows, steps, width))
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class GPT(torch.nn.Module):
    """nanoGPT's names, with the exact gelu."""

    def __init__(self, vocabulary, context, width, heads, blocks):
        super().__init__()
        self.transformer = torch.nn.ModuleDict(
            dict(
                wte=torch.nn.Embedding(vocabulary, width), wpe=torch.nn.Embedding(context, width),
                h=torch.nn.ModuleList([Block(width, heads) for _ in range(blocks)]), ln_f=torch.nn.LayerNorm(width),
            )
        )

    def forward(self, tokens):
        t = self.transformer
        x = t["wte"](tokens) + t["wpe"](torch.arange(tokens.shape[1]))
        for block in t["h"]:
            x = block(x)
        return t["ln_f"](x) @ t["wte"].weight.T


def curve(steps=30, vocabulary=11, context=8, width=8, heads=2, blocks=2, rows=4):
    """Losses of steps of Adam at .01, each with the next rows of a text in which token i + 1 is (3 · token i + i) mod vocabulary."""
    net = GPT(vocabulary, context, width, heads, blocks)
    named = list(net.named_parameters())
    with torch.no_grad():
        for i, (name, p) in enumerate(named):
            p.copy_(fill(p.shape, 200 + i, 0.3) + (1 if ".ln_" in name and name.endswith("weight") else 0))
    text = [1]
    for i in range(steps * rows * context):
        text.append((3 * text[-1] + i) % vocabulary)
    text = torch.tensor(text)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for step in range(steps):
        at = step * rows * context
        x, y = (text[at + o : at + o + rows * context].view(rows, context) for o in (0, 1))
        loss = F.cross_entropy(net(x).reshape(-1, vocabulary), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return dict(
        vocabulary=vocabulary, context=context, width=width, heads=heads, blocks=blocks, rows=rows, names=[n for n, _ in named], losses=losses
    )


layers = [
    *(layer("attention", 100 + 10 * i, w, h, t, causal=c) for i, (w, h, t, c) in enumerate([(4, 2, 5, False), (6, 3, 7, True), (8, 1, 1, True), (4, 4, 3, False)])),
    layer("attention", 150, 6, 2, 4, lengths=[4, 2]),
    layer("attention", 160, 6, 2, 4, memory=7),
    layer("attention", 170, 4, 2, 3, memory=5, lengths=[5, 3]),
    layer("block", 300, 4, 2, 5),
    layer("block", 320, 6, 3, 6, causal=True),
    layer("block", 340, 4, 1, 4, lengths=[1, 3]),
    layer("rms", 360, 5, 1, 3),
]
doc = "Of each case two sums of the output, of its gradients and of second derivatives: attention.py says how numbers are made."
versions = {"python": platform.python_version(), "torch": torch.__version__}
lines = lambda items: ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
(here / "attention.json").write_text(
    f'{{"doc":{json.dumps(doc)},"versions":{json.dumps(versions)},"cases":[\n{lines(cases())}\n],"layers":[\n{lines(layers)}\n],"curve":{lines([curve()])}}}\n'
)
