"""A small word-piece tokenizer in both kinds, built on isoform or on the library that TOY_LIBRARY names.

The golden values of the base classes come from the same code on top of the reference.
"""

# ruff: noqa: SIM905 (a sentence is easier to read than a list of its words)
from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

LIBRARY = os.environ.get("TOY_LIBRARY", "isoform")
base = importlib.import_module(f"{LIBRARY}.tokenization_utils_base")
_python = importlib.import_module(f"{LIBRARY}.tokenization_utils")
_fast = importlib.import_module(f"{LIBRARY}.tokenization_utils_fast")

SPECIAL = {name: f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
WORDS = "hello world ##s the cat ! , sat on mat ##ty big ##ger un ##able dog . n't do".split()
VOCAB = [*SPECIAL.values(), *WORDS]
TOKENS = {f"{name}_token": token for name, token in SPECIAL.items()}


def write_vocab(folder: str | os.PathLike[str], words: list[str] | None = None) -> str:
    path = Path(folder) / "vocab.txt"
    path.write_text("\n".join(words or VOCAB) + "\n", encoding="utf-8")
    return str(path)


class ToyTokenizer(_python.PreTrainedTokenizer):
    """Lower case, split at spaces and punctuation, longest pieces first."""

    vocab_files_names = {"vocab_file": "vocab.txt"}

    def __init__(self, vocab_file: str, do_lower_case: bool = True, **kwargs: Any) -> None:
        self.words = Path(vocab_file).read_text(encoding="utf-8").splitlines()
        self.ids = {word: index for index, word in enumerate(self.words)}
        self.do_lower_case = do_lower_case
        super().__init__(do_lower_case=do_lower_case, **{**TOKENS, **kwargs})

    @property
    def vocab_size(self) -> int:
        return len(self.ids)

    def get_vocab(self) -> dict[str, int]:
        return {**self.ids, **self.added_tokens_encoder}

    def _tokenize(self, text: str) -> list[str]:
        text = "".join(f" {c} " if _python._is_punctuation(c) else c for c in text)
        return [piece for word in text.split() for piece in self._pieces(word.lower())]

    def _pieces(self, word: str) -> list[str]:
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((e for e in ends if prefix + word[start:e] in self.ids), None)
            if end is None:
                return ["[UNK]"]
            pieces.append(prefix + word[start:end])
            start = end
        return pieces

    def _convert_token_to_id(self, token: str) -> int:
        return self.ids.get(token, self.ids["[UNK]"])

    def _convert_id_to_token(self, index: int) -> str:
        return self.words[index] if index < len(self.words) else "[UNK]"

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens).replace(" ##", "")

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        start, end = [self.cls_token_id], [self.sep_token_id]
        return start + token_ids_0 + end + (token_ids_1 + end if token_ids_1 is not None else [])

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        second = len(token_ids_1) + 1 if token_ids_1 is not None else 0
        return [0] * (len(token_ids_0) + 2) + [1] * second

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, True)
        second = [0] * len(token_ids_1) + [1] if token_ids_1 is not None else []
        return [1] + [0] * len(token_ids_0) + [1, *second]

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        path = Path(save_directory) / ((f"{filename_prefix}-" if filename_prefix else "") + "vocab.txt")
        path.write_text("\n".join(self.words) + "\n", encoding="utf-8")
        return (str(path),)


class ToyTokenizerFast(_fast.PreTrainedTokenizerFast):
    """The same in Rust."""

    vocab_files_names = {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}
    slow_tokenizer_class = ToyTokenizer

    def __init__(
        self,
        vocab_file: str | None = None,
        tokenizer_file: str | None = None,
        do_lower_case: bool = True,
        **kwargs: Any,
    ) -> None:
        if tokenizer_file is None and "tokenizer_object" not in kwargs:
            kwargs["tokenizer_object"] = backend(Path(vocab_file or "").read_text(encoding="utf-8").split("\n")[:-1])
        kwargs.pop("__slow_tokenizer", None)
        super().__init__(tokenizer_file=tokenizer_file, do_lower_case=do_lower_case, **{**TOKENS, **kwargs})
        self.vocab_file = vocab_file

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return ToyTokenizer.build_inputs_with_special_tokens(self, token_ids_0, token_ids_1)

    create_token_type_ids_from_sequences = ToyTokenizer.create_token_type_ids_from_sequences

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        path = Path(save_directory) / ((f"{filename_prefix}-" if filename_prefix else "") + "vocab.txt")
        words = sorted(self._tokenizer.get_vocab(with_added_tokens=False).items(), key=lambda item: item[1])
        path.write_text("\n".join(word for word, _ in words) + "\n", encoding="utf-8")
        return (str(path),)


def backend(words: list[str]) -> Tokenizer:
    ids = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return tokenizer


KINDS: dict[str, Any] = {"python": ToyTokenizer, "fast": ToyTokenizerFast}
