"""The contestant of bench/attention.ts: trains some batches of a GPT for each line, and answers with steps a second.

The net is that of test/oracles/attention.py. The last argument is `eager` or `compile`.
"""
import resource, sys, time

import torch
import torch.nn.functional as F

rows, context, vocabulary, width, heads, blocks, batches, threads, mode = sys.argv[1:]
rows, context, vocabulary, width, heads, blocks, batches, threads = map(int, (rows, context, vocabulary, width, heads, blocks, batches, threads))
torch.set_num_threads(threads)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.qkv, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.fc, self.proj = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        r, t, _ = x.shape
        q, k, v = (y.view(r, t, heads, width // heads).transpose(1, 2) for y in self.qkv(self.ln_1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(r, t, width))
        return x + self.proj(F.gelu(self.fc(self.ln_2(x))))


class GPT(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = torch.nn.Embedding(vocabulary, width), torch.nn.Embedding(context, width)
        self.h, self.ln = torch.nn.ModuleList([Block() for _ in range(blocks)]), torch.nn.LayerNorm(width)
        for p in self.parameters():
            if p.dim() == 2:
                torch.nn.init.normal_(p, 0, 0.02)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        return self.ln(x) @ self.wte.weight.T


def seconds():
    if threads > 1:
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


net = GPT()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
run = torch.compile(net) if mode == "compile" else net
x, y = (torch.randint(vocabulary, (batches, rows, context)) for _ in range(2))
for _ in sys.stdin:
    start = seconds()
    for k in range(batches):
        loss = F.cross_entropy(run(x[k]).reshape(-1, vocabulary), y[k].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(batches / (seconds() - start), flush=True)
