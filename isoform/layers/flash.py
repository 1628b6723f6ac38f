"""Attention through the package flash-attn (Dao 2023), for half precision on CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .call import Call


def _unpad(x: Tensor, keep: Tensor) -> Tensor:
    return x.flatten(0, 1)[keep]


def get_unpad_data(mask: Tensor) -> tuple[Tensor, Tensor, int]:
    """Flat indices of the real tokens, cumulative lengths and the longest length of a padding mask."""
    lengths = mask.sum(-1, dtype=torch.int32)
    return (
        mask.flatten().nonzero().flatten(),
        torch.nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0)),
        int(lengths.max()),
    )


def flash_attend(
    q: Tensor, k: Tensor, v: Tensor, call: Call, *, dropout: float, scale: float | None, window: int | None
) -> Tensor:
    """`attend` without weights or head masks; padding is removed before the kernel and put back after it."""
    from flash_attn import flash_attn_func, flash_attn_varlen_func

    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    options: dict[str, Any] = {"dropout_p": dropout, "softmax_scale": scale, "causal": call.causal}
    if window is not None and k.shape[1] > window:
        options["window_size"] = (window - 1, 0)
    if call.padding is None:
        return flash_attn_func(q, k, v, **options).flatten(2)
    if call.padding.dim() != 2:
        raise ValueError(
            "flash_attention_2 takes a padding mask of shape (batch, sequence); use attn_implementation='sdpa'"
        )
    key_mask = call.padding.bool()
    query_mask = key_mask[:, -q.shape[1] :]
    key_index, key_cumulative, key_longest = get_unpad_data(key_mask)
    query_index, query_cumulative, query_longest = get_unpad_data(query_mask)
    packed = flash_attn_varlen_func(
        _unpad(q, query_index), _unpad(k, key_index), _unpad(v, key_index),
        query_cumulative, key_cumulative, query_longest, key_longest, **options,
    )  # fmt: skip
    result = q.new_zeros(q.shape[0] * q.shape[1], *packed.shape[1:])
    result[query_index] = packed
    return result.view(*q.shape[:2], -1)
