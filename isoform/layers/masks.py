"""Attention masks, as one additive tensor that every layer of a forward pass shares."""

from __future__ import annotations

import torch
from torch import Tensor


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where attention is allowed and the lowest finite number elsewhere.

    Finite, because a query that may see nothing at all (left padding) must give finite numbers, not NaN.
    """
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(~allowed, torch.finfo(dtype).min)


def causal(queries: Tensor, keys: Tensor, window: int | None = None) -> Tensor:
    """Boolean `(queries, keys)`: may the query at each position see the key at each position?

    Args:
        queries, keys: one-dimensional positions.
        window: how many positions back, itself included, a query sees (Mistral's sliding window); None for all.
    """
    allowed = keys[None, :] <= queries[:, None]
    return allowed if window is None else allowed & (keys[None, :] > queries[:, None] - window)


def to_additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """An additive mask from a padding mask `(batch, keys)` of 1 and 0, or from a 4-D mask of either kind."""
    if mask.dim() == 2:
        return additive(mask[:, None, None, :] != 0, dtype)
    if mask.dim() == 3:
        mask = mask[:, None]
    if mask.is_floating_point():
        return mask.to(dtype)
    return additive(mask != 0, dtype)
