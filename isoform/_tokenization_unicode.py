"""Kinds of characters, as BERT and its descendants tell them apart."""

from __future__ import annotations

import bisect
import unicodedata

_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def _is_whitespace(char: str) -> bool:
    """A space, a tab, the end of a line, or any other separator of words."""
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def _is_control(char: str) -> bool:
    """A control or format character, unassigned or private ones included, that is not white space."""
    return char not in "\t\n\r" and unicodedata.category(char).startswith("C")


def _is_punctuation(char: str) -> bool:
    """Punctuation; of ASCII any sign that is no letter and no digit, also those that Unicode calls symbols (`$`)."""
    return char in _ASCII_PUNCTUATION or unicodedata.category(char).startswith("P")


def _is_boundary(char: str) -> bool:
    return _is_control(char) or _is_punctuation(char) or _is_whitespace(char)


def _is_end_of_word(text: str) -> bool:
    """Whether the last character of a text cannot be inside of a word."""
    return _is_boundary(text[-1])


def _is_start_of_word(text: str) -> bool:
    """Whether the first character of a text cannot be inside of a word."""
    return _is_boundary(text[0])


def _insert_one_token_to_ordered_list(token_list: list[str], new_token: str) -> None:
    """Inserts a token into a sorted list unless it is there."""
    index = bisect.bisect_left(token_list, new_token)
    if index == len(token_list) or token_list[index] != new_token:
        token_list.insert(index, new_token)
