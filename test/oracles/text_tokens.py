"""Tokenizers by Hugging Face's `tokenizers`: trained on the texts of text_tokens.txt, with the tokens of random strings. Writes text_tokens.json.

    python text_tokens.py                                  the committed cases
    python text_tokens.py --corpus FILE --strings 3000 --out FILE    the same with another text, for TEXT_TOKENS=FILE vitest run test/text/oracle.test.ts

Needs tokenizers==0.23.3.
"""
import argparse
import json
import pathlib
import platform
import random

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser()
parser.add_argument("--corpus", default=here / "text_tokens.txt")
parser.add_argument("--strings", type=int, default=60)
parser.add_argument("--out", default=here / "text_tokens.json")
given = parser.parse_args()
texts = [line + "\n" for line in pathlib.Path(given.corpus).read_text(encoding="utf-8").split("\n")]
draw = random.Random(5)

# Letters, digits, marks, spaces, controls and emoji of Unicode 15 and before
RANGES = [
    *[(0x20, 0x7E)] * 6, (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x620, 0x66F), (0x900, 0x97F), (0xE01, 0xE3A),
    (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2070, 0x208E), (0x20A0, 0x20BF), (0x2100, 0x218B), (0x2581, 0x2581), (0x3000, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFF01, 0xFF5E), (0x1F300, 0x1F6D7), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0xE0100, 0xE01EF),
    (0, 0x1F), (0x7F, 0x9F),
]  # fmt: skip
SPACES = [" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u0085", "\u2028", "\u3000", "\u200b", "\ufeff", "\u200d", "\x1c"]
BITS = ["'s", "'ll", "'LL", "don't", "a_b", "12,345.67", "e\u0301", "ﬁ", "İ", "ß", "ΑΣ ", "👩\u200d👩\u200d👧", "🇩🇪", "<pad>", "<unk>", "<pa", "▁", "--", "…"]
SPECIAL = ["<pad>", "<unk>"]


def string(alphabet):
    kind = draw.randrange(8)
    if kind == 0:
        return "".join(draw.choice(alphabet) for _ in range(draw.randrange(40)))
    if kind == 1:
        return draw.choice(alphabet) * draw.choice([1, 2, 3, 30, 120])
    if kind == 2:
        text = draw.choice(texts)
        a = draw.randrange(len(text))
        return text[a : a + draw.randrange(60)]
    out = []
    for _ in range(draw.randrange(12)):
        way = draw.randrange(5)
        if way == 0:
            out.append(draw.choice(SPACES))
        elif way == 1:
            out.append(draw.choice(BITS))
        elif way == 2:
            text = draw.choice(texts).split(" ")
            out.append(draw.choice(text))
        else:
            out.append(chr(draw.randint(*draw.choice(RANGES))))
    return "".join(out)


def build(options):
    kind = options["kind"]
    unknown = options.get("unknown")
    special = list(options.get("special", []))
    if unknown and unknown not in special:
        special.append(unknown)
    size = options.get("vocabulary", 2**24)
    least = options.get("minCount", 1)
    common = dict(vocab_size=size, min_frequency=least, special_tokens=special, show_progress=False)
    if kind in ("words", "characters"):
        tokenizer = Tokenizer(models.WordLevel(unk_token=unknown or "<unk>"))
        trainer = trainers.WordLevelTrainer(**common)
        if kind == "words":
            tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        else:
            tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
            tokenizer.decoder = decoders.Fuse()
    else:
        tokenizer = Tokenizer(models.BPE(unk_token=unknown))
        if kind == "bpe":
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
            tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
            trainer = trainers.BpeTrainer(**common)
        else:
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            tokenizer.decoder = decoders.ByteLevel()
            trainer = trainers.BpeTrainer(**common, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    steps = []
    if "normalize" in options:
        steps.append(getattr(normalizers, options["normalize"])())
    if options.get("lowerCase"):
        steps.append(normalizers.Lowercase())
    if steps:
        tokenizer.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(steps)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


OPTIONS = [
    dict(kind="byteBpe", vocabulary=400),
    dict(kind="byteBpe", vocabulary=600, special=["<pad>", "<end>"], minCount=2, normalize="NFC"),
    dict(kind="bpe", vocabulary=500, special=["<pad>"], unknown="<unk>"),
    dict(kind="bpe", vocabulary=400, unknown="<unk>", lowerCase=True, normalize="NFKC"),
    dict(kind="bpe", vocabulary=450),
    dict(kind="words", special=["<pad>", "<unk>"], unknown="<unk>"),
    dict(kind="words", vocabulary=100, minCount=2, unknown="<unk>", lowerCase=True),
    dict(kind="characters", unknown="<unk>", normalize="NFD"),
    dict(kind="characters", vocabulary=30, unknown="<unk>"),
]
if given.corpus != here / "text_tokens.txt":
    for options in OPTIONS:
        if options["kind"] in ("bpe", "byteBpe"):
            options["vocabulary"] *= 10

everything = sorted(set("".join(texts)))
cases = []
for options in OPTIONS:
    tokenizer = build(options)
    knows = "unknown" in options or options["kind"] == "byteBpe"
    strings = []
    while len(strings) < given.strings:
        text = string(everything)
        if not knows and not set(text.replace("▁", "\0")) <= set(everything):
            continue
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text).ids
        # a special token's name is never a token of text here, as it may be there
        tokenizer.encode_special_tokens = False
        special = tokenizer.encode(text).ids
        row = [text, plain, tokenizer.decode(plain, skip_special_tokens=False), tokenizer.decode(special, skip_special_tokens=True)]
        strings.append(row if special == plain else [*row, special])
    cases.append(dict(options=options, json=tokenizer.to_str(), strings=strings))

doc = (
    "Of each case the options of trainTokenizer, tokenizer.json of a tokenizer trained on the lines of text_tokens.txt, and strings: the text, its tokens,"
    " the text of these, the text without special tokens, and the tokens where names of special tokens are read, if they are others."
)
versions = dict(python=platform.python_version(), tokenizers=tokenizers.__version__)
with open(given.out, "w", encoding="utf-8") as file:
    file.write('{"doc":' + json.dumps(doc) + ',"versions":' + json.dumps(versions) + ',"corpus":' + json.dumps(str(given.corpus) if given.corpus != here / "text_tokens.txt" else "text_tokens.txt") + ',"cases":[\n')
    file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
    file.write("\n]}\n")
