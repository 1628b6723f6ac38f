"""What the text pipelines share: calling the tokenizer for one text or for many, and softmax over logits."""

from __future__ import annotations

from typing import Any

import numpy as np


def tokenize_many(
    tokenizer: Any, texts: list[Any], pairs: list[Any] | None = None, **options: Any
) -> list[dict[str, Any]]:
    """One call of the tokenizer for many texts: for each the tensors that a call for it alone returns.

    Without padding, and each tensor with a batch axis of one. Only for options that do not overflow texts into several.
    """
    import torch

    arguments = (texts,) if pairs is None else (texts, pairs)
    encoded = tokenizer(*arguments, **{**options, "padding": False, "return_tensors": None})
    rows = zip(*(map(_row(torch), column) for column in encoded.values()))
    return [dict(zip(encoded.keys(), row)) for row in rows]


def _row(torch: Any) -> Any:
    return lambda values: torch.tensor([values])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Each logit's own probability."""
    return 1.0 / (1.0 + np.exp(-logits))
