"""Key/value caches for decoding.

A cache reads like the documented nested tuple: `cache[layer]` is `(keys, values)`, each of shape
`(batch, key_value_heads, length, head_size)`. Underneath lie preallocated buffers to which each step appends in place.
A handle never changes its contents: a forward pass returns a new handle of the grown length on the same buffers, and
continuing an old handle a second time copies first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_MINIMUM_GROWTH = 64  # positions; keeps short prompts from reallocating at every step


class Cache:
    """What every cache offers to attention and to generation."""

    length: int  # positions held, those of the running forward pass included
    cross: dict[int, tuple[Tensor, Tensor]]  # per layer: keys and values of the encoder's states, fixed while decoding

    def fork(self, new_tokens: int) -> Cache:
        """The handle that a forward pass over `new_tokens` further positions fills and returns."""
        raise NotImplementedError

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Append `(batch, heads, new, head_size)` states to a layer; returns all its keys and values."""
        raise NotImplementedError

    def get_seq_length(self, layer_idx: int | None = 0) -> int:
        return self.length

    def get_max_length(self) -> int | None:
        """The most positions the cache can hold; None if it grows."""
        return None

    def get_usable_length(self, new_seq_length: int, layer_idx: int | None = 0) -> int:
        """How many cached positions remain once `new_seq_length` further ones are there."""
        limit, held = self.get_max_length(), self.get_seq_length(layer_idx)
        return limit - new_seq_length if limit is not None and held + new_seq_length > limit else held


class _Buffers:
    """Tensors that several handles share. `claimed` counts the positions that some handle has written or will write."""

    __slots__ = ("capacity", "claimed", "cross", "keys", "values")

    def __init__(self, capacity: int | None = None) -> None:
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self.cross: dict[int, tuple[Tensor, Tensor]] = {}  # encoder keys and values, fixed during decoding
        self.capacity, self.claimed = capacity, 0


def _grown(old: Tensor, start: int, capacity: int) -> Tensor:
    """A buffer of `capacity` positions that begins with the first `start` of `old`."""
    new = old.new_empty(*old.shape[:2], capacity, old.shape[3])
    new[:, :, :start] = old[:, :, :start]
    return new


class DynamicCache(Cache):
    """A cache that grows as needed.

    Args:
        capacity: positions to allocate at once, for callers that know the final length (generation does).
    """

    def __init__(self, capacity: int | None = None) -> None:
        self.buffers = _Buffers(capacity)
        self.start = self.length = 0
        self.functional = False  # True while tracing: concatenate instead of writing in place
        self.open = False  # True while a forward pass fills this handle

    def _handle(self, buffers: _Buffers, start: int, length: int) -> DynamicCache:
        handle = type(self).__new__(type(self))
        handle.buffers, handle.start, handle.length = buffers, start, length
        handle.functional, handle.open = False, True
        return handle

    def __copy__(self) -> DynamicCache:
        self.buffers.claimed = -1  # whoever writes next copies
        handle = self._handle(self.buffers, self.start, self.length)
        handle.open = False
        return handle

    def fork(self, new_tokens: int) -> DynamicCache:
        buffers, end = self.buffers, self.length + new_tokens
        if torch.compiler.is_compiling():
            handle = self._handle(self._copy_buffers(), self.length, end)
            handle.functional = True
            return handle
        new_text = self.length == 0 and bool(buffers.cross)  # of another encoder pass, perhaps
        if (
            new_text
            or buffers.claimed != self.length
            or (buffers.keys and buffers.keys[0].is_inference() and not torch.is_inference_mode_enabled())
        ):
            buffers = self._copy_buffers()
        buffers.claimed = end
        return self._handle(buffers, self.length, end)

    def _copy_buffers(self) -> _Buffers:
        """Own buffers with what this handle sees; they are exactly full, so the next write reallocates them."""
        copy, old = _Buffers(self.buffers.capacity), self.buffers
        copy.keys = [x[:, :, : self.length] for x in old.keys]
        copy.values = [x[:, :, : self.length] for x in old.values]
        copy.cross, copy.claimed = dict(old.cross) if self.length else {}, self.length
        return copy

    @property
    def cross(self) -> dict[int, tuple[Tensor, Tensor]]:  # type: ignore[override]
        return self.buffers.cross

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        new = key_states.shape[2]
        if layer_idx == 0 and not self.open:  # called directly, outside of a forward pass
            self._claim(new)
        buffers = self.buffers
        start, end = self.start, self.start + new
        if layer_idx == len(buffers.keys):
            if buffers.capacity is None or self.functional or end >= buffers.capacity or key_states.requires_grad:
                buffers.keys.append(key_states)
                buffers.values.append(value_states)
                return key_states, value_states
            buffers.keys.append(_grown(key_states, 0, buffers.capacity))
            buffers.values.append(_grown(value_states, 0, buffers.capacity))
        keys, values = buffers.keys[layer_idx], buffers.values[layer_idx]
        if self.functional or (torch.is_grad_enabled() and (key_states.requires_grad or keys.requires_grad)):
            keys = buffers.keys[layer_idx] = torch.cat((keys[:, :, :start], key_states), 2)
            values = buffers.values[layer_idx] = torch.cat((values[:, :, :start], value_states), 2)
            return keys, values
        if keys.shape[2] < end:
            capacity = max(buffers.capacity or 0, end + max(start, _MINIMUM_GROWTH))
            keys = buffers.keys[layer_idx] = _grown(keys, start, capacity)
            values = buffers.values[layer_idx] = _grown(values, start, capacity)
        keys.narrow(2, start, new).copy_(key_states)
        values.narrow(2, start, new).copy_(value_states)
        return keys.narrow(2, 0, end), values.narrow(2, 0, end)

    def _claim(self, new: int) -> None:
        if self.buffers.claimed != self.length:
            self.buffers = self._copy_buffers()
        self.start, self.length = self.length, self.length + new
        self.buffers.claimed = self.length

    # Reading it as the documented nested tuple

    def __len__(self) -> int:
        return len(self.buffers.keys)

    def __bool__(self) -> bool:
        return True  # an empty cache is still a cache

    def __getitem__(self, layer: int) -> tuple[Tensor, ...]:
        buffers = self.buffers
        if not -len(buffers.keys) <= layer < len(buffers.keys):
            raise IndexError(f"layer {layer} is not in a cache of {len(buffers.keys)} layers")
        pair = buffers.keys[layer][:, :, : self.length], buffers.values[layer][:, :, : self.length]
        return pair + buffers.cross.get(layer % len(buffers.keys), ())

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (self[layer] for layer in range(len(self)))

    @property
    def key_cache(self) -> list[Tensor]:
        return [layer[0] for layer in self]

    @property
    def value_cache(self) -> list[Tensor]:
        return [layer[1] for layer in self]

    @property
    def seen_tokens(self) -> int:
        return self.length

    def to_legacy_cache(self) -> tuple[tuple[Tensor, ...], ...]:
        return tuple(self)

    @classmethod
    def from_legacy_cache(cls, past_key_values: Any = None) -> DynamicCache:
        """A cache over the tensors of a nested tuple: `(keys, values)` per layer, or those and the encoder's pair."""
        cache = cls()
        for index, layer in enumerate(past_key_values or ()):
            cache.buffers.keys.append(layer[0])
            cache.buffers.values.append(layer[1])
            if len(layer) == 4:
                cache.buffers.cross[index] = (layer[2], layer[3])
            cache.length = cache.buffers.claimed = layer[0].shape[-2]
        cache.start = cache.length
        return cache

    # Generation

    def reorder(self, beam_idx: Tensor, cross: bool = True) -> DynamicCache:
        """A new handle whose batch entry `i` is this one's entry `beam_idx[i]`.

        Args:
            cross: False leaves the encoder's keys and values as they are, for entries that share them (beams).
        """
        buffers = _Buffers(self.buffers.capacity)

        def pick(x: Tensor) -> Tensor:
            rows, filled = beam_idx.to(x.device), x.narrow(2, 0, self.length)
            if x.shape[2] == self.length or x.requires_grad:
                return filled.index_select(0, rows)
            picked = x.new_empty(len(rows), *x.shape[1:])  # written once, beam search does this in every step
            torch.index_select(filled, 0, rows, out=picked.narrow(2, 0, self.length))
            return picked

        buffers.keys, buffers.values = [pick(x) for x in self.buffers.keys], [pick(x) for x in self.buffers.values]
        buffers.cross = self.buffers.cross
        if cross:
            buffers.cross = {
                i: tuple(x.index_select(0, beam_idx.to(x.device)) for x in pair)  # type: ignore[misc]
                for i, pair in self.buffers.cross.items()
            }
        buffers.claimed = self.length
        handle = self._handle(buffers, self.start, self.length)
        handle.open = False
        return handle

    def exchange(self, beam_idx: Tensor, start: int) -> DynamicCache:
        """As `reorder`, for entries of equal content before position `start` and equal encoder states: beams.

        Works in place where nobody else may see these positions, so this handle is spent.
        """
        buffers = self.buffers
        first = buffers.keys[0] if buffers.keys else None
        fixed = first is None or first.requires_grad or (first.is_inference() and not torch.is_inference_mode_enabled())
        if fixed or buffers.claimed != self.length:
            return self.reorder(beam_idx)
        for x in (*buffers.keys, *buffers.values):
            part = x.narrow(2, start, self.length - start)
            part.copy_(part.index_select(0, beam_idx.to(x.device)))
        return self

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """As `reorder`, but changes this handle."""
        self.buffers = self.reorder(beam_idx).buffers

    def crop(self, max_length: int) -> None:
        """Forget the positions from `max_length` on (all but that many from the end if negative)."""
        length = max_length if max_length >= 0 else self.length + max_length
        if length < self.length:
            # Older handles end where this one's pass began at the latest: beyond that the buffers may be written again.
            own = self.length == self.buffers.claimed and length >= self.start
            self.buffers.claimed = length if own else -1
            self.start = self.length = length


class SinkCache(Cache):
    """A cache of a fixed window that always keeps its first positions (Xiao et al. 2023, "attention sinks").

    Keys are stored rotated; those that move towards the front of the window are rotated back by as many positions.

    Args:
        window_length: positions held at most.
        num_sink_tokens: positions at the start that are never dropped.
    """

    def __init__(self, window_length: int, num_sink_tokens: int) -> None:
        self.window_length, self.num_sink_tokens = window_length, num_sink_tokens
        self.key_cache: list[Tensor] = []
        self.value_cache: list[Tensor] = []
        self.seen_tokens = 0
        self.cross = {}

    @property
    def length(self) -> int:  # type: ignore[override]
        return self.get_seq_length()

    def fork(self, new_tokens: int) -> SinkCache:
        return self

    def get_seq_length(self, layer_idx: int | None = 0) -> int:
        index = layer_idx or 0
        return self.key_cache[index].shape[-2] if index < len(self.key_cache) else 0

    def get_max_length(self) -> int | None:
        return self.window_length

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        new = key_states.shape[-2]
        if layer_idx == 0:
            self.seen_tokens += new
        if layer_idx == len(self.key_cache):
            self.key_cache.append(key_states)
            self.value_cache.append(value_states)
        else:
            keys, values = self.key_cache[layer_idx], self.value_cache[layer_idx]
            excess = keys.shape[-2] + new - self.window_length
            if excess > 0:
                rotary = (cache_kwargs or {}).get("rotary")
                keys, values = self._drop(keys, excess, rotary), self._drop(values, excess, None)
            self.key_cache[layer_idx] = torch.cat((keys, key_states), -2)
            self.value_cache[layer_idx] = torch.cat((values, value_states), -2)
        return self.key_cache[layer_idx], self.value_cache[layer_idx]

    def _drop(self, x: Tensor, excess: int, rotary: Any) -> Tensor:
        sink, rest = x[:, :, : self.num_sink_tokens], x[:, :, self.num_sink_tokens + excess :]
        if rotary is not None:
            rest = rotary.shift(rest, -excess)
        return torch.cat((sink, rest), -2)

    def reorder_cache(self, beam_idx: Tensor) -> None:
        for cache in (self.key_cache, self.value_cache):
            cache[:] = [x.index_select(0, beam_idx.to(x.device)) for x in cache]


class StaticCache(Cache):
    """Buffers of fixed shape with the write position in a tensor, so one decoding step is one graph for all steps.

    Args:
        config: gives layers, heads and head size.
        max_batch_size, max_cache_len: the fixed batch and the positions to hold.
        position: `()` int64 tensor, the number of positions already written; the caller advances it.
    """

    def __init__(
        self,
        config: Any,
        max_batch_size: int,
        max_cache_len: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        shape = (max_batch_size, heads, max_cache_len, size)
        layers = range(config.num_hidden_layers)
        self.key_cache = [torch.zeros(shape, device=device, dtype=dtype) for _ in layers]
        self.value_cache = [torch.zeros(shape, device=device, dtype=dtype) for _ in layers]
        self.position = torch.zeros((), dtype=torch.long, device=device)
        self.capacity = max_cache_len
        self.cross = {}
        self.rows = torch.zeros(1, dtype=torch.long, device=device)  # where the running forward pass writes

    @property
    def length(self) -> int:  # type: ignore[override]
        return self.capacity

    def get_seq_length(self, layer_idx: int | None = 0) -> int:
        return int(self.position)

    def get_max_length(self) -> int | None:
        return self.capacity

    def fork(self, new_tokens: int) -> StaticCache:
        self.rows = self.position + torch.arange(new_tokens, device=self.position.device)
        return self

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        keys, values = self.key_cache[layer_idx], self.value_cache[layer_idx]
        keys.index_copy_(2, self.rows, key_states)
        values.index_copy_(2, self.rows, value_states)
        return keys, values

    def __len__(self) -> int:
        return len(self.key_cache)

    def __getitem__(self, layer: int) -> tuple[Tensor, Tensor]:
        return self.key_cache[layer], self.value_cache[layer]

    def reorder_cache(self, beam_idx: Tensor) -> None:
        for x in (*self.key_cache, *self.value_cache):
            x.copy_(x.index_select(0, beam_idx.to(x.device)))

    def reset(self) -> None:
        """Forget everything; the buffers stay."""
        self.position.zero_()


def as_cache(past_key_values: Any) -> Cache:
    """The given cache, or one over the tensors of a nested tuple; a new one for None."""
    if isinstance(past_key_values, Cache):
        return past_key_values
    return DynamicCache.from_legacy_cache(past_key_values)


def _flatten(cache: DynamicCache) -> tuple[list[Tensor], list[int]]:
    layers = list(cache)
    return [x for layer in layers for x in layer], [len(layer) for layer in layers]


def _unflatten(tensors: Any, sizes: list[int]) -> DynamicCache:
    tensors = iter(tensors)
    return DynamicCache.from_legacy_cache([[next(tensors) for _ in range(size)] for size in sizes])


def _flatten_with_keys(cache: DynamicCache) -> tuple[list[tuple[Any, Tensor]], list[int]]:
    tensors, sizes = _flatten(cache)
    return [(torch.utils._pytree.SequenceKey(i), x) for i, x in enumerate(tensors)], sizes


torch.utils._pytree.register_pytree_node(
    DynamicCache,
    _flatten,
    _unflatten,
    serialized_type_name="isoform.cache_utils.DynamicCache",
    flatten_with_keys_fn=_flatten_with_keys,
)
