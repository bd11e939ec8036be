"""Nasty files of CSV with what the documents say is in them, and what pandas reads: delimiters, quotes, byte order marks, encodings, line ends,
delimiters at the end of lines and of names, ragged lines, blank lines, names of rows, comments, names that are twice there or missing, NUL, one column.

A case is [options, encoding, text, columns, rows, pandas]; columns is null where the file is to be refused, and rows is then a part of the message.
pandas is a number of `reasons`, which say why it reads something else where it does."""
import io, json, platform, random, sys, warnings

import pandas as pd

from common import out_path

COUNT = 2000
SEED = 20261129
REASONS = ["same", "refused", "pandas calls a second column of a name a.1, gradus a_2", "pandas keeps blanks around names, gradus does not",
           "pandas calls a column without a name Unnamed: 2, gradus column3", "pandas fills lines with too few values in",
           "pandas has no option for lines with too many values, and reads the others", "pandas ends a value at NUL",
           "pandas loses its place where lines end in a carriage return alone",
           "pandas makes empty columns Unnamed: 2 of delimiters at the end of all lines"]
PLAIN = ["a", "b", "x1", "1", "2.5", "-3", "", "yes", "0", "2024-12-31", "red"]
NASTY = ["a b", " a", "b ", "é", "ü€", "''", "#1", "a\\b", "=1+2", "\t" , "N/A", "none", "\u00a0", "日本", "😀", "0x1F", "1e5", "-", "."]
QUOTED = ['"', 'say ""', 'a\nb', 'a\r\nb', '\n', 'x"y"z', ',', ';', '|', ',,', '\r\n', '"\n"']
NAMES = ["a", "b", "c", "name", "größe", "x y", "A", "price", "_", "n°", "toString", "constructor"]


def quoted(text, quote):
    return quote + text.replace(quote, quote * 2) + quote


def make(r):
    """One file, as its writer means it."""
    kind = r.choice(["plain", "plain", "trailing", "trailing-all", "trailing-some", "ragged-error", "ragged-fill", "row-names", "row-names",
                     "twice", "blank-names", "no-name", "no-header", "given", "one-column", "first-long-fill"])
    delimiter = r.choice([",", ",", ";", "\t", "|"])
    given = r.random() < 0.5 or kind == "one-column"
    quote = r.choice(['"', '"', '"', "'"])
    end = r.choice(["\n", "\n", "\r\n", "\r"])
    encoding = r.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"])
    comment = r.choice([None, None, None, "#"])
    columns = 1 if kind == "one-column" else r.randint(2, 4)
    count = r.randint(1, 5)
    pool = PLAIN + (NASTY + QUOTED if given else [])
    if comment:
        pool = [cell for cell in pool if "#" not in cell]
    if end == "\r":  # a line end of one kind alone outside of quotes
        pool = [cell for cell in pool if "\r" not in cell]
    if encoding == "cp1252":
        pool = [cell for cell in pool if cell not in ("日本", "😀")]
    if r.random() < 0.05 and given:
        pool = pool + ["n\0l"] * 4
    rows = [[r.choice(pool) for _ in range(columns)] for _ in range(count)]
    names = r.sample(NAMES, columns)
    if kind == "twice":
        names[-1] = names[0]
    if kind == "no-name":
        names[r.randrange(columns)] = ""
    style = r.choice(["minimal", "minimal", "all", "some"])

    def cell(text):
        must = any(c in text for c in (delimiter, quote, "\n", "\r")) or (not given and any(c in text for c in ",;|\t"))
        must = must or (columns == 1 and text.strip() == "")
        return quoted(text, quote) if must or style == "all" or (style == "some" and r.random() < 0.3) else text

    head = [f"  {name} " if kind == "blank-names" else name for name in names]
    options = {}
    if given:
        options["delimiter"] = delimiter
    if quote != '"':
        options["quote"] = quote
    if comment:
        options["comment"] = comment
    if encoding == "cp1252":
        options["encoding"] = "windows-1252"
    truth = [list(row) for row in rows]
    fields = [list(row) for row in rows]
    answer = list(names)
    error = None
    if kind in ("trailing", "trailing-all"):
        for row in fields:
            row.append("")
    if kind == "trailing-some":
        for row in fields:
            if r.random() < 0.5:
                row.append("")
    if kind == "trailing-all":  # one or two, as spreadsheets write columns that were emptied
        head.append("")
        if columns == 3:
            head.append("")
            for row in fields:
                row.append("")
    if kind == "twice":
        answer[-1] = f"{answer[0]}_2"
    if kind == "no-name":
        answer = [name or f"column{i + 1}" for i, name in enumerate(answer)]
        if head[-1] == "" and all(row[-1].strip() == "" for row in rows):
            answer.pop()
            for row in truth:
                row.pop()
    if kind == "row-names":
        for i, (row, line) in enumerate(zip(truth, fields)):
            label = f"row {i + 1}" if r.random() < 0.5 else str(i + 1)
            row.insert(0, label)
            line.insert(0, label)
        if truth[0][-1].strip() == "":  # the first line decides, where its last value is there
            truth[0][-1] = fields[0][-1] = "9"
        answer.insert(0, "row")
    if kind in ("ragged-error", "ragged-fill", "first-long-fill"):
        at = 0 if kind == "first-long-fill" else r.randrange(count)
        if kind == "first-long-fill" or r.random() < 0.5:
            fields[at] = fields[at] + ["more"] + (["", "much"] if kind == "ragged-error" else [])
        else:
            fields[at] = fields[at][:-1]
            truth[at] = truth[at][:-1] + [""]
        if kind == "ragged-error":
            error = at
        else:
            options["ragged"] = "fill"
    lines = [delimiter.join(cell(v) for v in row) for row in fields]
    first = delimiter.join(cell(v) for v in head)
    if kind == "no-header":
        options["header"] = False
        answer = [f"column{i + 1}" for i in range(columns)]
    elif kind == "given":
        options["header"] = names
    else:
        lines.insert(0, first)
    # a line of blanks, or a comment, wherever lines begin
    out, physical = [], 1
    wanted_line = None
    for i, text in enumerate(lines):
        if r.random() < 0.08:
            out.append(r.choice(["", "", "  "]) if delimiter != "\t" else "")
            physical += 1
        if comment and r.random() < 0.3:
            out.append("# made by hand" + r.choice(["", delimiter, delimiter * 5]))
            physical += 1
        if error is not None and i == error + (0 if kind in ("no-header", "given") else 1):
            wanted_line = physical
        out.append(text)
        physical += 1 + text.count("\r" if end == "\r" else "\n")
    text = end.join(out) + (end if r.random() < 0.7 else "")
    if kind != "one-column" and any(len(row) == 1 and row[0].strip() == "" for row in fields):
        return make(r)  # a blank line
    if error is not None:
        return dict(kind=kind, options=options, encoding=encoding, text=text, columns=None,
                    rows=f"line {wanted_line} has {len(fields[error])} value", end=end, quote=quote, delimiter=delimiter, comment=comment, names=names)
    return dict(kind=kind, options=options, encoding=encoding, text=text, columns=answer, rows=truth, end=end, quote=quote, delimiter=delimiter,
                comment=comment, names=names)


def by_pandas(case):
    options = dict(sep=case["delimiter"], quotechar=case["quote"], comment=case["comment"], dtype=str, na_filter=False, encoding=case["encoding"])
    kind = case["kind"]
    if kind == "no-header":
        options["header"] = None
    elif kind == "given":
        options.update(header=None, names=case["names"])
    if kind.startswith("trailing"):
        options["index_col"] = False
    data = case["text"].encode(case["encoding"])
    if case["encoding"].startswith("utf-16"):
        data = "\ufeff".encode(case["encoding"]) + data
        options["encoding"] = "utf-16"
    try:
        frame = pd.read_csv(io.BytesIO(data), **options)
    except Exception:
        return 1
    if kind == "row-names":
        frame = frame.reset_index(names="row")
    if kind == "no-header":
        frame.columns = [f"column{i + 1}" for i in range(frame.shape[1])]
    columns = [str(c) for c in frame.columns]
    rows = [["" if pd.isna(v) else v for v in row] for row in frame.values.tolist()]
    if case["columns"] is None:
        return 5
    if rows == case["rows"] and columns == case["columns"]:
        return 0
    if kind == "twice" and rows == case["rows"]:
        return 2
    if kind == "blank-names" and rows == case["rows"]:
        return 3
    if kind == "no-name" and rows == case["rows"]:
        return 4
    if kind in ("no-name", "trailing-all") and [row[:len(case["columns"])] for row in rows] == case["rows"]:
        return 9
    if kind in ("ragged-fill", "first-long-fill"):
        return 6
    if "\0" in case["text"]:
        return 7
    if case["end"] == "\r":
        return 8
    raise SystemExit(f"pandas reads something else, and no reason is known: {case}, {columns}, {rows}")


if __name__ == "__main__":
    r = random.Random(SEED)
    warnings.simplefilter("ignore")
    cases, seen = [], {}
    for i in range(COUNT):
        case = make(r)
        said = by_pandas(case)
        seen.setdefault((case["kind"], said), []).append(i)
        cases.append([case["options"], case["encoding"], case["text"], case["columns"], case["rows"], said])
    for key in sorted(seen):
        print(*key, len(seen[key]))
    head = dict(format="csv_files/1", doc=__doc__.strip(), reasons=REASONS, versions=dict(python=platform.python_version(), pandas=pd.__version__))
    path = out_path(__file__, sys.argv, "csv_files.json")
    with open(path, "w") as f:
        f.write(json.dumps(head)[:-1] + ',"cases":[\n' + ",\n".join(json.dumps(c, ensure_ascii=True, separators=(",", ":")) for c in cases) + "\n]}\n")
