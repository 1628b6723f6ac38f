"""The bases of the processors of scores and what they share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..utils import logging

logger = logging.get_logger(__name__)

NEVER = -float("inf")


class LogitsProcessor:
    """Base of the processors, which apply in every mode of generation."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Process the scores of one step.

        Args:
            input_ids: (batch, length) tokens so far; batch is prompts times beams.
            scores: (batch, vocabulary) scores, logits or in beam search log-probabilities.

        Returns:
            (batch, vocabulary) processed scores.
        """
        raise NotImplementedError(
            f"{type(self).__name__} is an abstract class: define `__call__(input_ids, scores)` in a subclass."
        )


class LogitsWarper:
    """Base of the processors that apply only when tokens are sampled."""

    __call__ = LogitsProcessor.__call__


class LogitsProcessorList(list):
    """Processors that are applied one after the other."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """Apply each processor.

        Args:
            input_ids: (batch, length) tokens so far.
            scores: (batch, vocabulary).
            **kwargs: passed on to the processors that take more than two arguments.

        Raises:
            ValueError: an argument that a processor needs is missing.
        """
        for processor in self:
            names = _parameters(type(processor).__call__)
            if len(names) <= 2:
                scores = processor(input_ids, scores)
                continue
            if not all(name in kwargs for name in names[2:]):
                raise ValueError(
                    f"{type(processor).__name__} takes {list(names)}: pass all of them as keyword arguments when "
                    "calling the list."
                )
            scores = processor(input_ids, scores, **kwargs)
        return scores


@lru_cache(maxsize=128)
def _parameters(call: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a method's parameters after `self`."""
    return tuple(inspect.signature(call).parameters)[1:]


class PerDevice:
    """A tensor that is built once on each device on which it is used."""

    def __init__(self, build: Callable[[], Tensor]) -> None:
        self._build = build
        self._copies: dict[torch.device, Tensor] = {}

    def on(self, device: torch.device) -> Tensor:
        copy = self._copies.get(device)
        if copy is None:
            copy = self._copies[device] = self._build().to(device)
        return copy


class TokenIds(PerDevice):
    """Some columns of the scores."""

    def __init__(self, ids: Iterable[int]) -> None:
        values = list(ids)
        super().__init__(lambda: torch.tensor(values, dtype=torch.long))

    def fill(self, scores: Tensor, value: float) -> Tensor:
        return scores.index_fill_(-1, self.on(scores.device), value)

    def force(self, scores: Tensor) -> Tensor:
        """Leave nothing but these tokens, all with score 0."""
        return self.fill(scores.fill_(NEVER), 0.0)


def as_list(ids: int | Iterable[int]) -> list[int]:
    return [ids] if isinstance(ids, int) else [int(i) if isinstance(i, Tensor) else i for i in ids]


def end_tokens(eos_token_id: int | list[int]) -> list[int]:
    ids = as_list(eos_token_id)
    if not all(isinstance(i, int) and i >= 0 for i in ids):
        logger.warning(f"`eos_token_id` must hold ints from 0, found {ids}")
    return ids


def is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and value >= least


def require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
