"""Examples of extractive question answering in the manner of SQuAD."""

from __future__ import annotations

from typing import Any

__all__ = ["SquadExample"]

_SPACES = " \t\r\n\u202f"


class SquadExample:
    """A question about a text, with its answer where that is known.

    Args:
        qas_id: Identifier of the question.
        question_text: The question.
        context_text: The text that holds the answer.
        answer_text: The answer, for training.
        start_position_character: Where the answer starts in the text, for training.
        title: Title of the text.
        answers: All accepted answers (`{"text", "answer_start"}`), for evaluation.
        is_impossible: Whether the text does not hold the answer.

    Attributes:
        doc_tokens: The words of the text, split at spaces.
        char_to_word_offset: For each character the index of its word; a space belongs to the word before it.
        start_position, end_position: First and last word of the answer.
    """

    def __init__(
        self,
        qas_id: str | None,
        question_text: str,
        context_text: str,
        answer_text: str | None,
        start_position_character: int | None,
        title: str | None,
        answers: list[dict[str, Any]] = [],  # noqa: B006 - the documented default; it is never changed
        is_impossible: bool = False,
    ) -> None:
        self.qas_id, self.question_text, self.context_text = qas_id, question_text, context_text
        self.answer_text, self.title = answer_text, title
        self.answers, self.is_impossible = answers, is_impossible
        self.doc_tokens, self.char_to_word_offset = split_words(context_text)
        self.start_position = self.end_position = 0
        if start_position_character is not None and not is_impossible:
            last = min(start_position_character + len(answer_text or "") - 1, len(self.char_to_word_offset) - 1)
            self.start_position = self.char_to_word_offset[start_position_character]
            self.end_position = self.char_to_word_offset[last]


def split_words(text: str) -> tuple[list[str], list[int]]:
    """The words of a text, and for each character the index of its word (-1 before the first)."""
    words: list[str] = []
    word_of: list[int] = []
    inside = False
    for character in text:
        if character in _SPACES:
            inside = False
        elif inside:
            words[-1] += character
        else:
            words.append(character)
            inside = True
        word_of.append(len(words) - 1)
    return words, word_of
