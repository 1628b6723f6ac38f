"""Losses of the task heads."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each token given those before it; label -100 is left out.

    Args:
        logits: `(batch, sequence, vocabulary)`; the last position predicts nothing.
        labels: `(batch, sequence)`, usually the input ids.
    """
    return token_loss(logits[:, :-1], labels[:, 1:])


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of `(..., classes)` against `(...)`; label -100 is left out."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1).to(logits.device))


def sequence_loss(logits: Tensor, labels: Tensor, config: Any) -> Tensor:
    """Regression, single-label or multi-label loss, by `config.problem_type`.

    Where that is not set it follows from the number of labels and their dtype, and is written to the config, as the
    documented heads do.
    """
    labels = labels.to(logits.device)
    if config.problem_type is None:
        if config.num_labels == 1:
            config.problem_type = "regression"
        elif not labels.dtype.is_floating_point:
            config.problem_type = "single_label_classification"
        else:
            config.problem_type = "multi_label_classification"
    if config.problem_type == "regression":
        return F.mse_loss(logits.squeeze(), labels.squeeze()) if config.num_labels == 1 else F.mse_loss(logits, labels)
    if config.problem_type == "single_label_classification":
        return F.cross_entropy(logits.view(-1, config.num_labels), labels.view(-1))
    return F.binary_cross_entropy_with_logits(logits, labels)


def span_loss(start_logits: Tensor, end_logits: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Mean cross-entropy of span boundaries; a position outside of the sequence is left out.

    Args:
        start_logits, end_logits: `(batch, sequence)`.
        starts, ends: `(batch,)` or `(batch, 1)` positions.
    """
    length = start_logits.shape[1]

    def one(logits: Tensor, positions: Tensor) -> Tensor:
        if positions.dim() > 1:
            positions = positions.squeeze(-1)
        positions = positions.to(logits.device).clamp(0, length)
        return F.cross_entropy(logits, torch.where(positions == length, -100, positions))

    return (one(start_logits, starts) + one(end_logits, ends)) / 2
