"""The Python tokenizer of T5 (Raffel et al. 2020)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..._tokenization_frame import Framed
from ...errors import TokenizerError
from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SPIECE_UNDERLINE, NoSpaceAfterSpecial, SentencePieceTokenizer
from ...tokenization_utils_base import AddedToken
from ...utils import logging

__all__ = ["SPIECE_UNDERLINE", "VOCAB_FILES_NAMES", "T5Tokenizer"]

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "spiece.model"}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys(
    ("t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"), 512
)


class Sentinels:
    """Mixin of tokenizers with sentinel tokens, `<extra_id_0>`, `<extra_id_1>`…, each of which hides a span of text."""

    additional_special_tokens: list[str] | None

    def get_sentinel_tokens(self) -> list[str]:
        """The sentinel tokens."""
        return [token for token in set(self.additional_special_tokens or ()) if re.search(r"<extra_id_\d+>", token)]

    def get_sentinel_token_ids(self) -> list[int]:
        """Their ids."""
        return [self.convert_tokens_to_ids(token) for token in self.get_sentinel_tokens()]  # type: ignore[attr-defined]


def sentinels(extra_ids: int, given: list[str | AddedToken] | None) -> tuple[list[str | AddedToken], list[str]]:
    """All additional special tokens, and those sentinels among them that have fixed ids, behind the vocabulary.

    Args:
        extra_ids: How many sentinels there are.
        given: Additional special tokens, with or without the sentinels.

    Raises:
        TokenizerError: Another number of sentinels was given.
    """
    names = [f"<extra_id_{index}>" for index in range(extra_ids)]
    if given is None:
        return list(names), names
    found = [str(token) for token in given if "<extra_id_" in str(token)]
    if not found:
        return [*given, *names], []
    if extra_ids > 0 and len(found) != extra_ids:
        raise TokenizerError(
            f"additional_special_tokens holds {len(found)} sentinel tokens (<extra_id_…>), but extra_ids is "
            f"{extra_ids}: pass as many, or none of them, or set extra_ids to their number."
        )
    return list(given), found


class T5Tokenizer(Framed, Sentinels, NoSpaceAfterSpecial, SentencePieceTokenizer):
    """SentencePiece tokenizer of T5, in Python.

    Args:
        vocab_file: Path of ``spiece.model``.
        eos_token: Token behind each sequence.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        extra_ids: Number of sentinel tokens; ``<extra_id_0>`` is the last token of the vocabulary.
        additional_special_tokens: Further special tokens.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        legacy: Put a space after each special token within a text, as the first versions did. By default true; new
            checkpoints set it to false.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    model_input_names = ["input_ids", "attention_mask"]
    frame = ("", "eos", "eos")

    def __init__(
        self,
        vocab_file: str,
        eos_token: str | AddedToken = "</s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: list[str | AddedToken] | None = None,
        sp_model_kwargs: dict[str, Any] | None = None,
        legacy: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._set_legacy(legacy, kwargs.pop("from_slow", False))
        self._extra_ids = extra_ids
        tokens, self._fixed_sentinels = sentinels(extra_ids, additional_special_tokens)
        super().__init__(
            vocab_file,
            sp_model_kwargs=sp_model_kwargs,
            eos_token=as_added_token(eos_token, special=True),
            unk_token=as_added_token(unk_token, special=True),
            pad_token=as_added_token(pad_token, special=True),
            extra_ids=extra_ids,
            additional_special_tokens=tokens,
            legacy=self.legacy,
            **kwargs,
        )

    def _fixed_tokens(self) -> dict[int, AddedToken]:
        last = len(self._pieces) + self._extra_ids - 1
        return {
            last - index: AddedToken(token, lstrip=True, rstrip=True, special=True, normalized=False)
            for index, token in enumerate(self._fixed_sentinels)
        }

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Each sequence with the EOS token behind it, unless it ends with one already."""
        first = self._with_eos(token_ids_0)
        return first if token_ids_1 is None else first + self._with_eos(token_ids_1)

    def _with_eos(self, token_ids: list[int]) -> list[int]:
        end = self.eos_token_id
        if token_ids and token_ids[-1] == end:
            logger.warning_once(f"A text ends with {self.eos_token} already: no second one is added.")
            return token_ids
        return [*token_ids, end]

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for, with spaces around special tokens."""
        return super().convert_tokens_to_string(tokens).strip()
