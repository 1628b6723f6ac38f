"""Attention: the one place that touches the cache, applies masks, records weights, and picks a kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from .call import Call


Bias = Callable[[Tensor, Tensor], Tensor]  # queries and keys -> what is added to their scores


def split_heads(x: Tensor, heads: int) -> Tensor:
    """`(batch, sequence, heads * size)` as `(batch, heads, sequence, size)`, without a copy."""
    batch, length, width = x.shape
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def split_fused(x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """`(batch, sequence, parts * heads * size)` as `parts` times `(batch, heads, sequence, size)`, without a copy."""
    batch, length, width = x.shape
    return x.view(batch, length, parts, heads, width // (parts * heads)).permute(2, 0, 3, 1, 4).unbind(0)


def split_interleaved(x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """As `split_fused`, for checkpoints that keep the parts of each head together: `heads * parts * size`."""
    batch, length, width = x.shape
    return x.view(batch, length, heads, parts, width // (parts * heads)).permute(3, 0, 2, 1, 4).unbind(0)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    call: Call,
    index: int,
    *,
    dropout: float = 0.0,
    scale: float | None = None,
    bias: Tensor | Bias | None = None,
    window: int | None = None,
    rotary: object = None,
) -> Tensor:
    """Self-attention of one layer over the cached and the new positions.

    Args:
        q: `(batch, heads, sequence, head_size)`.
        k, v: the same, possibly of fewer heads (grouped-query attention: `heads` is a multiple of theirs).
        index: the layer, for the cache and the head mask.
        dropout: of attention weights; pass 0 outside of training.
        scale: of the scores, `1 / sqrt(head_size)` by default.
        bias: added to the scores, broadcastable to `(batch, heads, sequence, keys)`, or what makes it of the queries
            and all keys; None for `call.bias`, if any.
        window: see `masks.causal`.
        rotary: the layer's `Rotary`, for caches that move keys.

    Returns:
        `(batch, sequence, heads * head_size)`.
    """
    if call.cache is not None:
        k, v = call.cache.update(k, v, index, {"rotary": rotary} if rotary else None)
    if callable(bias):
        bias = bias(q, k)
    if call.implementation == "flash_attention_2" and bias is None and call.bias is None:
        from .flash import flash_attend

        return flash_attend(q, k, v, call, dropout=dropout, scale=scale, window=window)
    return _attend(
        q,
        k,
        v,
        call,
        index,
        call.self_mask(q, k, window, bias),
        call.causal and call.whole,
        dropout,
        scale,
        call.attentions,
    )


def cross_attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    call: Call,
    index: int,
    *,
    dropout: float = 0.0,
    scale: float | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Attention of a decoder layer over the encoder's states; shapes as in `attend`."""
    mask = call.encoder_mask(q)
    if bias is not None:
        mask = bias if mask is None else bias + mask
    return _attend(q, k, v, call, index, mask, False, dropout, scale, call.cross_attentions, cross=True)


def encoder_keys(
    q: Tensor, call: Call, index: int, project: Callable[[Tensor], tuple[Tensor, ...]], shown: bool = True
) -> tuple[Tensor, ...]:
    """Keys and values of the encoder's states for one decoder layer: made in the first pass, then kept in the cache.

    Args:
        q: the layer's queries, for their device.
        project: states `(batch, positions, width)` -> keys and values, each `(batch, heads, positions, head_size)`.
        shown: they are the third and fourth tensor of the layer in the documented nested tuple; else they are in the
            cache, but not to be seen there.
    """
    index = index if shown else -1 - index
    states: Any = call.encoder_hidden_states
    kept: Any = None if call.cache is None else call.cache.cross
    pair = None if kept is None else kept.get(index)
    if pair is None or pair[0].shape[2] != states.shape[1]:
        pair = project(states if states.device == q.device else states.to(q.device))
        if kept is not None:
            kept[index] = pair
    return pair


def _attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    call: Call,
    index: int,
    mask: Tensor | None,
    causal: bool,
    dropout: float,
    scale: float | None,
    record: list[Tensor] | None,
    cross: bool = False,
) -> Tensor:
    head_mask = (call.cross_head_mask if cross else call.head_mask) if call.explicit else None
    if mask is not None and mask.device != q.device:  # a model that is split over devices
        mask = mask.to(q.device)
    grouped = bool(k.shape[1] != q.shape[1])  # torch.jit.trace makes sizes tensors
    if call.explicit:
        return _explicit(
            q, k, v, mask, dropout, scale, None if head_mask is None else head_mask[index], record, grouped
        )
    y = F.scaled_dot_product_attention(q, k, v, mask, dropout, causal and mask is None, scale=scale, enable_gqa=grouped)
    return y.transpose(1, 2).flatten(2)


def _explicit(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    dropout: float,
    scale: float | None,
    head_mask: Tensor | None,
    record: list[Tensor] | None,
    grouped: bool,
) -> Tensor:
    """The formula written out, for when the weights themselves are wanted."""
    if grouped:
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
    scores = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)
    if dropout:
        weights = F.dropout(weights, dropout)
    if head_mask is not None:
        weights = weights * head_mask.to(weights.dtype)
    if record is not None:
        record.append(weights)
    return (weights @ v).transpose(1, 2).flatten(2)
