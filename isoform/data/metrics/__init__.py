"""How good predictions are, by the measures of GLUE and XNLI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["acc_and_f1", "glue_compute_metrics", "pearson_and_spearman", "simple_accuracy", "xnli_compute_metrics"]

Scores = dict[str, float]


def simple_accuracy(preds: Any, labels: Any) -> float:
    """The share of predictions that equal their labels."""
    return float((np.asarray(preds) == np.asarray(labels)).mean())


def acc_and_f1(preds: Any, labels: Any) -> Scores:
    """Accuracy, the F1 score of class 1, and the mean of both, of labels 0 and 1."""
    preds, labels = np.asarray(preds), np.asarray(labels)
    others = sorted({*np.unique(preds).tolist(), *np.unique(labels).tolist()} - {0, 1})
    if others:
        raise ValueError(f"F1 scores need labels 0 and 1, found {others[0]} too")
    hits, marked = int(((preds == 1) & (labels == 1)).sum()), int((preds == 1).sum() + (labels == 1).sum())
    accuracy, f1 = simple_accuracy(preds, labels), 2 * hits / marked if marked else 0.0
    return {"acc": accuracy, "f1": f1, "acc_and_f1": (accuracy + f1) / 2}


def pearson_and_spearman(preds: Any, labels: Any) -> Scores:
    """How values go along with their labels: by value, by rank, and the mean of both."""
    pearson = _correlation(preds, labels)
    spearman = _correlation(_ranks(preds), _ranks(labels))
    return {"pearson": pearson, "spearmanr": spearman, "corr": (pearson + spearman) / 2}


def _correlation(a: Any, b: Any) -> float:
    """Pearson's coefficient; not a number where one side is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(np.asarray(a, float), np.asarray(b, float))[0, 1])


def _ranks(values: Any) -> np.ndarray:
    """The rank of each value; equal values share the mean of their ranks."""
    _, which, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def _matthews(preds: Any, labels: Any) -> Scores:
    """Matthews' correlation of classes, each a column of zeros and ones; 0 where one side is constant."""
    classes = np.unique(np.concatenate([preds, labels]))
    predicted, true = (np.asarray(side)[:, None] == classes for side in (preds, labels))
    predicted, true = predicted - predicted.mean(0), true - true.mean(0)
    spread = np.sqrt((predicted**2).sum() * (true**2).sum())
    return {"mcc": float((predicted * true).sum() / spread) if spread else 0.0}


def _accuracy(name: str = "acc") -> Callable[[Any, Any], Scores]:
    return lambda preds, labels: {name: simple_accuracy(preds, labels)}


_GLUE: dict[str, Callable[[Any, Any], Scores]] = {
    "cola": _matthews,
    "sst-2": _accuracy(),
    "mrpc": acc_and_f1,
    "sts-b": pearson_and_spearman,
    "qqp": acc_and_f1,
    "mnli": _accuracy("mnli/acc"),
    "mnli-mm": _accuracy("mnli-mm/acc"),
    "qnli": _accuracy(),
    "rte": _accuracy(),
    "wnli": _accuracy(),
    "hans": _accuracy(),
}


def glue_compute_metrics(task_name: str, preds: Any, labels: Any) -> Scores:
    """The measures that GLUE reports of a task.

    Args:
        task_name: Name of the task, such as `"mrpc"`; a `KeyError` if there is none of that name.
        preds: Predicted classes or values, one for each example.
        labels: The right ones.
    """
    return _measured(_GLUE, task_name, preds, labels)


def xnli_compute_metrics(task_name: str, preds: Any, labels: Any) -> Scores:
    """The accuracy of predictions of XNLI; `task_name` is `"xnli"`. See :func:`glue_compute_metrics`."""
    return _measured({"xnli": _accuracy()}, task_name, preds, labels)


def _measured(tasks: dict[str, Callable[[Any, Any], Scores]], task: str, preds: Any, labels: Any) -> Scores:
    if len(preds) != len(labels):
        raise ValueError(f"{len(preds)} predictions but {len(labels)} labels: expected as many labels as predictions")
    if task not in tasks:
        raise KeyError(f"the task {task!r} is none of {', '.join(tasks)}")
    return tasks[task](preds, labels)
