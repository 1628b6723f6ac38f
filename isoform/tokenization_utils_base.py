"""What Python and fast tokenizers share: special tokens, padding, truncation, tensors, files, chat templates."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Union

from tokenizers import AddedToken

from ._chat_template import CHATML, render_chat
from ._tokenization_batch import BatchEncoding, CharSpan, EncodingFast, TokenSpan
from ._tokenization_files import (
    ADDED_TOKENS_FILE,
    FULL_TOKENIZER_FILE,
    SPECIAL_TOKENS_MAP_FILE,
    TOKENIZER_CONFIG_FILE,
    TokenizerFiles,
    get_fast_tokenizer_file,
)
from ._tokenization_special import SpecialTokensMixin
from .errors import TokenizerError
from .utils import logging
from .utils.generic import ExplicitEnum, PaddingStrategy, TensorType, is_tensor, to_py_obj
from .utils.hub import PushToHubMixin

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = [
    "ADDED_TOKENS_FILE",
    "FULL_TOKENIZER_FILE",
    "LARGE_INTEGER",
    "SPECIAL_TOKENS_MAP_FILE",
    "TOKENIZER_CONFIG_FILE",
    "VERY_LARGE_INTEGER",
    "AddedToken",
    "BatchEncoding",
    "CharSpan",
    "EncodedInput",
    "EncodedInputPair",
    "EncodingFast",
    "ExplicitEnum",
    "PaddingStrategy",
    "PreTokenizedInput",
    "PreTokenizedInputPair",
    "PreTrainedTokenizerBase",
    "SpecialTokensMixin",
    "TensorType",
    "TextInput",
    "TextInputPair",
    "TokenSpan",
    "TruncationStrategy",
    "get_fast_tokenizer_file",
]

logger = logging.get_logger(__name__)

VERY_LARGE_INTEGER = int(1e30)
"""`model_max_length` where the model sets no limit."""
LARGE_INTEGER = int(1e20)
"""Limits above this count as no limit."""

TextInput = str
PreTokenizedInput = list[str]
EncodedInput = list[int]
TextInputPair = tuple[str, str]
PreTokenizedInputPair = tuple[list[str], list[str]]
EncodedInputPair = tuple[list[int], list[int]]

Text = Union[TextInput, PreTokenizedInput, EncodedInput]
Padding = Union[bool, str, PaddingStrategy]
Truncation = Union[bool, str, "TruncationStrategy", None]
Tensors = Union[str, TensorType, None]
Ids = Union[int, list[int], "np.ndarray", "torch.Tensor"]

_BAD_TEXT = (
    "text input must of type `str` (single example), `List[str]` (batch or single pretokenized example) "
    "or `List[List[str]]` (batch of pretokenized examples)."
)


class TruncationStrategy(ExplicitEnum):
    """Values of the argument `truncation` of tokenizers."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


class PreTrainedTokenizerBase(SpecialTokensMixin, TokenizerFiles, PushToHubMixin):
    """Base of all tokenizers. Derive from `PreTrainedTokenizer` (Python) or `PreTrainedTokenizerFast` (Rust).

    Class attributes that tokenizers set: `vocab_files_names` (argument of `__init__` to file name),
    `model_input_names` (columns that the model takes; the first is the one that is padded), `padding_side` and
    `truncation_side` (`"left"` or `"right"`), `slow_tokenizer_class` (of a fast tokenizer: its Python counterpart).

    Args:
        model_max_length: Longest input of the model, in tokens: the default of `max_length`.
        padding_side: Where padding goes: `"right"` or `"left"`.
        truncation_side: Where tokens are cut off: `"right"` or `"left"`.
        model_input_names: Columns to return.
        chat_template: Jinja template for `apply_chat_template`.
        clean_up_tokenization_spaces: Whether `decode` removes spaces before punctuation.
        split_special_tokens: Treat special tokens in a text as plain text.
        **kwargs: Special tokens by name.
    """

    vocab_files_names: dict[str, str] = {}
    pretrained_vocab_files_map: dict[str, dict[str, str]] = {}
    pretrained_init_configuration: dict[str, dict[str, Any]] = {}
    max_model_input_sizes: dict[str, int | None] = {}
    _auto_class: str | None = None

    model_input_names: list[str] = ["input_ids", "token_type_ids", "attention_mask"]
    padding_side: str = "right"
    truncation_side: str = "right"
    slow_tokenizer_class: type | None = None

    def __init__(self, **kwargs: Any) -> None:
        self.init_inputs: tuple = ()
        self.init_kwargs = copy.deepcopy(kwargs)
        self.name_or_path = kwargs.pop("name_or_path", "")
        self._processor_class = kwargs.pop("processor_class", None)
        limit = kwargs.pop("model_max_length", kwargs.pop("max_len", None))
        self.model_max_length = VERY_LARGE_INTEGER if limit is None else limit
        self.padding_side = _side("Padding", kwargs.pop("padding_side", self.padding_side))
        self.truncation_side = _side("Truncation", kwargs.pop("truncation_side", self.truncation_side))
        self.model_input_names = kwargs.pop("model_input_names", self.model_input_names)
        self.clean_up_tokenization_spaces = kwargs.pop("clean_up_tokenization_spaces", True)
        self.split_special_tokens = kwargs.pop("split_special_tokens", False)
        # Names of the advice that was logged already: each is worth one line.
        self.deprecation_warnings: dict[str, bool] = {}
        self._in_target_context_manager = False
        self.chat_template = kwargs.pop("chat_template", None)
        super().__init__(**kwargs)

    # ---- vocabulary: for the two kinds of tokenizers ----

    is_fast: bool
    vocab_size: int
    added_tokens_encoder: dict[str, int]

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id, in the order of ids."""
        raise NotImplementedError

    def __len__(self) -> int:
        """The size of the vocabulary, with added tokens."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True

    def get_vocab(self) -> dict[str, int]:
        """The vocabulary, with added tokens: token to id."""
        raise NotImplementedError

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> int | list[int]:
        """The id of a token, or the ids of a list of tokens; that of `unk_token` for unknown ones."""
        raise NotImplementedError

    def convert_ids_to_tokens(self, ids: int | list[int], skip_special_tokens: bool = False) -> str | list[str]:
        """The token of an id, or the tokens of a list of ids."""
        raise NotImplementedError

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text that tokens stand for."""
        raise NotImplementedError

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Splits a text into tokens."""
        raise NotImplementedError

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens encoding adds to a text, or to a pair."""
        raise NotImplementedError

    @property
    def max_len_single_sentence(self) -> int:
        """How many tokens of a text fit into the model, beside the special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """How many tokens of a pair of texts fit into the model, beside the special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    def __repr__(self) -> str:
        added = "\n\t".join(f"{index}: {token!r}," for index, token in self.added_tokens_decoder.items())
        return (
            f"{type(self).__name__}(name_or_path='{self.name_or_path}', vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length}, is_fast={self.is_fast}, padding_side='{self.padding_side}', "
            f"truncation_side='{self.truncation_side}', special_tokens={self.special_tokens_map}, "
            f"clean_up_tokenization_spaces={self.clean_up_tokenization_spaces}),  "
            f"added_tokens_decoder={{\n\t{added}\n}}"
        )

    def _set_processor_class(self, processor_class: str) -> None:
        self._processor_class = processor_class

    # ---- encoding ----

    def __call__(
        self,
        text: str | list[str] | list[list[str]] | None = None,
        text_pair: str | list[str] | list[list[str]] | None = None,
        text_target: str | list[str] | list[list[str]] | None = None,
        text_pair_target: str | list[str] | list[list[str]] | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: Tensors = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Turns texts into inputs of the model.

        Args:
            text: One text, or a batch; with `is_split_into_words` a list of words, or a batch of such lists.
            text_pair: The second texts of pairs, in the same form.
            text_target: Target texts of sequence to sequence models: they become the column `labels`.
            text_pair_target: The second texts of target pairs.
            add_special_tokens: Add the special tokens that the model expects around a text.
            padding: `True` or `"longest"`: to the longest of the batch; `"max_length"`: to `max_length`; `False`: none.
            truncation: `True` or `"longest_first"`: cut to `max_length`, token by token off the longer of a pair;
                `"only_first"`, `"only_second"`: cut that one of the pair only; `False`: do not cut.
            max_length: Length to pad and to cut to, in tokens; the model's limit if `None`.
            stride: How many tokens of its predecessor an overflowing part repeats.
            is_split_into_words: The texts are lists of words.
            pad_to_multiple_of: Round the padded length up to a multiple of this.
            return_tensors: `"pt"`, `"np"`, `"tf"` or `"jax"` for tensors rather than lists.
            return_token_type_ids: Return `token_type_ids`; if `None`, when the model takes them.
            return_attention_mask: Return `attention_mask`; if `None`, when the model takes it.
            return_overflowing_tokens: Return what was cut off: as further rows and `overflow_to_sample_mapping` (fast
                tokenizers), or as `overflowing_tokens` and `num_truncated_tokens` (Python tokenizers).
            return_special_tokens_mask: Return `special_tokens_mask`: 1 at special tokens.
            return_offsets_mapping: Return `offset_mapping`: the characters of each token (fast tokenizers only).
            return_length: Return `length`, in tokens.
            verbose: Log warnings.
            **kwargs: Passed to `tokenize` (Python tokenizers).

        Returns:
            The columns: `(sequence,)` for one text, `(batch, sequence)` for a batch or with tensors.
        """
        options = dict(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            is_split_into_words=is_split_into_words,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            **kwargs,
        )
        if text is None and text_target is None:
            raise ValueError("You need to specify either `text` or `text_target`.")
        if text is not None:
            # The caller may have entered `as_target_tokenizer`, which then decides on the mode.
            if not self._in_target_context_manager:
                self._switch_to_input_mode()
            encodings = self._call_one(text, text_pair, **options)
        if text_target is not None:
            self._switch_to_target_mode()
            try:
                targets = self._call_one(text_target, text_pair_target, **options)
            finally:
                self._switch_to_input_mode()
            if text is None:
                return targets
            encodings["labels"] = targets["input_ids"]
        return encodings

    def _call_one(self, text: Any, text_pair: Any, *, is_split_into_words: bool, **options: Any) -> BatchEncoding:
        """Tells a single text from a batch."""
        if type(text) is str and text_pair is None:
            return self.encode_plus(text, is_split_into_words=is_split_into_words, **options)
        if not _is_text(text) or not (text_pair is None or _is_text(text_pair)):
            raise ValueError(_BAD_TEXT)
        batched = isinstance(text, (list, tuple))
        if is_split_into_words:
            batched = batched and bool(text) and isinstance(text[0], (list, tuple))
        if not batched:
            return self.encode_plus(text, text_pair, is_split_into_words=is_split_into_words, **options)
        if isinstance(text_pair, str):
            raise TypeError(
                "when tokenizing batches of text, `text_pair` must be a list or tuple with the same length as `text`."
            )
        if text_pair is not None and len(text) != len(text_pair):
            raise ValueError(
                f"batch length of `text`: {len(text)} does not match batch length of `text_pair`: {len(text_pair)}."
            )
        batch = text if text_pair is None else list(zip(text, text_pair))
        return self.batch_encode_plus(batch, is_split_into_words=is_split_into_words, **options)

    def encode(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        return_tensors: Tensors = None,
        **kwargs: Any,
    ) -> list[int]:
        """The ids of a text (or of a list of tokens): `__call__`'s `input_ids`. See `__call__` for the arguments."""
        return self.encode_plus(
            text,
            text_pair=text_pair,
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            return_tensors=return_tensors,
            **kwargs,
        )["input_ids"]

    def encode_plus(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: Tensors = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """`__call__` for one text, pair, or (Python tokenizers) list of tokens or ids. Prefer `__call__`."""
        padding_strategy, truncation_strategy, max_length, kwargs = self._get_padding_truncation_strategies(
            padding, truncation, max_length, pad_to_multiple_of, verbose, **kwargs
        )
        return self._encode_plus(
            text=text,
            text_pair=text_pair,
            add_special_tokens=add_special_tokens,
            padding_strategy=padding_strategy,
            truncation_strategy=truncation_strategy,
            max_length=max_length,
            stride=stride,
            is_split_into_words=is_split_into_words,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            **kwargs,
        )

    def batch_encode_plus(
        self,
        batch_text_or_text_pairs: Sequence[Any],
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: Tensors = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """`__call__` for a list of texts or of pairs of texts. Prefer `__call__`."""
        if not isinstance(batch_text_or_text_pairs, (list, tuple)):
            raise TypeError(
                f"batch_text_or_text_pairs has to be a list or a tuple (got {type(batch_text_or_text_pairs)})"
            )
        padding_strategy, truncation_strategy, max_length, kwargs = self._get_padding_truncation_strategies(
            padding, truncation, max_length, pad_to_multiple_of, verbose, **kwargs
        )
        return self._batch_encode_plus(
            batch_text_or_text_pairs=batch_text_or_text_pairs,
            add_special_tokens=add_special_tokens,
            padding_strategy=padding_strategy,
            truncation_strategy=truncation_strategy,
            max_length=max_length,
            stride=stride,
            is_split_into_words=is_split_into_words,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            **kwargs,
        )

    def _encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:
        raise NotImplementedError

    def _batch_encode_plus(self, batch_text_or_text_pairs: Sequence[Any], **options: Any) -> BatchEncoding:
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
                    "Truncation was not explicitly activated but `max_length` is provided a specific value, please use "
                    "`truncation=True` to explicitly truncate examples to max length. Defaulting to 'longest_first' "
                    "truncation strategy. If you encode pairs of sequences (GLUE-style) with the tokenizer you can "
                    "select this strategy more precisely by providing a specific strategy to `truncation`.",
                )
            truncation = "longest_first"
        if padding is False and old_padding:
            if verbose:
                warnings.warn(
                    "The `pad_to_max_length` argument is deprecated, use `padding=True` or `padding='longest'` to pad "
                    "to the longest sequence in the batch, or `padding='max_length'` to pad to a max length.",
                    FutureWarning,
                    stacklevel=4,
                )
            padding = "longest" if max_length is None else "max_length"
        if padding is True and verbose and max_length is not None and truncation in (None, False, "do_not_truncate"):
            warnings.warn(
                "`max_length` is ignored when `padding`=`True` and there is no truncation strategy. "
                "To pad to max length, use `padding='max_length'`.",
                stacklevel=4,
            )
        if truncation is None and old_truncation != "do_not_truncate":
            if verbose:
                warnings.warn(
                    "The `truncation_strategy` argument is deprecated, use `truncation=True` to truncate examples to a "
                    "max length, or `truncation='only_first'`, `'only_second'` or `'longest_first'` for pairs.",
                    FutureWarning,
                    stacklevel=4,
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
            "Asking to {0} to max_length but no maximum length is provided and the model has no predefined maximum "
            "length. Default to no {1}."
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
                "Asking to pad but the tokenizer does not have a padding token. Please select a token to use as "
                "`pad_token` `(tokenizer.pad_token = tokenizer.eos_token e.g.)` or add a new pad token via "
                "`tokenizer.add_special_tokens({'pad_token': '[PAD]'})`."
            )
        truncates = cuts is not TruncationStrategy.DO_NOT_TRUNCATE
        if truncates and multiple is not None and max_length is not None and max_length % multiple != 0:
            raise ValueError(
                "Truncation and padding are both activated but truncation length "
                f"({max_length}) is not a multiple of pad_to_multiple_of ({multiple})."
            )

    def _advise_once(self, topic: str, message: str) -> None:
        if not self.deprecation_warnings.get(topic):
            logger.warning(message)
            self.deprecation_warnings[topic] = True

    def _eventual_warn_about_too_long_sequence(self, ids: Sized, max_length: int | None, verbose: bool) -> None:
        if max_length is None and verbose and len(ids) > self.model_max_length:
            self._advise_once(
                "sequence-length-is-longer-than-the-specified-maximum",
                "Token indices sequence length is longer than the specified maximum sequence length for this model "
                f"({len(ids)} > {self.model_max_length}). Running this sequence through the model will result in "
                "indexing errors",
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
            "You cannot use ``already_has_special_tokens=False`` with this tokenizer. Please use a slow (full python) "
            "tokenizer to activate this argument. Or set `return_special_tokens_mask=True` when calling the encoding "
            "method to get the special tokens mask in any tokenizer. "
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
                "Asking to return token_type_ids while setting add_special_tokens to False results in an undefined "
                "behavior. Please set add_special_tokens to True or set return_token_type_ids to None."
            )
        if return_overflowing_tokens and cuts is TruncationStrategy.LONGEST_FIRST and pair:
            raise ValueError(
                "Not possible to return overflowing tokens for pair of sequences with the `longest_first`. Please "
                "select another truncation strategy than `longest_first`, for instance `only_second` or `only_first`."
            )
        if return_token_type_ids is None:
            return_token_type_ids = "token_type_ids" in self.model_input_names

        total = len(ids) + len(pair_ids or ())
        if add_special_tokens:
            total += self.num_special_tokens_to_add(pair=pair)
        overflowing: list[int] = []
        if cuts is not TruncationStrategy.DO_NOT_TRUNCATE and max_length and total > max_length:
            ids, pair_ids, overflowing = self.truncate_sequences(ids, pair_ids, total - max_length, cuts, stride)

        data: dict[str, Any] = {}
        if return_overflowing_tokens:
            data["overflowing_tokens"] = overflowing
            data["num_truncated_tokens"] = total - max_length if max_length is not None else 0
        if add_special_tokens:
            sequence = self.build_inputs_with_special_tokens(ids, pair_ids)
            types = self.create_token_type_ids_from_sequences(ids, pair_ids) if return_token_type_ids else []
        else:
            sequence = ids + pair_ids if pair else ids
            types = [0] * len(sequence)
        data["input_ids"] = sequence
        if return_token_type_ids:
            data["token_type_ids"] = types
        if return_special_tokens_mask:
            mask = self.get_special_tokens_mask(ids, pair_ids) if add_special_tokens else [0] * len(sequence)
            data["special_tokens_mask"] = mask
        self._eventual_warn_about_too_long_sequence(sequence, max_length, verbose)
        if pads is not PaddingStrategy.DO_NOT_PAD or return_attention_mask is not False:
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
                "Be aware, overflowing tokens are not returned for the setting you have chosen, i.e. sequence pairs "
                f"with the '{strategy.value}' truncation strategy. So the returned list will always be empty even if "
                "some tokens have been removed."
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
            advice = (
                f"Please select another truncation strategy than {strategy}, for instance 'longest_first' or '{other}'."
            )
            logger.error(
                f"We need to remove {num_tokens_to_remove} to truncate the input but the {which} sequence has a length "
                f"{len(target)}. {advice if strategy is not TruncationStrategy.LONGEST_FIRST else ''}"
            )
            return ids, pair_ids, []
        kept, overflowing = self._cut(target, num_tokens_to_remove, stride)
        return (kept, pair_ids, overflowing) if which == "first" else (ids, kept, overflowing)

    def _cut(self, ids: list[int], count: int, stride: int = 0) -> tuple[list[int], list[int]]:
        """The ids without `count` of them at the truncation side, and those with `stride` of their neighbours."""
        _side("Truncation", self.truncation_side)
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
            raise ValueError(
                "You should supply an encoding or a list of encodings to this method "
                f"that includes {main}, but you provided {found}"
            )
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
        options = dict(pad_to_multiple_of=pad_to_multiple_of, return_attention_mask=return_attention_mask)
        if not isinstance(required[0], (list, tuple)):
            padded = self._pad(encoded_inputs, max_length=max_length, padding_strategy=strategy, **options)
            return BatchEncoding(padded, tensor_type=return_tensors)

        if any(len(column) != len(required) for column in encoded_inputs.values()):
            raise AssertionError("Some items in the output dictionary have a different batch size than others.")
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
                f"You're using a {type(self).__name__} tokenizer. Please note that with a fast tokenizer, using the "
                "`__call__` method is faster than using a method to encode the text followed by a call to the `pad` "
                "method to get a padded encoding."
            )

    def _pad(
        self,
        encoded_inputs: dict[str, Any] | BatchEncoding,
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
        if padding_strategy is PaddingStrategy.LONGEST:
            max_length = length
        if max_length is not None and pad_to_multiple_of:
            max_length = -(-max_length // pad_to_multiple_of) * pad_to_multiple_of
        missing = max_length - length
        if missing <= 0:
            return encoded_inputs
        left = _side("Padding", self.padding_side) == "left"
        fillers = {"token_type_ids": self.pad_token_type_id, "special_tokens_mask": 1, main: self.pad_token_id}
        if return_attention_mask:
            fillers["attention_mask"] = 0
        for key, filler in fillers.items():
            if key in encoded_inputs:
                padding, values = [filler] * missing, list(encoded_inputs[key])
                encoded_inputs[key] = padding + values if left else values + padding
        return encoded_inputs

    # ---- decoding ----

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """The texts of a batch of ids, `(batch, sequence)`. See `decode`."""
        return [
            self.decode(
                ids,
                skip_special_tokens=skip_special_tokens,
                clean_up_tokenization_spaces=clean_up_tokenization_spaces,
                **kwargs,
            )
            for ids in (sequences.tolist() if is_tensor(sequences) and hasattr(sequences, "tolist") else sequences)
        ]

    def decode(
        self,
        token_ids: Ids,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """The text that ids stand for.

        Args:
            token_ids: One id, or a list, array or tensor of ids, `(sequence,)`.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Remove spaces before punctuation; if `None`, as the tokenizer was set up.
            **kwargs: Passed to the tokenizer's own decoding (`spaces_between_special_tokens`…).
        """
        return self._decode(
            token_ids=to_py_obj(token_ids),
            skip_special_tokens=skip_special_tokens,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            **kwargs,
        )

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        raise NotImplementedError

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Removes the spaces that splitting English left before punctuation and contractions."""
        for mark in (".", "?", "!", ","):
            out_string = out_string.replace(f" {mark}", mark)
        out_string = out_string.replace(" ' ", "'")
        for ending in ("n't", "'m", "'s", "'ve", "'re"):
            out_string = out_string.replace(f" {ending}", ending)
        return out_string

    def _cleaned(self, text: str, clean_up: bool | None) -> str:
        clean_up = self.clean_up_tokenization_spaces if clean_up is None else clean_up
        return self.clean_up_tokenization(text) if clean_up else text

    # ---- chat ----

    @property
    def default_chat_template(self) -> str:
        """The template of chats where `chat_template` is not set: ChatML."""
        return CHATML

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]] | Any,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        tokenize: bool = True,
        padding: bool = False,
        truncation: bool = False,
        max_length: int | None = None,
        return_tensors: Tensors = None,
        **tokenizer_kwargs: Any,
    ) -> str | list[int]:
        """Turns a chat into the text, or the ids, that a chat model was trained on.

        The template is a Jinja template. It runs in Jinja's immutable sandbox, within bounds on work and output.

        Args:
            conversation: The messages, `{"role": …, "content": …}`, oldest first; or a `Conversation`.
            chat_template: The template; if `None` the tokenizer's own, or `default_chat_template`.
            add_generation_prompt: End with what makes the model answer, if the template knows how.
            tokenize: Return ids rather than text.
            padding, truncation, max_length, return_tensors, **tokenizer_kwargs: See `__call__`.

        Raises:
            jinja2.exceptions.TemplateError: The template is malformed, refuses the conversation
                (`raise_exception`), leaves the sandbox, or exceeds its bounds.
        """
        if hasattr(conversation, "messages"):
            conversation = conversation.messages
        template = chat_template or self.chat_template
        if template is None:
            logger.warning_once(
                "No chat template is defined for this tokenizer - using the default template for the "
                f"{type(self).__name__} class. If the default is not appropriate for your model, please set "
                "`tokenizer.chat_template` to an appropriate template."
            )
            template = self.default_chat_template
        rendered = render_chat(
            template, messages=conversation, add_generation_prompt=add_generation_prompt, **self.special_tokens_map
        )
        if not tokenize:
            return rendered
        return self.encode(
            rendered,
            add_special_tokens=False,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            return_tensors=return_tensors,
            **tokenizer_kwargs,
        )

    # ---- targets of sequence to sequence models ----

    def _switch_to_input_mode(self) -> None:
        """Prepares for encoding inputs (translation models set the source language)."""

    def _switch_to_target_mode(self) -> None:
        """Prepares for encoding targets (translation models set the target language)."""

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """Deprecated: encodes targets inside of the block. Use the argument `text_target` of `__call__`."""
        warnings.warn(
            "`as_target_tokenizer` is deprecated. You can tokenize your labels by using the argument `text_target` of "
            "the regular `__call__` method (either in the same call as your input texts if you use the same keyword "
            "arguments, or in a separate call).",
            stacklevel=3,
        )
        self._switch_to_target_mode()
        self._in_target_context_manager = True
        try:
            yield
        finally:
            self._in_target_context_manager = False
            self._switch_to_input_mode()

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        tgt_texts: list[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: str = "longest",
        return_tensors: str | None = None,
        truncation: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Deprecated: encodes source texts, and target texts as `labels`. Use `text_target` of `__call__`."""
        warnings.warn(
            "`prepare_seq2seq_batch` is deprecated: use the argument `text_target` of `__call__`.",
            FutureWarning,
            stacklevel=2,
        )
        kwargs.pop("src_lang", None)
        kwargs.pop("tgt_lang", None)
        options = dict(return_tensors=return_tensors, padding=padding, truncation=truncation, **kwargs)
        limit = self.model_max_length if max_length is None else max_length
        inputs = self(src_texts, add_special_tokens=True, max_length=limit, **options)
        if tgt_texts is not None:
            target_limit = limit if max_target_length is None else max_target_length
            labels = self(text_target=tgt_texts, add_special_tokens=True, max_length=target_limit, **options)
            inputs["labels"] = labels["input_ids"]
        return inputs

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoTokenizer") -> None:
        """Makes `save_pretrained` copy the code of this class, for `AutoTokenizer` with `trust_remote_code=True`."""
        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        import isoform.models.auto as auto

        if not hasattr(auto, name):
            raise ValueError(f"{name} is not a valid auto class.")
        cls._auto_class = name


def _side(what: str, side: str) -> str:
    if side not in ("right", "left"):
        raise ValueError(f"{what} side should be selected between 'right' and 'left', current value: {side}")
    return side


def _is_text(value: Any) -> bool:
    """A text, a list of texts, or a list of lists of texts; only the first of each list is looked at."""
    for _ in range(2):
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            break
        if not value:
            return True
        value = value[0]
    if isinstance(value, (list, tuple)):
        return not value or isinstance(value[0], str)
    return isinstance(value, str)


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
        f"type of {value} unknown: {type(value)}. Should be one of a python, numpy, pytorch or tensorflow object."
    )


for _public in (BatchEncoding, CharSpan, TokenSpan, SpecialTokensMixin):
    _public.__module__ = __name__  # pickles and documentation name the public place
