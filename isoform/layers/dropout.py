"""Dropout that costs nothing outside of training."""

from __future__ import annotations

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
