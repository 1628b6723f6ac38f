"""What Python and fast tokenizers share: special tokens, padding, truncation, tensors, files, chat templates."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

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
from ._tokenization_prepare import (
    LARGE_INTEGER,
    VERY_LARGE_INTEGER,
    InputPreparation,
    Padding,
    Tensors,
    Truncation,
    TruncationStrategy,
    check_side,
)
from ._tokenization_special import SpecialTokensMixin
from .errors import TokenizerError
from .utils import logging
from .utils.generic import ExplicitEnum, PaddingStrategy, TensorType, is_tensor, to_py_obj

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = [
    "ADDED_TOKENS_FILE",
    "ENCODE_KWARGS_DOCSTRING",
    "ENCODE_PLUS_ADDITIONAL_KWARGS_DOCSTRING",
    "FULL_TOKENIZER_FILE",
    "INIT_TOKENIZER_DOCSTRING",
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

TextInput = str
PreTokenizedInput = list[str]
EncodedInput = list[int]
TextInputPair = tuple[str, str]
PreTokenizedInputPair = tuple[list[str], list[str]]
EncodedInputPair = tuple[list[int], list[int]]

Text = TextInput | PreTokenizedInput | EncodedInput
Ids: TypeAlias = "int | list[int] | np.ndarray | torch.Tensor"

_OLD_OPTIONS = ("truncation_strategy", "pad_to_max_length")
_BAD_TEXT = (
    "text input must be a `str`, a list of `str` (a batch, or the words of one text with "
    "`is_split_into_words=True`), or a list of lists of `str` (a batch of split texts)."
)


def _check_conversation(conversation: Any) -> None:
    expected = 'a list of messages such as [{"role": "user", "content": "Hello"}]'
    if isinstance(conversation, (str, bytes, Mapping)) or not isinstance(conversation, Iterable):
        raise TypeError(f"apply_chat_template: conversation must be {expected}, found {type(conversation).__name__}")
    if not isinstance(conversation, Sequence):
        return  # an iterator, which looking would use up
    for position, message in enumerate(conversation):
        if isinstance(message, (str, bytes, list, tuple)) or message is None:
            raise TypeError(
                f"apply_chat_template: conversation must be {expected}, found {type(message).__name__} at position"
                f" {position}"
            )


class PreTrainedTokenizerBase(InputPreparation, TokenizerFiles):
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
        self.padding_side = check_side("Padding", kwargs.pop("padding_side", self.padding_side))
        self.truncation_side = check_side("Truncation", kwargs.pop("truncation_side", self.truncation_side))
        self.model_input_names = kwargs.pop("model_input_names", self.model_input_names)
        self.clean_up_tokenization_spaces = kwargs.pop("clean_up_tokenization_spaces", True)
        self.split_special_tokens = kwargs.pop("split_special_tokens", False)
        # Names of the advice that was logged already: each is worth one line.
        self.deprecation_warnings: dict[str, bool] = {}
        self._in_target_context_manager = False
        self.chat_template = kwargs.pop("chat_template", None)
        super().__init__(**kwargs)

    # ---- vocabulary: for the two kinds of tokenizers ----

    def __len__(self) -> int:
        """The size of the vocabulary, with added tokens."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True

    def get_vocab(self) -> dict[str, int]:
        """The vocabulary, with added tokens: token to id."""
        raise NotImplementedError

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text that tokens stand for."""
        raise NotImplementedError

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Splits a text into tokens."""
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
        options = _arguments(locals(), "text", "text_pair", "text_target", "text_pair_target")
        if text is None and text_target is None:
            raise ValueError("Nothing to tokenize: pass `text`, `text_target`, or both.")
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
            raise TypeError("`text` is a batch, so `text_pair` must be a list or tuple of as many texts.")
        if text_pair is not None and len(text) != len(text_pair):
            raise ValueError(
                f"`text` has {len(text)} entries and `text_pair` has {len(text_pair)}: both must have as many."
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
        return self.encode_plus(**_arguments(locals()))["input_ids"]

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
        return self._encode_plus(**self._settled(_arguments(locals())))

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
            raise TypeError(f"batch_text_or_text_pairs must be a list or tuple, found {type(batch_text_or_text_pairs)}")
        if not batch_text_or_text_pairs:
            raise TokenizerError("the batch is empty: expected at least one text")
        return self._batch_encode_plus(**self._settled(_arguments(locals())))

    def _settled(self, options: dict[str, Any]) -> dict[str, Any]:
        """Puts strategies in the place of the arguments `padding` and `truncation` of an encoding method."""
        old = {name: options.pop(name) for name in _OLD_OPTIONS if name in options}
        padding, truncation, limit = options.pop("padding"), options.pop("truncation"), options["max_length"]
        multiple, verbose = options["pad_to_multiple_of"], options["verbose"]
        pads, cuts, limit, _ = self._get_padding_truncation_strategies(
            padding, truncation, limit, multiple, verbose, **old
        )
        options.update(padding_strategy=pads, truncation_strategy=cuts, max_length=limit)
        return options

    def _encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:
        raise NotImplementedError

    def _batch_encode_plus(self, batch_text_or_text_pairs: Sequence[Any], **options: Any) -> BatchEncoding:
        raise NotImplementedError

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
            for ids in (to_py_obj(sequences) if is_tensor(sequences) else sequences)
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
            token_ids=_plain_ids(token_ids),
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
            TypeError: The conversation is no list of messages.
            jinja2.exceptions.TemplateError: The template is malformed, refuses the conversation
                (`raise_exception`), leaves the sandbox, or exceeds its bounds.
        """
        if hasattr(conversation, "messages"):
            conversation = conversation.messages
        _check_conversation(conversation)
        template = chat_template or self.chat_template
        if template is None:
            logger.warning_once(
                f"{type(self).__name__} comes without a chat template: using the default template of its class. "
                "Models are sensitive to it: set `tokenizer.chat_template` to the one that this model was trained "
                "with."
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
            padding="max_length" if padding else False,  # there is only one sequence
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
            "`as_target_tokenizer` is deprecated: pass labels as `text_target` when calling the tokenizer.",
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


def _arguments(given: dict[str, Any], *others: str) -> dict[str, Any]:
    """The arguments of a method, from `locals()` at its start, to pass on; without `self` and `others`."""
    given.update(given.pop("kwargs"))
    del given["self"]
    for name in others:
        del given[name]
    return given


def _plain_ids(ids: Ids) -> int | list[int]:
    """Ids as plain integers. Lists of integers, the usual case, are not copied."""
    if isinstance(ids, list) and (not ids or type(ids[0]) is int):
        return ids
    return to_py_obj(ids)


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


INIT_TOKENIZER_DOCSTRING = PreTrainedTokenizerBase.__doc__ or ""
ENCODE_KWARGS_DOCSTRING = PreTrainedTokenizerBase.__call__.__doc__ or ""
ENCODE_PLUS_ADDITIONAL_KWARGS_DOCSTRING = ""

for _public in (BatchEncoding, CharSpan, TokenSpan, SpecialTokensMixin):
    _public.__module__ = __name__  # pickles and documentation name the public place
