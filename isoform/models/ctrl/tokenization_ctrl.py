"""The tokenizer of CTRL (Keskar et al. 2019)."""

from __future__ import annotations

from typing import Any

import regex

from ...tokenization_bpe import BPE_FILES_NAMES, MarkedBPETokenizer, get_pairs
from ...tokenization_utils_base import AddedToken

__all__ = ["CONTROL_CODES", "VOCAB_FILES_NAMES", "CTRLTokenizer", "get_pairs"]

VOCAB_FILES_NAMES = BPE_FILES_NAMES
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"ctrl": 256}

# First tokens that a text can be generated from, and their ids in the vocabulary of the published checkpoint.
CONTROL_CODES = {
    "Alone": 44967,
    "Ask": 27171,
    "Ass": 95985,
    "Atheism": 192263,
    "Books": 6665,
    "Christianity": 7675,
    "Computing": 39639,
    "Confession": 60572,
    "Confessions": 102701,
    "Conspiracy": 75932,
    "Diet": 36206,
    "Event": 32769,
    "Explain": 106423,
    "Extract": 76050,
    "Feminism": 164338,
    "Finance": 12250,
    "Fitness": 63440,
    "Funny": 58917,
    "Gaming": 40358,
    "Horror": 37793,
    "Human": 4088,
    "India": 1331,
    "Joke": 163509,
    "Joker": 77138,
    "Learned": 67460,
    "Legal": 11859,
    "Links": 63674,
    "Movies": 46273,
    "multilingual": 128406,
    "Narcissus": 150425,
    "Netflix": 48616,
    "News": 4256,
    "Norman": 4939,
    "Notion": 182770,
    "Opinion": 43213,
    "Politics": 16360,
    "Pregnancy": 168629,
    "Questions": 45622,
    "Relationship": 54766,
    "Relationships": 134796,
    "Retail": 52342,
    "Reviews": 41671,
    "Running": 23425,
    "Saving": 63163,
    "Scary": 191985,
    "Science": 2090,
    "Support": 12654,
    "Technologies": 32516,
    "Teenage": 66160,
    "Thoughts": 49605,
    "Tip": 72689,
    "Translation": 26820,
    "Weight": 52343,
    "Wikipedia": 37583,
    "Writing": 11992,
}


class CTRLTokenizer(MarkedBPETokenizer):
    """BPE tokenizer of CTRL: pieces that do not end a word are marked with ``@@``.

    Args:
        vocab_file: Path of ``vocab.json``.
        merges_file: Path of ``merges.txt``.
        unk_token: Token for what is not in the vocabulary.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    control_codes = CONTROL_CODES

    def __init__(self, vocab_file: str, merges_file: str, unk_token: str | AddedToken = "<unk>", **kwargs: Any) -> None:
        super().__init__(vocab_file, merges_file, unk_token=unk_token, **kwargs)

    def _tokenize(self, text: str) -> list[str]:
        # A line feed belongs to the word before it.
        return [piece for word in regex.findall(r"\S+\n?", text) for piece in self.split_word(word)]
