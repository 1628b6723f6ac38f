"""Attention masks, as one additive tensor that every layer of a forward pass shares."""

from __future__ import annotations

import torch
from torch import Tensor


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where attention is allowed and the lowest finite number elsewhere.

    Finite, because a query that may see nothing at all (left padding) must give finite numbers, not NaN.
    """
    return torch.where(allowed, torch.zeros((), dtype=dtype, device=allowed.device), torch.finfo(dtype).min)


def causal(queries: Tensor, keys: Tensor, window: int | None = None) -> Tensor:
    """Boolean `(queries, keys)`: may the query at each position see the key at each position?

    Args:
        queries, keys: one-dimensional positions.
        window: how many positions back, itself included, a query sees (Mistral's sliding window); None for all.
    """
    allowed = keys[None, :] <= queries[:, None]
    return allowed if window is None else allowed & (keys[None, :] > queries[:, None] - window)


class Prepared:
    """An additive mask `(batch, 1, queries, keys)` that is used as it is, for passes that share one."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def to_additive(mask: Tensor | Prepared, dtype: torch.dtype) -> Tensor:
    """An additive mask from one of 1 and 0: `(batch, keys)`, `(batch, queries, keys)` or `(batch, 1, queries, keys)`.

    A floating-point mask of three or four dimensions may be additive already: it has no positive element then.
    """
    if isinstance(mask, Prepared):
        return mask.tensor
    if mask.dim() == 2:
        return additive(mask[:, None, None, :] != 0, dtype)
    if mask.dim() == 3:
        mask = mask[:, None]
    from_ones = additive(mask != 0, dtype)
    if not mask.is_floating_point():
        return from_ones
    return torch.where((mask > 0).any(), from_ones, mask.clamp(min=torch.finfo(dtype).min).to(dtype))
