"""Conditions that end generation."""

from __future__ import annotations

import copy
import time
import warnings
from typing import Any

from torch import Tensor

from ..utils import logging

logger = logging.get_logger(__name__)


class StoppingCriteria:
    """Base of the criteria."""

    def __call__(self, input_ids: Tensor, scores: Tensor | tuple[Tensor, ...] | None, **kwargs: Any) -> bool:
        """Whether to stop.

        Args:
            input_ids: (batch, length) tokens so far, prompt included.
            scores: processed scores of the steps so far where `output_scores` is set, else None.
            **kwargs: further information that a criterion may use.
        """
        raise NotImplementedError("StoppingCriteria needs to be subclassed")


class MaxLengthCriteria(StoppingCriteria):
    """Stops at a length, prompt included.

    Args:
        max_length: number of tokens.
        max_position_embeddings: positions that the model knows; longer texts are reported once.
    """

    def __init__(self, max_length: int, max_position_embeddings: int | None = None) -> None:
        self.max_length = max_length
        self.max_position_embeddings = max_position_embeddings

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        length = input_ids.shape[-1]
        done = length >= self.max_length
        if self.max_position_embeddings is not None and not done and length >= self.max_position_embeddings:
            logger.warning_once(
                f"The text is longer than the {self.max_position_embeddings} tokens that the model was made for: "
                "it may fail, or its quality may drop."
            )
        return done


class MaxNewTokensCriteria(StoppingCriteria):
    """Stops after a number of new tokens. Deprecated: use `MaxLengthCriteria`.

    Args:
        start_length: length of the prompt.
        max_new_tokens: number of tokens after it.
    """

    def __init__(self, start_length: int, max_new_tokens: int) -> None:
        warnings.warn(
            "`MaxNewTokensCriteria` is deprecated: use "
            f"`MaxLengthCriteria(max_length={start_length + max_new_tokens})`, which counts the prompt too.",
            FutureWarning,
            stacklevel=2,
        )
        self.start_length = start_length
        self.max_new_tokens = max_new_tokens
        self.max_length = start_length + max_new_tokens

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        return input_ids.shape[-1] >= self.max_length


class MaxTimeCriteria(StoppingCriteria):
    """Stops after a time; a step that has begun is finished.

    Args:
        max_time: seconds.
        initial_timestamp: `time.time()` of the start; by default now.
    """

    def __init__(self, max_time: float, initial_timestamp: float | None = None) -> None:
        self.max_time = max_time
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        return time.time() - self.initial_timestamp > self.max_time


class StoppingCriteriaList(list):
    """Criteria of which any ends generation."""

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        """Whether any criterion says so; arguments as for each of them."""
        return any(criterion(input_ids, scores, **kwargs) for criterion in self)

    @property
    def max_length(self) -> int | None:
        """The greatest length that the first criterion on lengths allows."""
        for criterion in self:
            if isinstance(criterion, (MaxLengthCriteria, MaxNewTokensCriteria)):
                return criterion.max_length
        return None


def validate_stopping_criteria(stopping_criteria: StoppingCriteriaList, max_length: int) -> StoppingCriteriaList:
    """A copy of the criteria that certainly limits the length.

    Args:
        stopping_criteria: the criteria.
        max_length: added as a criterion where there is none on lengths; a warning tells where it differs from it.
    """
    present = stopping_criteria.max_length
    criteria = copy.deepcopy(stopping_criteria)
    if present is None:
        criteria.append(MaxLengthCriteria(max_length=max_length))
    elif present != max_length:
        warnings.warn(
            "`max_length` and the stopping criteria name different `max_length` values: the smaller one ends the text.",
            UserWarning,
            stacklevel=2,
        )
    return criteria
