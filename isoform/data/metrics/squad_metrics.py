"""How good answers to questions are, by the measures of SQuAD: exact matches and the F1 score of their words."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ...utils import logging
from ..processors.squad import SquadExample

__all__ = ["compute_exact", "compute_f1", "get_raw_scores", "get_tokens", "normalize_answer", "squad_evaluate"]

logger = logging.get_logger(__name__)

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(s: str) -> str:
    """An answer in lower case, without punctuation, articles and needless spaces."""
    return " ".join(_ARTICLES.sub(" ", s.lower().translate(_NO_PUNCTUATION)).split())


def get_tokens(s: str) -> list[str]:
    """The words of an answer that count."""
    return normalize_answer(s).split()


def compute_exact(a_gold: str, a_pred: str) -> int:
    """1 if both answers are the same once normalized, else 0."""
    return int(normalize_answer(a_gold) == normalize_answer(a_pred))


def compute_f1(a_gold: str, a_pred: str) -> float:
    """The F1 score of the words that two answers share, from 0 to 1; two empty answers agree."""
    gold, predicted = get_tokens(a_gold), get_tokens(a_pred)
    if not gold or not predicted:
        return float(gold == predicted)
    return 2 * (Counter(gold) & Counter(predicted)).total() / (len(gold) + len(predicted))


def get_raw_scores(examples: list[SquadExample], preds: dict[str, str]) -> tuple[dict[str, float], dict[str, float]]:
    """For each question that was answered, the best exact match and the best F1 score over the right answers."""
    exact: dict[str, float] = {}
    f1: dict[str, float] = {}
    for example in examples:
        name = str(example.qas_id)
        if name not in preds:
            logger.warning("There is no prediction for question %s: it does not count", name)
            continue
        # Where there is no answer, the right one is to give none.
        golds = [answer["text"] for answer in example.answers if normalize_answer(answer["text"])] or [""]
        exact[name] = max(compute_exact(gold, preds[name]) for gold in golds)
        f1[name] = max(compute_f1(gold, preds[name]) for gold in golds)
    return exact, f1


def squad_evaluate(
    examples: list[SquadExample],
    preds: dict[str, str],
    no_answer_probs: dict[str, float] | None = None,
    no_answer_probability_threshold: float = 1.0,
) -> dict[str, float]:
    """The measures of SQuAD in percent: of all questions, of those with an answer and of those without.

    Args:
        examples: The questions, with all right answers.
        preds: For each question, by its identifier, the predicted answer; empty for none.
        no_answer_probs: How likely each question has no answer; 0 by default.
        no_answer_probability_threshold: Above this, no answer is taken as predicted.
    """
    answerable = {str(example.qas_id): bool(example.answers) for example in examples}
    probs = dict.fromkeys(preds, 0.0) if no_answer_probs is None else no_answer_probs
    raw = dict(zip(("exact", "f1"), get_raw_scores(examples, preds)))

    def settled(name: str, score: float) -> float:
        return float(not answerable[name]) if probs[name] > no_answer_probability_threshold else score

    scores = {kind: {name: settled(name, score) for name, score in of.items()} for kind, of in raw.items()}
    result = _means(scores, scores["exact"])
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        names = [name for name, has in answerable.items() if has is wanted and name in scores["exact"]]
        if names:
            result |= {f"{prefix}_{key}": value for key, value in _means(scores, names).items()}
    if probs:
        for kind, of in raw.items():
            result[f"best_{kind}"], result[f"best_{kind}_thresh"] = _best_threshold(
                of, preds, probs, answerable.__getitem__
            )
    return result


def _means(scores: dict[str, dict[str, float]], names: Iterable[str]) -> dict[str, float]:
    names = list(names)
    total = len(names)
    return {kind: 100.0 * sum(of[name] for name in names) / total for kind, of in scores.items()} | {"total": total}


def _best_threshold(
    scores: dict[str, float], preds: dict[str, str], probs: dict[str, float], answerable: Callable[[str], Any]
) -> tuple[float, float]:
    """The best mean in percent that a threshold can give, and that threshold.

    At first no question is answered. The questions are then answered one by one, the surest first.
    """
    names = [name for name in sorted(probs, key=probs.__getitem__) if name in scores]
    current = best = float(sum(not answerable(name) for name in names))
    threshold = 0.0
    for name in names:
        current += scores[name] if answerable(name) else -bool(preds[name])
        if current > best:
            best, threshold = current, probs[name]
    return 100.0 * best / len(scores), threshold
