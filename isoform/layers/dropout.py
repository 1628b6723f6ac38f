"""Dropout of elements and of paths, which costs nothing outside of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, left out altogether in evaluation: decoding calls it often, and even a call that does nothing
    takes as long as a small kernel."""

    @property
    def rate(self) -> float:
        """What to drop now: `p` in training, 0 otherwise. For attention, which drops weights inside its kernel."""
        return self.p if self.training else 0.0

    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(x) if self.training else x


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016): in training, leaves out what a block adds, for some samples of a batch.

    What is kept is scaled by `1 / (1 - rate)`, so that expectations stay the same.
    """

    def __init__(self, drop_prob: float | None = None) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(x) if self.training and self.drop_prob else x

    def forward(self, x: Tensor) -> Tensor:
        return drop_path(x, self.drop_prob or 0.0, self.training)

    def extra_repr(self) -> str:
        return f"p={self.drop_prob}"


def drop_path(x: Tensor, drop_prob: float = 0.0, training: bool = False) -> Tensor:
    """`DropPath` as a function: each sample of the batch is zeroed with probability `drop_prob`."""
    if drop_prob == 0.0 or not training:
        return x
    keep = 1 - drop_prob
    kept = torch.rand((x.shape[0], *[1] * (x.dim() - 1)), dtype=x.dtype, device=x.device) + keep
    return x / keep * kept.floor()


def drop_path_rates(last: float, layers: int) -> list[float]:
    """Rates that grow evenly from 0 in the first layer to `last` in the last."""
    return torch.linspace(0, last, layers, device="cpu").tolist()
