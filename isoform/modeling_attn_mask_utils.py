"""Four-dimensional attention masks under the names that code written for 4.36 imports.

The library's own models get their masks from `layers`; these functions serve users' models.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .layers import masks


class AttentionMaskConverter:
    """Turns padding masks `(batch, keys)` into additive masks `(batch, 1, queries, keys)`.

    Args:
        is_causal: no query sees a later key.
        sliding_window: how many positions back, itself included, a query sees.
    """

    def __init__(self, is_causal: bool, sliding_window: int | None = None) -> None:
        if sliding_window is not None and sliding_window <= 0:
            raise ValueError(f"sliding_window must be a strictly positive integer, got {sliding_window}")
        self.is_causal, self.sliding_window = is_causal, sliding_window

    def _causal(self, queries: int, keys: int, device: torch.device | str) -> Tensor:
        rows = torch.arange(keys - queries, keys, device=device)
        return masks.causal(rows, torch.arange(keys, device=device), self.sliding_window)[None, None]

    def to_causal_4d(
        self,
        batch_size: int,
        query_length: int,
        key_value_length: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> Tensor | None:
        """The causal mask alone; None where one query sees everything."""
        if not self.is_causal:
            raise ValueError(f"to_causal_4d needs a causal converter; this {type(self).__name__} has is_causal=False")
        if query_length == 1 and self.sliding_window is None:
            return None
        allowed = self._causal(query_length, key_value_length, device)
        return masks.additive(allowed, dtype).expand(batch_size, -1, -1, -1)

    def to_4d(
        self, attention_mask_2d: Tensor, query_length: int, dtype: torch.dtype, key_value_length: int | None = None
    ) -> Tensor:
        """Padding and, for a causal converter, causality in one mask."""
        allowed = (attention_mask_2d != 0)[:, None, None, :].expand(-1, -1, query_length, -1)
        if self.is_causal:
            if key_value_length is None:
                raise ValueError("a causal converter needs key_value_length, the number of cached and new positions")
            allowed = allowed & self._causal(query_length, key_value_length, attention_mask_2d.device)
        return masks.additive(allowed, dtype)


def _prepare_4d_causal_attention_mask(
    attention_mask: Tensor | None,
    input_shape: torch.Size | Sequence[int],
    inputs_embeds: Tensor,
    past_key_values_length: int,
    sliding_window: int | None = None,
) -> Tensor | None:
    """The additive causal mask of a decoder, from a padding mask, a 4-D mask of 1 and 0, or None."""
    batch, length = input_shape[0], input_shape[-1]
    total = length + past_key_values_length
    converter = AttentionMaskConverter(True, sliding_window)
    if attention_mask is None:
        return converter.to_causal_4d(batch, length, total, inputs_embeds.dtype, inputs_embeds.device)
    if attention_mask.dim() == 4:
        expected = (batch, 1, length, total)
        if tuple(attention_mask.shape) != expected:
            raise ValueError(f"Incorrect 4D attention_mask shape: {tuple(attention_mask.shape)}; expected: {expected}.")
        return masks.additive(attention_mask != 0, inputs_embeds.dtype)
    return converter.to_4d(attention_mask, length, inputs_embeds.dtype, total)


def _prepare_4d_causal_attention_mask_for_sdpa(
    attention_mask: Tensor | None,
    input_shape: torch.Size | Sequence[int],
    inputs_embeds: Tensor,
    past_key_values_length: int,
    sliding_window: int | None = None,
) -> Tensor | None:
    """As above, but None where the kernel's own causal mode, or no mask, does the same."""
    whole = past_key_values_length == 0 or input_shape[-1] == 1
    if attention_mask is None and whole and sliding_window is None:
        return None
    return _prepare_4d_causal_attention_mask(
        attention_mask, input_shape, inputs_embeds, past_key_values_length, sliding_window
    )


def _prepare_4d_attention_mask(mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None) -> Tensor:
    """The additive mask `(batch, 1, tgt_len, keys)` of an encoder or of cross-attention."""
    return AttentionMaskConverter(False).to_4d(mask, mask.shape[1] if tgt_len is None else tgt_len, dtype)


def _prepare_4d_attention_mask_for_sdpa(mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None) -> Tensor | None:
    """As above, but None for a mask without padding, except while tracing."""
    if not torch.compiler.is_compiling() and bool((mask != 0).all()):
        return None
    return _prepare_4d_attention_mask(mask, dtype, tgt_len)


def _create_4d_causal_attention_mask(
    input_shape: torch.Size | Sequence[int],
    dtype: torch.dtype,
    device: torch.device,
    past_key_values_length: int = 0,
    sliding_window: int | None = None,
) -> Tensor | None:
    """The causal mask without any padding."""
    total = input_shape[-1] + past_key_values_length
    converter = AttentionMaskConverter(True, sliding_window)
    return converter.to_causal_4d(input_shape[0], input_shape[-1], total, dtype, device)
