"""Rotary helpers under the names that code written for 4.36 imports from model files.

The library's own models use `positions.Rotary`; these serve users' models and patches, and compute by it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .positions import Rotary, sinusoids


class RotaryEmbedding(nn.Module):
    """Tables of cosines and sines.

    Args:
        dim: channels of a head that are rotated.
        max_position_embeddings: the trained length.
        base: of the geometric row of frequencies.
        device: of the frequencies.
        scaling_factor: of the scaled kinds.
    """

    kind: str | None = None

    def __init__(
        self,
        dim: int,
        max_position_embeddings: int = 2048,
        base: float = 10000,
        device: torch.device | str | None = None,
        scaling_factor: float = 1.0,
    ) -> None:
        super().__init__()
        self.dim, self.max_position_embeddings, self.base = dim, max_position_embeddings, base
        scaling = {"type": self.kind, "factor": scaling_factor} if self.kind else None
        self.rotary = Rotary(dim, base, max_position_embeddings, scaling)
        frequencies = self.rotary.frequencies(torch.device(device or "cpu"), max_position_embeddings)
        self.register_buffer("inv_freq", frequencies, persistent=False)

    def forward(self, x: Tensor, seq_len: int | None = None) -> tuple[Tensor, Tensor]:
        """Cosines and sines, each `(seq_len, dim)`, in the dtype and on the device of `x`."""
        length = self.max_position_embeddings if seq_len is None else seq_len
        angles = self.rotary.angles(torch.arange(length, device=x.device)[None], length)[0, 0].repeat(1, 2)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


class LinearScalingRotaryEmbedding(RotaryEmbedding):
    kind = "linear"


class DynamicNTKScalingRotaryEmbedding(RotaryEmbedding):
    kind = "dynamic"


def rotate_half(x: Tensor) -> Tensor:
    """The second half of the last axis, negated, then the first."""
    first, second = x.chunk(2, -1)
    return torch.cat((-second, first), -1)


def apply_rotary_pos_emb(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, position_ids: Tensor, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """Rotate queries and keys by tables `(positions, dim)`, looked up at `position_ids` `(batch, sequence)`."""
    cos, sin = (table[position_ids].unsqueeze(unsqueeze_dim) for table in (cos, sin))
    return q * cos + rotate_half(q) * sin, k * cos + rotate_half(k) * sin


def repeat_kv(hidden_states: Tensor, n_rep: int) -> Tensor:
    """`(batch, heads, sequence, size)` with each head `n_rep` times."""
    return hidden_states.repeat_interleave(n_rep, 1)


# GPT-J's form: neighbouring channels are pairs, and one table holds sines and cosines.


def create_sinusoidal_positions(num_pos: int, dim: int) -> Tensor:
    """`dim / 2` sines, then as many cosines, for each position: `(num_pos, dim)`."""
    return sinusoids(torch.arange(num_pos), dim)


def get_embed_positions(embed_positions: Tensor, position_ids: Tensor) -> Tensor:
    """The table, once for each row of `position_ids`."""
    return embed_positions.to(position_ids.device).repeat(position_ids.shape[0], 1, 1)


def rotate_every_two(x: Tensor) -> Tensor:
    """Each pair of neighbours `(a, b)` as `(-b, a)`."""
    return torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)


def apply_interleaved_rotary_pos_emb(tensor: Tensor, sin: Tensor, cos: Tensor) -> Tensor:
    """Rotate `(batch, sequence, heads, dim)` by tables `(batch, sequence, dim / 2)`."""
    sin, cos = (table.repeat_interleave(2, -1)[:, :, None] for table in (sin, cos))
    return tensor * cos + rotate_every_two(tensor) * sin
