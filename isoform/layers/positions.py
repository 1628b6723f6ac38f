"""Position encodings."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class Rotary(nn.Module):
    """Rotary position embedding (Su et al. 2021), of the first `dim` channels of each head.

    Holds no tensors: the cosine and sine tables of a forward pass are computed once in float32, for all its layers.

    Args:
        dim: channels to rotate; further ones pass through.
        base: of the geometric row of frequencies.
        max_position_embeddings: the trained length, from which dynamic scaling starts.
        scaling: `{"type": "linear" | "dynamic", "factor": float}` or None. Linear divides positions by the factor
            (Chen et al. 2023); dynamic raises the base with the length beyond the trained one (NTK-aware).
        interleaved: pairs are neighbouring channels (GPT-J) rather than the two halves (GPT-NeoX).
    """

    def __init__(
        self,
        dim: int,
        base: float = 10000.0,
        max_position_embeddings: int = 2048,
        scaling: dict[str, Any] | None = None,
        interleaved: bool = False,
    ) -> None:
        super().__init__()
        self.dim, self.base, self.max_positions, self.interleaved = dim, base, max_position_embeddings, interleaved
        self.kind: str | None = scaling["type"] if scaling else None
        self.factor: float = scaling["factor"] if scaling else 1.0
        self.key = (dim, base, max_position_embeddings, self.kind, self.factor, interleaved)
        self._frequencies: dict[torch.device, Tensor] = {}

    def frequencies(self, device: torch.device, length: Any) -> Tensor:
        """Inverse frequencies, float32 of shape `(dim / 2,)`, for sequences of `length` positions.

        `length` is an int, or a tensor `()` where a graph of fixed shapes serves all lengths.
        """
        base: Any = self.base
        if self.kind == "dynamic":
            # Below the trained length the growth factor is exactly 1: no branch on a possibly symbolic length.
            if isinstance(length, Tensor):
                length = length.clamp(min=self.max_positions)
            else:
                length = torch.sym_max(length, self.max_positions)
            growth = self.factor * length / self.max_positions - (self.factor - 1)
            if self.dim > 2:  # a single pair turns at frequency 1 whatever the base
                base = base * growth ** (self.dim / (self.dim - 2))
        elif device in self._frequencies and not torch.compiler.is_compiling():
            return self._frequencies[device]
        result = 1.0 / (base ** (torch.arange(0, self.dim, 2, device=device).float() / self.dim))
        if self.kind != "dynamic" and not torch.compiler.is_compiling():
            self._frequencies[device] = result
        return result

    def angles(self, positions: Tensor, length: int) -> Tensor:
        """`(batch, 1, sequence, dim / 2)`, float32."""
        scaled = positions.float() / self.factor if self.kind == "linear" else positions.float()
        return scaled[:, None, :, None] * self.frequencies(positions.device, length)

    def table(self, positions: Tensor, length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines, each `(batch, 1, sequence, dim)`, for `positions` of shape `(batch, sequence)`."""
        angles = self.angles(positions, length)
        cos, sin = angles.cos(), angles.sin()
        if self.interleaved:
            return cos.repeat_interleave(2, -1).to(dtype), torch.stack((-sin, sin), -1).flatten(-2).to(dtype)
        return torch.cat((cos, cos), -1).to(dtype), torch.cat((-sin, sin), -1).to(dtype)

    def rotate(self, x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
        """`x` of shape `(batch, heads, sequence, head_size)` with its first `dim` channels rotated."""
        cos, sin = table
        y = x if x.shape[-1] == self.dim else x[..., : self.dim]
        if self.interleaved:
            swapped = y.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
        else:
            swapped = y.roll(self.dim // 2, -1)
        y = torch.addcmul(y * cos, swapped, sin)
        return y if x.shape[-1] == self.dim else torch.cat((y, x[..., self.dim :]), -1)

    def forward(self, q: Tensor, k: Tensor, call: Any) -> tuple[Tensor, Tensor]:
        """Rotate queries and keys by `call.position_ids`."""
        table = call.shared(self.key, lambda: self.table(call.position_ids, call.key_length, q.dtype), q.device)
        return self.rotate(q, table), self.rotate(k, table)

    def shift(self, x: Tensor, by: int) -> Tensor:
        """Rotated keys as they would be `by` positions further on (Xiao et al. 2023)."""
        positions = torch.full((1, 1), by, device=x.device)
        return self.rotate(x, self.table(positions, self.max_positions, x.dtype))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, base={self.base}" + (f", {self.kind} x{self.factor}" if self.kind else "")


def sinusoids(positions: Tensor, width: int, base: float = 10000.0) -> Tensor:
    """Fixed positions (Vaswani et al. 2017): `width / 2` sines, then as many cosines, as a new last axis."""
    frequencies = base ** -(torch.arange(0, width, 2, device=positions.device).float() / width)
    angles = positions[..., None].float() * frequencies
    return torch.cat((angles.sin(), angles.cos()), -1)


class RelativeBuckets:
    """Relative positions in buckets: one each for near ones, then growing with the distance (Raffel et al. 2020, T5).

    Args:
        buckets: their number.
        max_distance: positions further away than this share the last bucket.
        bidirectional: half of the buckets are for later positions; otherwise those share bucket 0.
    """

    def __init__(self, buckets: int, max_distance: int, bidirectional: bool) -> None:
        self.buckets, self.max_distance, self.bidirectional = buckets, max_distance, bidirectional
        self._history: dict[torch.device, Tensor] = {}

    def __call__(self, relative: Tensor) -> Tensor:
        """Buckets of `relative` positions, key minus query, int64 of any shape."""
        buckets, first = self.buckets, torch.zeros_like(relative)
        if self.bidirectional:
            buckets //= 2
            first, distance = (relative > 0).long() * buckets, relative.abs()
        else:
            distance = -relative.clamp(max=0)
        exact = buckets // 2
        far = torch.log(distance.clamp(min=exact).float() / exact) / math.log(self.max_distance / exact)
        far = (exact + (far * (buckets - exact)).long()).clamp(max=buckets - 1)
        return first + torch.where(distance < exact, distance, far)

    def history(self, length: int, device: torch.device) -> Tensor:
        """Buckets `(length,)` of the positions up to a query's own, oldest first. A table, for decoding."""
        table = self._history.get(device)
        if table is None or table.shape[0] < length:
            size = max(2 * length, 512)
            with torch.inference_mode(False):  # it may serve training later
                table = self._history[device] = self(torch.arange(1 - size, 1, device=device))
        return table[table.shape[0] - length :]
