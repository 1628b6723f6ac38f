"""`SequenceFeatureExtractor`: padding and truncation of batches of sequences, such as sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .feature_extraction_utils import BatchFeature, FeatureExtractionMixin
from .utils import logging
from .utils.generic import PaddingStrategy, TensorType, is_tf_tensor, is_torch_tensor, to_numpy

__all__ = ["SequenceFeatureExtractor"]

logger = logging.get_logger(__name__)


class SequenceFeatureExtractor(FeatureExtractionMixin):
    """A feature extractor for sequences.

    Args:
        feature_size: Values of each position; rows of a batch are vectors if it is 1, matrices otherwise.
        sampling_rate: Of sounds, in hertz.
        padding_value: What fills positions of padding.
        kwargs: `padding_side` ("right" or "left"), `return_attention_mask` (whether `pad` returns it by default), and
            settings that are only kept.
    """

    model_input_names: list[str]

    def __init__(self, feature_size: int, sampling_rate: int, padding_value: float, **kwargs: Any) -> None:
        self.feature_size = feature_size
        self.sampling_rate = sampling_rate
        self.padding_value = padding_value
        self.padding_side = kwargs.pop("padding_side", "right")
        self.return_attention_mask = kwargs.pop("return_attention_mask", True)
        super().__init__(**kwargs)

    def pad(
        self,
        processed_features: BatchFeature | Mapping[str, Any] | Sequence[BatchFeature | Mapping[str, Any]],
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
    ) -> BatchFeature:
        """Bring the rows of a batch to one length.

        Args:
            processed_features: Rows by name, `{"input_values": [row, row]}`, or a list of such dictionaries with one
                row each (so that this works as the `collate_fn` of a DataLoader). The entry called
                `model_input_names[0]` is padded; a row is `(length,)`, or `(length, feature_size)`.
            padding: True or "longest" (to the longest row), "max_length", or False.
            max_length: The length for "max_length" and for truncation.
            truncation: Cut rows that are longer than `max_length`.
            pad_to_multiple_of: Round the length up to a multiple of this.
            return_attention_mask: Also return `attention_mask`, 1 for values and 0 for padding.
            return_tensors: "pt", "np", "tf" or "jax"; by default that of the rows, or "np".

        Raises:
            ValueError: The main entry is missing, entries differ in their number of rows, or `max_length` is.
        """
        if isinstance(processed_features, (list, tuple)):
            if not processed_features or not isinstance(processed_features[0], Mapping):
                raise ValueError("Expected a dictionary of rows, or a list of dictionaries with one row each")
            first_row = processed_features[0]
            columns = {name: [row[name] for row in processed_features] for name in first_row}
        else:
            columns = dict(processed_features)  # type: ignore[arg-type]
        main = self.model_input_names[0]
        if main not in columns:
            raise ValueError(f"There is nothing to pad: expected an entry '{main}', found {list(columns)}")
        if return_attention_mask is None:
            return_attention_mask = self.return_attention_mask
        if len(columns[main]) == 0:
            return BatchFeature({**columns, "attention_mask": []} if return_attention_mask else columns)
        if return_tensors is None:
            return_tensors = _kind_of(columns[main])
        columns = {
            name: to_numpy(column) if isinstance(column[0], (int, float)) else [to_numpy(row) for row in column]
            for name, column in columns.items()
        }
        strategy = self._get_padding_strategies(padding, max_length)
        rows = len(columns[main])
        if any(len(column) != rows for column in columns.values()):
            lengths = {name: len(column) for name, column in columns.items()}
            raise ValueError(f"Some items in the output dictionary have a different batch size than others: {lengths}")
        truncated = [
            self._truncate({k: v[i] for k, v in columns.items()}, max_length, pad_to_multiple_of, truncation)
            for i in range(rows)
        ]
        if strategy == PaddingStrategy.LONGEST:
            max_length = max(len(row[main]) for row in truncated)
            strategy = PaddingStrategy.MAX_LENGTH
        result: dict[str, list[Any]] = {}
        for row in truncated:
            padded = self._pad(row, max_length, strategy, pad_to_multiple_of, return_attention_mask)
            for name, value in padded.items():
                narrow = getattr(value, "dtype", None) == np.float64
                result.setdefault(name, []).append(value.astype(np.float32) if narrow else value)
        return BatchFeature(result, tensor_type=return_tensors)

    def _pad(
        self,
        processed_features: dict[str, Any] | BatchFeature,
        max_length: int | None = None,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
    ) -> Any:
        """One row, padded; in place where it is a dictionary."""
        row = processed_features[self.model_input_names[0]]
        if padding_strategy == PaddingStrategy.LONGEST:
            max_length = len(row)
        max_length = _round_up(max_length, pad_to_multiple_of)
        if return_attention_mask and "attention_mask" not in processed_features:
            processed_features["attention_mask"] = np.ones(len(row), dtype=np.int32)
        if padding_strategy == PaddingStrategy.DO_NOT_PAD or max_length is None or len(row) >= max_length:
            return processed_features
        if self.padding_side not in ("right", "left"):
            raise ValueError(
                f"Invalid padding strategy: padding_side must be 'right' or 'left', not {self.padding_side!r}"
            )
        if return_attention_mask:
            mask = processed_features["attention_mask"]
            processed_features["attention_mask"] = self._extended(mask, max_length, 0)
        processed_features[self.model_input_names[0]] = self._extended(row, max_length, self.padding_value)
        return processed_features

    def _extended(self, row: Any, length: int, value: float) -> Any:
        padded = np.full((length, *row.shape[1:]), value, dtype=row.dtype)
        if self.padding_side == "right":
            padded[: len(row)] = row
        else:
            padded[length - len(row) :] = row
        return padded

    def _truncate(
        self,
        processed_features: dict[str, Any] | BatchFeature,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        truncation: bool | None = None,
    ) -> Any:
        """One row, cut to `max_length`; in place where it is a dictionary."""
        if not truncation:
            return processed_features
        if max_length is None:
            raise ValueError("When setting ``truncation=True``, make sure that ``max_length`` is defined.")
        length = _round_up(max_length, pad_to_multiple_of)
        main = self.model_input_names[0]
        if len(processed_features[main]) > length:  # type: ignore[operator]
            for name in {main, "attention_mask"} & set(processed_features):
                processed_features[name] = processed_features[name][:length]
        return processed_features

    def _get_padding_strategies(
        self, padding: bool | str | PaddingStrategy = False, max_length: int | None = None
    ) -> PaddingStrategy:
        if padding is True:
            strategy = PaddingStrategy.LONGEST
        else:
            strategy = PaddingStrategy(padding) if padding else PaddingStrategy.DO_NOT_PAD
        if strategy == PaddingStrategy.MAX_LENGTH and max_length is None:
            raise ValueError(f"When setting ``padding={strategy}``, make sure that max_length is defined")
        if strategy != PaddingStrategy.DO_NOT_PAD and self.padding_value is None:
            raise ValueError("Asking to pad, but the feature extractor has no padding_value: set it, e.g. to 0.0")
        return strategy


def _round_up(length: int | None, multiple: int | None) -> Any:
    return length if length is None or not multiple else -(-length // multiple) * multiple


def _kind_of(column: Any) -> str:
    """The framework of the rows of a column."""
    first = column[0]
    while isinstance(first, (list, tuple)) and len(first):
        first = first[0]
    if is_tf_tensor(first):
        return "tf"
    if is_torch_tensor(first):
        return "pt"
    if isinstance(first, (int, float, list, tuple, np.ndarray, np.generic)):
        return "np"
    raise ValueError(f"Expected rows of numbers, arrays or tensors, found {type(first).__name__}: {first!r}")
