"""The Python tokenizer of BERT (Devlin et al. 2018): words and punctuation, then the longest word pieces first."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ..._tokenization_files import vocabulary_path
from ..._tokenization_frame import Framed
from ...errors import TokenizerError
from ...tokenization_utils import PreTrainedTokenizer, _is_control, _is_punctuation, _is_whitespace
from ...tokenization_utils_base import AddedToken
from ...utils import logging
from ...utils.files import atomic_write

__all__ = ["VOCAB_FILES_NAMES", "BasicTokenizer", "BertTokenizer", "WordpieceTokenizer", "load_vocab"]

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt"}

# Checkpoints whose repositories have no tokenizer_config.json.
_UNCASED = (
    "bert-base-uncased",
    "bert-large-uncased",
    "bert-base-multilingual-uncased",
    "bert-large-uncased-whole-word-masking",
    "bert-large-uncased-whole-word-masking-finetuned-squad",
    "bert-base-german-dbmdz-uncased",
    "TurkuNLP/bert-base-finnish-uncased-v1",
)
_CASED = (
    "bert-base-cased",
    "bert-large-cased",
    "bert-base-multilingual-cased",
    "bert-base-chinese",
    "bert-base-german-cased",
    "bert-large-cased-whole-word-masking",
    "bert-large-cased-whole-word-masking-finetuned-squad",
    "bert-base-cased-finetuned-mrpc",
    "bert-base-german-dbmdz-cased",
    "TurkuNLP/bert-base-finnish-cased-v1",
    "wietsedv/bert-base-dutch-cased",
)
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = dict.fromkeys((*_UNCASED, *_CASED), 512)
PRETRAINED_INIT_CONFIGURATION: dict[str, dict[str, Any]] = {
    **{name: {"do_lower_case": True} for name in _UNCASED},
    **{name: {"do_lower_case": False} for name in _CASED},
}

# The blocks of Unicode with ideographs of Chinese, Japanese and Korean; kana and Hangul are not among them.
_IDEOGRAPHS = (
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x2A6E0),
    range(0x2A700, 0x2B740),
    range(0x2B740, 0x2B820),
    range(0x2B820, 0x2CEB0),
    range(0x2F800, 0x2FA20),
)


class _Characters(dict[int, "str | None"]):
    """What each character becomes, for :meth:`str.translate`: worked out when it is first met."""

    def __init__(self, rule: Callable[[str], str | None]) -> None:
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str | None:
        result = self.rule(chr(code))
        if len(self) < 1 << 16:
            self[code] = result
        return result


def _is_ideograph(code: int) -> bool:
    return code >= 0x3400 and any(code in block for block in _IDEOGRAPHS)


def _cleaned(char: str) -> str | None:
    if char == "\ufffd" or _is_control(char):
        return None
    return " " if _is_whitespace(char) else char


_CLEANED = _Characters(_cleaned)
_APART_PUNCTUATION = _Characters(lambda char: f" {char} " if _is_punctuation(char) else char)
_APART_IDEOGRAPHS = _Characters(lambda char: f" {char} " if _is_ideograph(ord(char)) else char)
_WITHOUT_MARKS = _Characters(lambda char: None if unicodedata.category(char) == "Mn" else char)


def load_vocab(vocab_file: str | os.PathLike[str]) -> dict[str, int]:
    """Read a ``vocab.txt``: one token a line, whose number, from 0 on, is the token's id.

    Raises:
        TokenizerError: The file is missing, or is no text.
    """
    try:
        with open(vocab_file, encoding="utf-8") as file:
            return {line.rstrip("\n"): index for index, line in enumerate(file)}
    except (OSError, TypeError) as error:
        raise TokenizerError(f"Cannot read the vocabulary {vocab_file!r}: {error}") from error
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{vocab_file}: not UTF-8 text ({error}). Download it again.") from error


def whitespace_tokenize(text: str) -> list[str]:
    """The words of a text, split at white space."""
    return text.split()


class BasicTokenizer:
    """Splits text into words and punctuation, and unifies the forms of characters.

    Args:
        do_lower_case: Write words in lower case.
        never_split: Words that are left as they are.
        tokenize_chinese_chars: Make a word of each ideograph (not wanted for Japanese).
        strip_accents: Take accents off; by default where ``do_lower_case`` is set.
        do_split_on_punc: Make a word of each punctuation mark.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        do_split_on_punc: bool = True,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.never_split = set(never_split or ())
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.strip_accents = strip_accents
        self.do_split_on_punc = do_split_on_punc

    def tokenize(self, text: str, never_split: Iterable[str] | None = None) -> list[str]:
        """The words of a text.

        Args:
            text: The text.
            never_split: Further words that are left as they are.
        """
        kept = self.never_split.union(never_split or ())
        text = self._clean_text(text)
        if self.tokenize_chinese_chars:
            text = self._tokenize_chinese_chars(text)
        words: list[str] = []
        for word in unicodedata.normalize("NFC", text).split():
            if word in kept:
                words.append(word)
                continue
            if self.do_lower_case:
                word = word.lower()
            if self.strip_accents or (self.strip_accents is None and self.do_lower_case):
                word = self._run_strip_accents(word)
            words += self._run_split_on_punc(word, kept)
        return " ".join(words).split()

    def _run_strip_accents(self, text: str) -> str:
        return text if text.isascii() else unicodedata.normalize("NFD", text).translate(_WITHOUT_MARKS)

    def _run_split_on_punc(self, text: str, never_split: Collection[str] | None = None) -> list[str]:
        if not self.do_split_on_punc or (never_split is not None and text in never_split):
            return [text]
        return text.translate(_APART_PUNCTUATION).split()

    def _tokenize_chinese_chars(self, text: str) -> str:
        return text if text.isascii() else text.translate(_APART_IDEOGRAPHS)

    def _is_chinese_char(self, cp: int) -> bool:
        return _is_ideograph(cp)

    def _clean_text(self, text: str) -> str:
        """Without control and replacement characters, and with plain spaces for all white space."""
        return text.translate(_CLEANED)


class WordpieceTokenizer:
    """Splits words into pieces: the longest piece that a word begins with, then the longest that its rest begins with…

    Args:
        vocab: The pieces; those that do not begin a word are written with ``##`` in front.
        unk_token: Stands for a word that cannot be split.
        max_input_chars_per_word: Longer words become ``unk_token``.
    """

    def __init__(self, vocab: Collection[str], unk_token: str, max_input_chars_per_word: int = 100) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text whose words are separated by white space."""
        return [piece for word in text.split() for piece in self._pieces(word)]

    def _pieces(self, word: str) -> list[str]:
        if len(word) > self.max_input_chars_per_word:
            return [self.unk_token]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.vocab), None)
            if end is None:
                return [self.unk_token]
            pieces.append(prefix + word[start:end])
            start = end
        return pieces


class BertTokenizer(Framed, PreTrainedTokenizer):
    """Word piece tokenizer of BERT, in Python.

    Args:
        vocab_file: Path of ``vocab.txt``.
        do_lower_case: Write words in lower case.
        do_basic_tokenize: Split into words and punctuation before splitting into pieces.
        never_split: Words that are not split, where ``do_basic_tokenize`` is set.
        unk_token: Token for words that cannot be split.
        sep_token: Token behind each sequence.
        pad_token: Token for padding.
        cls_token: First token, whose last hidden state stands for the whole.
        mask_token: Token for what is to be guessed.
        tokenize_chinese_chars: Make a word of each ideograph (not wanted for Japanese).
        strip_accents: Take accents off; by default where ``do_lower_case`` is set.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    pretrained_init_configuration = PRETRAINED_INIT_CONFIGURATION
    second_type = 1

    def __init__(
        self,
        vocab_file: str,
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Iterable[str] | None = None,
        unk_token: str | AddedToken = "[UNK]",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken = "[PAD]",
        cls_token: str | AddedToken = "[CLS]",
        mask_token: str | AddedToken = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab = load_vocab(vocab_file)
        self.ids_to_tokens = {index: token for token, index in self.vocab.items()}
        self.do_basic_tokenize = do_basic_tokenize
        if do_basic_tokenize:
            self.basic_tokenizer = BasicTokenizer(do_lower_case, never_split, tokenize_chinese_chars, strip_accents)
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token))
        super().__init__(
            do_lower_case=do_lower_case,
            do_basic_tokenize=do_basic_tokenize,
            never_split=never_split,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            **kwargs,
        )

    @property
    def do_lower_case(self) -> bool:
        """Whether words are written in lower case."""
        return self.basic_tokenizer.do_lower_case

    @property
    def vocab_size(self) -> int:
        """Number of tokens, not counting those that were added."""
        return len(self.vocab)

    def get_vocab(self) -> dict[str, int]:
        """All tokens, added ones included, and their ids."""
        return {**self.vocab, **self.added_tokens_encoder}

    def _tokenize(self, text: str, split_special_tokens: bool = False) -> list[str]:
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        special = () if split_special_tokens else self.all_special_tokens
        tokens: list[str] = []
        for word in self.basic_tokenizer.tokenize(text, special):
            if word in self.basic_tokenizer.never_split:
                tokens.append(word)
            else:
                tokens += self.wordpiece_tokenizer.tokenize(word)
        return tokens

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.vocab.get(token, self.vocab.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str:
        return self.ids_to_tokens.get(index, str(self.unk_token))

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text that tokens stand for, with spaces between words and punctuation."""
        return " ".join(tokens).replace(" ##", "").strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        """Write ``vocab.txt``; returns its path. A path that is no folder is taken for the file to write."""
        return (write_vocab_list(self.vocab, save_directory, filename_prefix),)


def write_vocab_list(vocab: dict[str, int], save_directory: str, filename_prefix: str | None) -> str:
    """Write tokens to ``vocab.txt`` in the order of their ids; returns its path."""
    if os.path.isdir(save_directory):
        path = vocabulary_path(save_directory, filename_prefix, VOCAB_FILES_NAMES["vocab_file"])
    else:
        path = f"{filename_prefix}-{save_directory}" if filename_prefix else save_directory
    tokens = sorted(vocab, key=vocab.__getitem__)
    if len(tokens) != len(set(vocab.values())) or (tokens and vocab[tokens[-1]] != len(tokens) - 1):
        logger.warning(f"{path}: ids are not consecutive: a vocabulary read from this file will have others.")
    with atomic_write(path) as file:
        file.writelines(f"{token}\n" for token in tokens)
    return path
