"""Special tokens around sequences: which go where is stated once, and everything else follows from it."""

from __future__ import annotations

from typing import Any

from tokenizers import processors

Frame = tuple[list[int], list[int], list[int]]


class Framed:
    """Mixin of tokenizers that put special tokens around one or two sequences.

    Class attributes:
        frame: Names of the special tokens before the first sequence, between two, and behind the last, separated by
            spaces: `("cls", "sep", "sep")` stands for `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.
        second_type: Token type of the second sequence and of what is behind it; the first has 0.
    """

    frame: tuple[str, str, str] = ("cls", "sep", "sep")
    second_type = 0

    def _frame(self) -> Frame:
        """The ids of the special tokens before, between and behind."""
        before, between, behind = ([getattr(self, f"{n}_token_id") for n in part.split()] for part in self.frame)
        return before, between, behind

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """The ids of a text or a pair, with the special tokens before, between and behind."""
        before, between, behind = self._frame()
        second = [] if token_ids_1 is None else between + token_ids_1
        return before + token_ids_0 + second + behind

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 for each special token that :meth:`build_inputs_with_special_tokens` adds, 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(  # type: ignore[misc]
                token_ids_0, token_ids_1, already_has_special_tokens=True
            )
        before, between, behind = ([1] * len(part) for part in self._frame())
        second = [] if token_ids_1 is None else between + [0] * len(token_ids_1)
        return before + [0] * len(token_ids_0) + second + behind

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for the first sequence, the type of the second one for that and what is behind it."""
        before, between, behind = self._frame()
        if token_ids_1 is None:
            return [0] * len(before + token_ids_0 + behind)
        return [0] * len(before + token_ids_0 + between) + [self.second_type] * len(token_ids_1 + behind)


def frame_processor(tokenizer: Any, frame: Frame | None = None) -> processors.PostProcessor:
    """What makes a Rust tokenizer add the special tokens of a :class:`Framed` tokenizer (or of `frame`)."""
    ids = tokenizer._frame() if frame is None else frame
    known = {index: tokenizer.convert_ids_to_tokens(index) for part in ids for index in part}
    before, between, behind = ([known[index] for index in part] for part in ids)

    def typed(tokens: list[str], kind: int) -> list[str]:
        return [f"{token}:{kind}" for token in tokens]

    second = typed(["$B", *behind], tokenizer.second_type)
    return processors.TemplateProcessing(
        single=typed([*before, "$A", *behind], 0),
        pair=typed([*before, "$A", *between], 0) + second,
        special_tokens=[(token, index) for index, token in known.items()],
    )
