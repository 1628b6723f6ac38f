"""The Python tokenizer of HerBERT (Rybak et al. 2020): BPE of the words that BERT would split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._tokenization_files import vocabulary_path
from ..._tokenization_frame import Framed
from ...tokenization_bpe import BPE_FILES_NAMES, END_OF_WORD, BPETokenizer, get_pairs, merge_symbols, write_vocab
from ...tokenization_utils_base import AddedToken
from ...utils.files import atomic_write
from ..bert.tokenization_bert import BasicTokenizer

__all__ = ["VOCAB_FILES_NAMES", "BasicTokenizer", "HerbertTokenizer", "get_pairs"]

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"allegro/herbert-base-cased": 514}

_ADDITIONAL = tuple(f"<special{index}>" for index in range(10))


class HerbertTokenizer(Framed, BPETokenizer):
    """BPE tokenizer of HerBERT, in Python.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        tokenizer_file: Kept with the settings; has no effect here.
        cls_token: First token, whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed.
        sep_token: Token behind each sequence.
        bos_token: Token for the beginning of a text.
        do_lowercase_and_remove_accent: Kept with the settings; has no effect, as in the reference.
        additional_special_tokens: Further special tokens.
        lang2id: Kept with the settings, as are those of other tokenizers of its family.
        id2lang: Likewise.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    frame = ("bos", "sep", "sep")
    second_type = 1
    # No line is taken for a header (one that is there is a pair that never occurs); lines may end in a frequency.
    _merge_lines = (slice(0, -1), True)

    def __init__(
        self,
        vocab_file: str,
        merges_file: str,
        tokenizer_file: str | None = None,
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        sep_token: str | AddedToken = "</s>",
        bos_token: str | AddedToken = "<s>",
        do_lowercase_and_remove_accent: bool = False,
        additional_special_tokens: Sequence[str | AddedToken] = _ADDITIONAL,
        lang2id: dict[str, int] | None = None,
        id2lang: dict[int, str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.do_lowercase_and_remove_accent = do_lowercase_and_remove_accent
        self.lang2id, self.id2lang = lang2id, id2lang
        super().__init__(
            vocab_file,
            merges_file,
            tokenizer_file=tokenizer_file,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            sep_token=sep_token,
            bos_token=bos_token,
            do_lowercase_and_remove_accent=do_lowercase_and_remove_accent,
            additional_special_tokens=list(additional_special_tokens),
            lang2id=lang2id,
            id2lang=id2lang,
            **kwargs,
        )
        self.bert_pre_tokenizer = BasicTokenizer(
            do_lower_case=False,
            never_split=self.all_special_tokens,
            tokenize_chinese_chars=False,
            strip_accents=False,
        )

    do_lower_case = False

    def merge_word(self, word: str) -> list[str]:
        """The pieces of one word; the last one ends in ``</w>``."""
        return merge_symbols([*word[:-1], word[-1:] + END_OF_WORD], self.bpe_ranks)

    def _tokenize(self, text: str) -> list[str]:
        return [piece for word in self.bert_pre_tokenizer.tokenize(text) for piece in self.split_word(word)]

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index, self.unk_token)

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that a sequence of tokens stands for, with spaces between words and punctuation."""
        return "".join(tokens).replace(END_OF_WORD, " ").strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write ``vocab.json`` and ``merges.txt``; returns their paths."""
        names = (self.vocab_files_names[key] for key in ("vocab_file", "merges_file"))
        vocab_path, merges_path = (vocabulary_path(save_directory, filename_prefix, name) for name in names)
        write_vocab(self.encoder, vocab_path)
        with atomic_write(merges_path) as file:  # a header is among the merges if there is one
            file.writelines(f"{left} {right}\n" for left, right in self.bpe_ranks)
        return vocab_path, merges_path
