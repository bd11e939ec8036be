"""Metrics by scikit-learn: confusion matrix, precision, recall, F1 with every average, ROC AUC (ties, one class against the others),
top-k accuracy, R², mean absolute and root mean squared error; balanced accuracy, log loss, Brier score, average precision, MAPE and
pinball loss; and with weights of rows. Scores are dyadic: exact in float32."""
import platform, sys, warnings

import numpy as np
import sklearn
from scipy.special import softmax
from sklearn import metrics as m

from common import dyadic, out_path, write

warnings.simplefilter("ignore", m._classification.UndefinedMetricWarning)
rng = np.random.default_rng(7)


def averages(true, pred, names):
    score = {"precision": m.precision_score, "recall": m.recall_score, "f1": m.f1_score}
    return {name: {a: f(true, pred, average=a, zero_division=0) for a in names} for name, f in score.items()}


def weights(n):
    """for rows: 0, 0.5, 1, 1.5, 2 by turns, in an order that has nothing to do with the classes"""
    return (np.arange(n) * 7 % 5) / 2


def decided(true, pred):
    """what is read from decisions, also by weights"""
    w = weights(len(true))
    average = dict(average="macro", zero_division=0, sample_weight=w)
    return dict(balanced=m.balanced_accuracy_score(true, pred),
                weighted=dict(accuracy=m.accuracy_score(true, pred, sample_weight=w), f1=m.f1_score(true, pred, **average),
                              precision=m.precision_score(true, pred, **average), recall=m.recall_score(true, pred, **average)))


def trusted(true, p):
    """what is read from probabilities [n, classes], also by weights; None where a class has no rows"""
    n, k = p.shape
    w = weights(n)
    hot = np.eye(k)[true]
    def figures(w):
        brier = np.average(((p - hot) ** 2).sum(1) / (2 if k == 2 else 1), weights=w)
        out = dict(logLoss=m.log_loss(true, p, labels=range(k), sample_weight=w), brier=brier)
        if k == 2:
            assert np.isclose(brier, m.brier_score_loss(true, p[:, 1], sample_weight=w))
        return out
    def ranked(w, average):
        present = [set(true[w > 0])] if w is not None else [set(true)]
        if len(present[0]) < k:
            return None
        if k == 2:
            return dict(auc=m.roc_auc_score(true, p[:, 1], sample_weight=w), ap=m.average_precision_score(true, p[:, 1], sample_weight=w))
        return dict(auc=m.roc_auc_score(true, p, multi_class="ovr", labels=range(k), average=average, sample_weight=w),
                    ap=m.average_precision_score(hot, p, average=average, sample_weight=w))
    last = k - 1
    of = None if len(set(true)) < k else dict(auc=m.roc_auc_score(true == last, p[:, last]), ap=m.average_precision_score(true == last, p[:, last]))
    return dict(**figures(None), figuresWeighted=figures(w), ranked=ranked(None, "macro"), rankedByRows=ranked(None, "weighted"),
                rankedWeighted=ranked(w, "macro"), last=of)


def classes(name, scores, true):
    """scores [n, classes], no ties in a row"""
    n, k = scores.shape
    assert all(len(set(row)) == k for row in scores)
    pred = scores.argmax(1)
    names = ["macro", "micro", "weighted"] + (["binary"] if k == 2 else [])
    every = len(set(true)) == k
    auc = None if not every else m.roc_auc_score(true, scores[:, 1] - scores[:, 0]) if k == 2 else \
        m.roc_auc_score(true, softmax(scores, 1), multi_class="ovr", labels=range(k))
    top = {str(q): m.top_k_accuracy_score(true, scores if k > 2 else scores[:, 1] - scores[:, 0], k=q, labels=range(k)) for q in range(1, k)}
    return dict(kind="classes", name=name, scores=scores, target=true, matrix=m.confusion_matrix(true, pred, labels=range(k)), auc=auc, top=top,
                **averages(true, pred, names), **decided(true, pred), **trusted(true, softmax(scores, 1)))


def logits(name, scores, true):
    """one score a row, class 1 above 0; ties welcome"""
    pred = (scores > 0).astype(int)
    return dict(kind="logits", name=name, scores=scores, target=true, matrix=m.confusion_matrix(true, pred, labels=[0, 1]),
                auc=m.roc_auc_score(true, scores), **averages(true, pred, ["macro", "micro", "weighted", "binary"]), **decided(true, pred),
                **trusted(true, np.stack([1 / (1 + np.exp(scores)), 1 / (1 + np.exp(-scores))], 1)))


def labels(name, pred, true):
    k = max(pred.max(), true.max()) + 1
    return dict(kind="labels", name=name, scores=pred, target=true, matrix=m.confusion_matrix(true, pred, labels=range(k)),
                **averages(true, pred, ["macro", "micro", "weighted"]), **decided(true, pred))


def numbers(name, pred, true):
    w = weights(len(true))
    def more(w):
        return dict(mse=m.mean_squared_error(true, pred, sample_weight=w), mape=m.mean_absolute_percentage_error(true, pred, sample_weight=w),
                    quantile={str(q): m.mean_pinball_loss(true, pred, alpha=q, sample_weight=w) for q in (0.1, 0.5, 0.9)})
    return dict(kind="numbers", name=name, scores=pred, target=true, r2=m.r2_score(true, pred), mae=m.mean_absolute_error(true, pred),
                rmse=np.sqrt(m.mean_squared_error(true, pred)), **more(None),
                weighted=dict(r2=m.r2_score(true, pred, sample_weight=w), mae=m.mean_absolute_error(true, pred, sample_weight=w), **more(w)))


def noisy(n, k, weights, noise, missing=()):
    true = rng.choice(k, n, p=np.array(weights) / sum(weights))
    scores = dyadic(np.eye(k)[true] + noise * rng.normal(size=(n, k)), 8)
    scores[:, list(missing)] -= 100
    for row in scores:
        if len(set(row)) < k:
            row += np.arange(k) / 4096
    return scores, true


one = rng.integers(0, 2, 200)
CASES = [
    classes("two classes", *noisy(60, 2, [3, 1], 1)),
    classes("three classes, few of one", *noisy(120, 3, [10, 4, 1], 0.9)),
    classes("ten classes", *noisy(120, 10, range(1, 11), 0.7)),
    classes("a class that is never taken", *noisy(80, 4, [1, 1, 1, 1], 0.8, missing=[2])),
    classes("a class without rows", *noisy(80, 4, [1, 0, 1, 1], 0.8)),
    classes("a class that does not occur", *noisy(50, 3, [1, 1, 0], 0.5, missing=[2])),
    logits("one logit", dyadic(one - 0.5 + rng.normal(size=200), 8), one),
    logits("one logit with many ties", dyadic(one - 0.5 + rng.normal(size=200), 1), one),
    logits("all scores equal", np.zeros(20), np.arange(20) % 2),
    logits("perfect", dyadic(one - 0.5, 4), one),
    logits("the wrong way round", dyadic(0.5 - one, 4), one),
    labels("labels", rng.integers(0, 4, 90), rng.integers(0, 4, 90)),
    labels("labels with gaps", rng.choice([0, 2, 5], 40), rng.choice([0, 3, 5], 40)),
    numbers("a column", dyadic(rng.normal(size=50), 8), dyadic(rng.normal(size=50), 8)),
    numbers("three columns", dyadic(np.arange(60).reshape(20, 3) + rng.normal(size=(20, 3)), 6), np.arange(60.0).reshape(20, 3)),
    numbers("equal targets, missed", np.array([1.0, 2, 3]), np.full(3, 0.1015625)),
    numbers("equal targets, met", np.full(3, 0.1015625), np.full(3, 0.1015625)),
    numbers("worse than the mean", np.array([9.0, -7, 3]), np.array([1.0, 2, 3])),
]
versions = dict(python=platform.python_version(), numpy=np.__version__, sklearn=sklearn.__version__)
write(out_path(__file__, sys.argv, "metrics.json"), dict(format="metrics/1", doc=__doc__.strip(), versions=versions), CASES)
