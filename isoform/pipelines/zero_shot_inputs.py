"""What zero-shot pipelines over images and sounds share: labels made into texts, and scores sorted."""

from __future__ import annotations

from typing import Any

import torch


def label_texts(tokenizer: Any, labels: list[str], template: str) -> Any:
    """The tokenized sentences that stand for the labels, padded to one length.

    Raises:
        ValueError: there are no labels.
    """
    if not labels:
        raise ValueError("`candidate_labels` is empty: pass the labels to choose from, for instance ['cat', 'dog']")
    return tokenizer([template.format(label) for label in labels], return_tensors="pt", padding=True)


def parse_labels(labels: Any) -> list[str]:
    """A list of labels; one string may hold several with commas between them."""
    return [label.strip() for label in labels.split(",") if label.strip()] if isinstance(labels, str) else list(labels)


def first_of_batch(value: Any) -> Any:
    """What all items of a batch share, and collating gathered in a list of lists of one."""
    while isinstance(value, (list, tuple)):
        value = value[0]
    return value


def sorted_scores(labels: list[str], logits: torch.Tensor) -> list[dict[str, Any]]:
    """`{"score", "label"}` for each label, best first."""
    scores = logits.float().softmax(-1).tolist()
    return [{"score": score, "label": label} for score, label in sorted(zip(scores, labels), key=lambda pair: -pair[0])]
