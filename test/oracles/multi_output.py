"""Metrics over several targets by scikit-learn: r2_score of several columns (uniform average), and of columns of yes and no
accuracy_score (the subset accuracy), f1_score micro and macro; with a label that no row has, and one that is never predicted."""
import platform, sys

import sklearn
from sklearn.metrics import accuracy_score, f1_score, r2_score

from common import dyadic, np, out_path, write

rng = np.random.default_rng(31)


def numbers(rows, columns, spread):
    truth = dyadic(rng.normal(size=(rows, columns)), 8)
    said = dyadic(truth + spread * rng.normal(size=(rows, columns)), 8)
    return dict(kind="numbers", name=f"{columns} numbers of {rows} rows, errors of {spread}", truth=truth, said=said,
                meanR2=r2_score(truth, said, multioutput="uniform_average"))


def labels(rows, columns, share, right, empty=False):
    truth = (rng.random((rows, columns)) < share).astype(int)
    said = np.where(rng.random((rows, columns)) < right, truth, 1 - truth)
    if empty:
        truth[:, 0] = said[:, 0] = said[:, 1] = 0
    f1 = {average: f1_score(truth, said, average=average, zero_division=0) for average in ("micro", "macro")}
    return dict(kind="labels", name=f"{columns} labels of {rows} rows, a share of {share}{', two empty' if empty else ''}", truth=truth, said=said,
                subsetAccuracy=accuracy_score(truth, said), f1Micro=f1["micro"], f1Macro=f1["macro"])


CASES = [numbers(20, 2, 0.5), numbers(37, 5, 1.5), labels(40, 2, 0.5, 0.9), labels(50, 6, 0.2, 0.8), labels(30, 3, 0.3, 0.7, empty=True)]
write(out_path(__file__, sys.argv, "multi_output.json"),
      dict(format="multi-output/1", doc=__doc__.strip(), versions=dict(python=platform.python_version(), numpy=np.__version__, sklearn=sklearn.__version__)), CASES)
