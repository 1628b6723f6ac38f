"""From ids to the inputs of a model: truncation, special tokens, padding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sized
from typing import Any

from ._tokenization_batch import BatchEncoding
from ._tokenization_special import SpecialTokensMixin
from .utils import logging
from .utils.generic import ExplicitEnum, PaddingStrategy, TensorType, is_tensor, to_py_obj

__all__ = [
    "LARGE_INTEGER",
    "VERY_LARGE_INTEGER",
    "InputPreparation",
    "Padding",
    "Tensors",
    "Truncation",
    "TruncationStrategy",
    "check_side",
]

logger = logging.get_logger(__name__)

VERY_LARGE_INTEGER = int(1e30)
"""`model_max_length` where the model sets no limit."""
LARGE_INTEGER = int(1e20)
"""Limits above this count as no limit."""


class TruncationStrategy(ExplicitEnum):
    """Values of the argument `truncation` of tokenizers."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


Padding = bool | str | PaddingStrategy
Truncation = bool | str | TruncationStrategy | None
Tensors = str | TensorType | None


class InputPreparation(SpecialTokensMixin):
    """The part of `PreTrainedTokenizerBase` that cuts, completes and pads ids."""

    model_input_names: list[str]
    model_max_length: int
    padding_side: str
    truncation_side: str
    deprecation_warnings: dict[str, bool]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens encoding adds to a text, or to a pair."""
        raise NotImplementedError

    # ---- strategies ----

    def _get_padding_truncation_strategies(
        self,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> tuple[PaddingStrategy, TruncationStrategy, int | None, dict[str, Any]]:
        """Settles what to pad and to cut, and to what length. Returns the other keyword arguments too."""
        if padding is False and not truncation and max_length is None and not kwargs:
            return PaddingStrategy.DO_NOT_PAD, TruncationStrategy.DO_NOT_TRUNCATE, None, kwargs
        old_truncation = kwargs.pop("truncation_strategy", "do_not_truncate")
        old_padding = kwargs.pop("pad_to_max_length", False)

        if max_length is not None and padding is False and truncation is None:
            if verbose:
                self._advise_once(
                    "Truncation-not-explicitly-activated",
                    "`max_length` is given without `truncation`: cutting by 'longest_first'. Pass "
                    "`truncation=True` to say so, or for pairs 'only_first' or 'only_second'.",
                )
            truncation = "longest_first"
        if padding is False and old_padding:
            if verbose:
                warnings.warn(
                    "`pad_to_max_length` is deprecated: pass `padding=True` (up to the longest of the "
                    "batch) or `padding='max_length'`.",
                    FutureWarning,
                    stacklevel=6,  # of `tokenizer(…)`
                )
            padding = "longest" if max_length is None else "max_length"
        if padding is True and verbose and max_length is not None and truncation in (None, False, "do_not_truncate"):
            warnings.warn(
                "`max_length` is ignored: `padding=True` pads to the longest of the batch, and nothing "
                "is truncated. Pass `padding='max_length'` or `truncation=True`.",
                stacklevel=6,  # of `tokenizer(…)`
            )
        if truncation is None and old_truncation != "do_not_truncate":
            if verbose:
                warnings.warn(
                    "`truncation_strategy` is deprecated: pass `truncation=True`, or for pairs "
                    "'only_first', 'only_second' or 'longest_first'.",
                    FutureWarning,
                    stacklevel=6,  # of `tokenizer(…)`
                )
            truncation = old_truncation

        pads = PaddingStrategy("longest" if padding is True else "do_not_pad" if padding is False else padding)
        cuts = TruncationStrategy("longest_first" if truncation is True else truncation or "do_not_truncate")
        if max_length is None:
            pads, cuts, max_length = self._default_max_length(pads, cuts, verbose)
        self._check_strategies(pads, cuts, max_length, pad_to_multiple_of)
        return pads, cuts, max_length, kwargs

    def _default_max_length(
        self, pads: PaddingStrategy, cuts: TruncationStrategy, verbose: bool
    ) -> tuple[PaddingStrategy, TruncationStrategy, int | None]:
        """The model's limit, where a length is needed; where the model has none, padding and truncation are off."""
        known, max_length = self.model_max_length <= LARGE_INTEGER, None
        message = (
            "Nothing to {0} to: `max_length` is not given, and the tokenizer knows no "
            "`model_max_length`. There will be no {1}."
        )
        if pads is PaddingStrategy.MAX_LENGTH:
            if known:
                max_length = self.model_max_length
            else:
                if verbose:
                    self._advise_once("Asking-to-pad-to-max_length", message.format("pad", "padding"))
                pads = PaddingStrategy.DO_NOT_PAD
        if cuts is not TruncationStrategy.DO_NOT_TRUNCATE:
            if known:
                max_length = self.model_max_length
            else:
                if verbose:
                    self._advise_once("Asking-to-truncate-to-max_length", message.format("truncate", "truncation"))
                cuts = TruncationStrategy.DO_NOT_TRUNCATE
        return pads, cuts, max_length

    def _check_strategies(
        self, pads: PaddingStrategy, cuts: TruncationStrategy, max_length: int | None, multiple: int | None
    ) -> None:
        if pads is PaddingStrategy.DO_NOT_PAD:
            return
        if self.pad_token is None or self.pad_token_id is None or self.pad_token_id < 0:
            raise ValueError(
                "This tokenizer has no padding token, which padding needs. Set `tokenizer.pad_token = "
                "tokenizer.eos_token`, or add one by "
                "`tokenizer.add_special_tokens({'pad_token': '[PAD]'})` and resize the model's "
                "embeddings."
            )
        truncates = cuts is not TruncationStrategy.DO_NOT_TRUNCATE
        if truncates and multiple is not None and max_length is not None and max_length % multiple != 0:
            raise ValueError(
                f"Texts are to be truncated to {max_length} tokens and then padded to a multiple of "
                f"pad_to_multiple_of ({multiple}), which {max_length} is not."
            )

    def _advise_once(self, topic: str, message: str) -> None:
        if not self.deprecation_warnings.get(topic):
            logger.warning(message)
            self.deprecation_warnings[topic] = True

    def _eventual_warn_about_too_long_sequence(self, ids: Sized, max_length: int | None, verbose: bool) -> None:
        if max_length is None and verbose and len(ids) > self.model_max_length:
            self._advise_once(
                "sequence-length-is-longer-than-the-specified-maximum",
                f"The text has {len(ids)} tokens, longer than the {self.model_max_length} that this model "
                "takes: it will fail or misbehave. Pass `truncation=True` or split the text.",
            )

    # ---- ids to inputs ----

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for each token of the first text, 1 for the second. Special tokens are not counted: models override it."""
        return [0] * len(token_ids_0) + [1] * len(token_ids_1 or ())

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """The ids of a text or a pair with special tokens; here without any: models override it."""
        return token_ids_0 if token_ids_1 is None else token_ids_0 + token_ids_1

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 at special tokens, 0 at others, of ids that hold special tokens already."""
        assert already_has_special_tokens and token_ids_1 is None, (
            "This tokenizer finds special tokens by looking at finished ids: it needs "
            "`already_has_special_tokens=True` and a single sequence. Or pass "
            "`return_special_tokens_mask=True` when encoding."
        )
        special = set(self.all_special_ids)
        return [1 if token in special else 0 for token in token_ids_0]

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        return_tensors: Tensors = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        prepend_batch_axis: bool = False,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Cuts ids, adds special tokens, pads. `__call__` for ids; see there for the arguments.

        Args:
            ids: Ids of the first text, without special tokens.
            pair_ids: Ids of the second text.
            prepend_batch_axis: Add a batch axis of length 1 to the tensors.
        """
        pads, cuts, max_length, kwargs = self._get_padding_truncation_strategies(
            padding, truncation, max_length, pad_to_multiple_of, verbose, **kwargs
        )
        pair = pair_ids is not None
        if return_token_type_ids and not add_special_tokens:
            raise ValueError(
                "`return_token_type_ids=True` needs `add_special_tokens=True`: without special tokens "
                "there are no token types."
            )
        if return_overflowing_tokens and cuts is TruncationStrategy.LONGEST_FIRST and pair:
            raise ValueError(
                "`return_overflowing_tokens` cannot tell what `longest_first` cuts off a pair: pass "
                "`truncation='only_first'` or 'only_second'."
            )
        if return_token_type_ids is None:
            return_token_type_ids = "token_type_ids" in self.model_input_names
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names

        total = len(ids) + len(pair_ids or ())
        if add_special_tokens:
            total += self.num_special_tokens_to_add(pair=pair)
        overflowing: list[int] = []
        if cuts is not TruncationStrategy.DO_NOT_TRUNCATE and max_length and total > max_length:
            ids, pair_ids, overflowing = self.truncate_sequences(ids, pair_ids, total - max_length, cuts, stride)

        data: Any = {}
        if return_overflowing_tokens:
            data["overflowing_tokens"] = overflowing
            data["num_truncated_tokens"] = total - max_length if max_length is not None else 0
        if add_special_tokens:
            sequence = self.build_inputs_with_special_tokens(ids, pair_ids)
            types = self.create_token_type_ids_from_sequences(ids, pair_ids) if return_token_type_ids else []
        else:
            sequence = ids + (pair_ids or []) if pair else ids
            types = [0] * len(sequence)
        data["input_ids"] = sequence
        if return_token_type_ids:
            data["token_type_ids"] = types
        if return_special_tokens_mask:
            mask = self.get_special_tokens_mask(ids, pair_ids) if add_special_tokens else [0] * len(sequence)
            data["special_tokens_mask"] = mask
        self._eventual_warn_about_too_long_sequence(sequence, max_length, verbose)
        if pads is not PaddingStrategy.DO_NOT_PAD or return_attention_mask:
            data = self.pad(
                data,
                max_length=max_length,
                padding=pads.value,
                pad_to_multiple_of=pad_to_multiple_of,
                return_attention_mask=return_attention_mask,
            )
        if return_length:
            data["length"] = len(data["input_ids"])
        return BatchEncoding(data, tensor_type=return_tensors, prepend_batch_axis=prepend_batch_axis)

    def truncate_sequences(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """Cuts tokens off a text or a pair.

        Args:
            ids: Ids of the first text.
            pair_ids: Ids of the second text.
            num_tokens_to_remove: How many tokens to cut off.
            truncation_strategy: See `__call__`.
            stride: How many of the kept tokens, next to the cut, to return with those cut off.

        Returns:
            The shorter ids of both texts, and the tokens cut off (none for `longest_first` with a pair). Where a text
            is too short to be cut so far, nothing is cut, and an error is logged.
        """
        strategy = TruncationStrategy(truncation_strategy)
        if num_tokens_to_remove <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
            return ids, pair_ids, []
        if strategy is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
            logger.warning(
                f"No overflowing tokens are returned for pairs cut by '{strategy.value}': what was cut "
                "off either text is lost."
            )
            first, second = _shares(len(ids), len(pair_ids), num_tokens_to_remove)
            return self._cut(ids, first)[0], self._cut(pair_ids, second)[0], []
        if strategy is TruncationStrategy.ONLY_SECOND:
            if pair_ids is None:
                return ids, pair_ids, []
            target, which, other = pair_ids, "second", "only_first"
        else:
            target, which, other = ids, "first", "only_second"
        if len(target) <= num_tokens_to_remove:
            advice = f"Another strategy than {strategy} may fit, such as 'longest_first' or '{other}'."
            logger.error(
                f"Cannot cut {num_tokens_to_remove} tokens off the {which} sequence, which has "
                f"{len(target)}: nothing is truncated. "
                f"{advice if strategy is not TruncationStrategy.LONGEST_FIRST else ''}"
            )
            return ids, pair_ids, []
        kept, overflowing = self._cut(target, num_tokens_to_remove, stride)
        return (kept, pair_ids, overflowing) if which == "first" else (ids, kept, overflowing)

    def _cut(self, ids: list[int], count: int, stride: int = 0) -> tuple[list[int], list[int]]:
        """The ids without `count` of them at the truncation side, and those with `stride` of their neighbours."""
        check_side("Truncation", self.truncation_side)
        keep = len(ids) - count
        if self.truncation_side == "left":
            return ids[count:], ids[: count + stride]
        return ids[:keep], ids[max(keep - stride, 0) :]

    def pad(
        self,
        encoded_inputs: Any,
        padding: Padding = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: Tensors = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pads encoded inputs, to the longest of them or to `max_length`. Tensors stay tensors of their framework.

        Args:
            encoded_inputs: One encoded text or a batch, as a dictionary of columns or as a list of dictionaries
                (collate function of a data loader), with lists, arrays or tensors.
            padding, max_length, pad_to_multiple_of, return_attention_mask, return_tensors, verbose: See `__call__`.
        """
        if type(self).__name__.endswith("Fast"):
            self._advise_pad_in_call()
        if isinstance(encoded_inputs, (list, tuple)) and encoded_inputs and isinstance(encoded_inputs[0], Mapping):
            encoded_inputs = {key: [row[key] for row in encoded_inputs] for key in encoded_inputs[0]}
        main = self.model_input_names[0]
        if main not in encoded_inputs:
            found = list(encoded_inputs.keys()) if isinstance(encoded_inputs, Mapping) else encoded_inputs
            raise ValueError(f"pad() expects an encoding, or a list of them, with the key {main}; found {found}")
        required = encoded_inputs[main]
        if required is None or (isinstance(required, Sized) and len(required) == 0):
            if return_attention_mask:
                encoded_inputs["attention_mask"] = []
            return encoded_inputs

        first = required[0]
        if isinstance(first, (list, tuple)):
            first = next((row[0] for row in required if len(row) != 0), first)
        if not isinstance(first, (int, list, tuple)):
            return_tensors = return_tensors or _framework_of(first)
            encoded_inputs = {key: to_py_obj(value) for key, value in encoded_inputs.items()}
            required = encoded_inputs[main]
        strategy, _, max_length, _ = self._get_padding_truncation_strategies(padding, None, max_length, None, verbose)
        options: dict[str, Any] = {
            "pad_to_multiple_of": pad_to_multiple_of,
            "return_attention_mask": return_attention_mask,
        }
        if not isinstance(required[0], (list, tuple)):
            padded = self._pad(encoded_inputs, max_length=max_length, padding_strategy=strategy, **options)
            return BatchEncoding(padded, tensor_type=return_tensors)

        if any(len(column) != len(required) for column in encoded_inputs.values()):
            raise AssertionError(
                "Columns of the batch differ in their number of rows: every one must have as many as the first."
            )
        if strategy is PaddingStrategy.LONGEST:
            strategy, max_length = PaddingStrategy.MAX_LENGTH, max(map(len, required))
        columns: dict[str, list[Any]] = {}
        for index in range(len(required)):
            row = {key: column[index] for key, column in encoded_inputs.items()}
            for key, value in self._pad(row, max_length=max_length, padding_strategy=strategy, **options).items():
                columns.setdefault(key, []).append(value)
        return BatchEncoding(columns, tensor_type=return_tensors)

    def _advise_pad_in_call(self) -> None:
        topic = "Asking-to-pad-a-fast-tokenizer"
        if not self.deprecation_warnings.get(topic):
            self.deprecation_warnings[topic] = True
            logger.warning_advice(
                f"{type(self).__name__} is a fast tokenizer: calling it with `padding=...` is quicker "
                "than encoding first and `pad` afterwards."
            )

    def _pad(
        self,
        encoded_inputs: Any,
        max_length: int | None = None,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
    ) -> dict[str, Any]:
        """Pads one encoded text, in place."""
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names
        main = self.model_input_names[0]
        length = len(encoded_inputs[main])
        if return_attention_mask and "attention_mask" not in encoded_inputs:
            encoded_inputs["attention_mask"] = [1] * length
        if padding_strategy is PaddingStrategy.DO_NOT_PAD:
            return encoded_inputs
        if padding_strategy is PaddingStrategy.LONGEST or max_length is None:
            max_length = length
        if pad_to_multiple_of:
            max_length = -(-max_length // pad_to_multiple_of) * pad_to_multiple_of
        missing = max_length - length
        if missing <= 0:
            return encoded_inputs
        left = check_side("Padding", self.padding_side) == "left"
        fillers = {"token_type_ids": self.pad_token_type_id, "special_tokens_mask": 1, main: self.pad_token_id}
        if return_attention_mask:
            fillers["attention_mask"] = 0
        for key, filler in fillers.items():
            if key in encoded_inputs:
                padding, values = [filler] * missing, list(encoded_inputs[key])
                encoded_inputs[key] = padding + values if left else values + padding
        return encoded_inputs


def check_side(what: str, side: str) -> str:
    if side not in ("right", "left"):
        raise ValueError(f"{what} side must be 'right' or 'left', found {side!r}")
    return side


def _shares(first: int, second: int, remove: int) -> tuple[int, int]:
    """How many tokens each of a pair loses when they go one by one off the longer, off the second when level."""
    excess = min(abs(first - second), remove)
    rest = remove - excess
    shares = (excess if first > second else 0, excess if second > first else 0)
    return min(shares[0] + rest // 2, first), min(shares[1] + rest - rest // 2, second)


def _framework_of(value: Any) -> str:
    """The `return_tensors` that keeps an array or tensor what it is."""
    if is_tensor(value):
        for module, kind in (("torch", "pt"), ("numpy", "np"), ("tensorflow", "tf"), ("jax", "jax")):
            if type(value).__module__.split(".")[0].startswith(module):
                return kind
    import numpy as np

    if isinstance(value, np.generic):
        return "np"
    raise ValueError(
        f"cannot make a list of {value} of type {type(value)}: expected numbers, lists, or a numpy, "
        "PyTorch or TensorFlow array."
    )
