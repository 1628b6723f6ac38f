"""The tokenizer of GPT-Sw3 (Ekgren et al. 2022)."""

from __future__ import annotations

import unicodedata
from typing import Any

from ...tokenization_sentencepiece import SentencePieceTokenizer
from ...tokenization_utils_base import AddedToken
from ...utils import logging

__all__ = ["VOCAB_FILES_NAMES", "GPTSw3Tokenizer"]

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "spiece.model"}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {
    f"AI-Sweden/gpt-sw3-{size}": 2048 for size in ("126m", "350m", "1.6b", "6.7b", "20b")
}

# The training data had no control characters (line feed and tab aside), no-break spaces, soft hyphens or zero-width
# spaces, and only plain spaces for the other kinds listed here.
_REMOVED = [*range(9), *range(11, 32), *range(127, 161), 0xAD, 0x200B]
_SPACES = [0x2002, 0x2003, 0x2005, 0x2008, 0x2009, 0x200A, 0x202F, 0x3000, 0xFFFC]
_CHARACTERS = {**dict.fromkeys(_REMOVED), **dict.fromkeys(_SPACES, " ")}


class GPTSw3Tokenizer(SentencePieceTokenizer):
    """SentencePiece tokenizer of GPT-Sw3.

    Args:
        vocab_file: Path of ``spiece.model``.
        do_lower_case: Kept with the settings; has no effect, as in the reference.
        remove_space: Likewise.
        keep_accents: Likewise.
        pad_token: Token for padding; by default ``<pad>`` (for gpt-sw3-7b the unknown token).
        unk_token: Token for what is not in the vocabulary; by default ``<unk>``.
        eos_token: Token for the end of a text; by default ``<|endoftext|>``.
        bos_token: Token for the beginning of a text; by default ``<s>`` (for gpt-sw3-7b the EOS token).
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES

    def __init__(
        self,
        vocab_file: str,
        do_lower_case: bool = False,
        remove_space: bool = False,
        keep_accents: bool = False,
        pad_token: str | AddedToken | None = None,
        unk_token: str | AddedToken | None = None,
        eos_token: str | AddedToken | None = None,
        bos_token: str | AddedToken | None = None,
        sp_model_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        name = kwargs.get("name_or_path")
        if name is None:
            logger.warning(
                "GPTSw3Tokenizer: name_or_path was not given. The default special tokens are not those of gpt-sw3-7b; "
                "if that is the checkpoint, pass its name."
            )
        unk_token = "<unk>" if unk_token is None else unk_token
        eos_token = "<|endoftext|>" if eos_token is None else eos_token
        is_7b = "gpt-sw3-7b" in (name or "")
        if pad_token is None:
            pad_token = unk_token if is_7b else "<pad>"
        if bos_token is None:
            bos_token = eos_token if is_7b else "<s>"
        self.do_lower_case = do_lower_case
        self.remove_space = remove_space
        self.keep_accents = keep_accents
        super().__init__(
            vocab_file,
            sp_model_kwargs=sp_model_kwargs,
            do_lower_case=do_lower_case,
            remove_space=remove_space,
            keep_accents=keep_accents,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            **kwargs,
        )

    def preprocess_text(self, text: str) -> str:
        """Text as in the training data: no unprintable characters, one kind of space, composed characters (NFC)."""
        return unicodedata.normalize("NFC", text.translate(_CHARACTERS))

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return super()._tokenize(self.preprocess_text(text))

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """The text as it is: nothing needs to be cleaned up."""
        return out_string

    def encode_fast(self, text: str | list[str], return_tensors: str | bool = False) -> Any:
        """Ids of a text or several, without special tokens, padding, truncation or added tokens.

        Args:
            text: A text, or a list of texts.
            return_tensors: ``True`` or ``"pt"`` for a torch tensor instead of lists.
        """
        if isinstance(text, str):
            ids = self.sp_model.encode(self.preprocess_text(text))
        else:
            ids = self.sp_model.encode([self.preprocess_text(one) for one in text])
        if return_tensors is True or return_tensors == "pt":
            import torch

            return torch.tensor(ids)
        return ids

    def decode_fast(self, token_ids: int | list[int]) -> str:
        """The text of ids that stem from :meth:`encode_fast`."""
        return self.sp_model.decode(token_ids)

    @property
    def default_chat_template(self) -> str:
        """The template for checkpoints that bring none: ``User: …`` and ``Bot: …`` between BOS tokens."""
        return (
            "{{ eos_token }}{{ bos_token }}{% for message in messages %}"
            "{{ 'User: ' if message.role == 'user' else 'Bot: ' }}{{ message.content }}{{ message.text }}"
            "{{ bos_token }}{% endfor %}Bot:"
        )
