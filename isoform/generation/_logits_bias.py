"""Processors that favour or forbid sequences of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ._logits_base import NEVER, LogitsProcessor, PerDevice, as_list, is_whole, require


class SequenceBiasLogitsProcessor(LogitsProcessor):
    """Adds a number to the score of a token that completes a sequence.

    Args:
        sequence_bias: tuple of token ids -> number. Sequences of one token always apply; of several sequences that
            end in the same token all that match are added.
    """

    def __init__(self, sequence_bias: dict[tuple[int, ...], float]) -> None:
        self.sequence_bias = sequence_bias
        self._validate_arguments()
        self._single: dict[tuple[torch.device, int], Tensor] = {}
        self._longer = _Completions({ids: bias for ids, bias in sequence_bias.items() if len(ids) > 1})

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        single = self._single_token_bias(scores).to(scores.dtype)
        output = scores + single
        if self._longer:
            # Only the columns of their last tokens differ from the bias of single tokens.
            columns, bias = self._longer.bias(input_ids, single)
            output.index_copy_(1, columns, scores.index_select(1, columns) + bias)
        return output

    def _single_token_bias(self, scores: Tensor) -> Tensor:
        """(vocabulary,) bias of the sequences of one token."""
        key = (scores.device, scores.shape[-1])
        bias = self._single.get(key)
        if bias is None:
            self._check_vocabulary(scores.shape[-1])
            bias = torch.zeros(scores.shape[-1])
            for ids, value in self.sequence_bias.items():
                if len(ids) == 1:
                    bias[ids[0]] = value
            bias = self._single[key] = bias.to(scores.device)
        return bias

    def _check_vocabulary(self, size: int) -> None:
        outside = [i for ids in self.sequence_bias for i in ids if i >= size]
        require(
            not outside,
            f"tokens with a bias lie outside the vocabulary size {size}: {outside}",
        )

    def _validate_arguments(self) -> None:
        bias = self.sequence_bias
        require(
            isinstance(bias, dict) and len(bias) > 0,
            f"`sequence_bias` must be a dictionary with at least one entry, found {bias}.",
        )
        require(
            all(isinstance(ids, tuple) for ids in bias),
            f"`sequence_bias` must have tuples of token ids as keys, found {bias}.",
        )
        require(
            all(ids and all(is_whole(i, 0) for i in ids) for ids in bias),
            f"`sequence_bias`: each key must hold at least one token id (int from 0), found {bias}.",
        )
        require(
            all(isinstance(value, float) for value in bias.values()),
            f"`sequence_bias` must have floats as values, found {bias}.",
        )


class _Completions:
    """Biases of the last tokens of sequences; all sequences are compared with the end of the text at once."""

    def __init__(self, sequences: dict[tuple[int, ...], float]) -> None:
        self._width = max((len(ids) - 1 for ids in sequences), default=0)
        # Short prefixes are filled up on the left with -1, which fits every token.
        prefixes = [[-1] * (self._width + 1 - len(ids)) + list(ids[:-1]) for ids in sequences]
        columns = sorted({ids[-1] for ids in sequences})
        self._prefixes = PerDevice(lambda: torch.tensor(prefixes, dtype=torch.long))
        self._lengths = PerDevice(lambda: torch.tensor([len(ids) for ids in sequences]))
        self._columns = PerDevice(lambda: torch.tensor(columns, dtype=torch.long))
        self._slots = PerDevice(lambda: torch.tensor([columns.index(ids[-1]) for ids in sequences], dtype=torch.long))
        self._values = PerDevice(lambda: torch.tensor(list(sequences.values()), dtype=torch.float32))

    def __bool__(self) -> bool:
        return self._width > 0

    def bias(self, input_ids: Tensor, single: Tensor) -> tuple[Tensor, Tensor]:
        """The columns that sequences end in, (columns,), and their whole bias, (batch, columns).

        Args:
            input_ids: (batch, length) text so far.
            single: (vocabulary,) bias of the sequences of one token.
        """
        device, length = single.device, input_ids.shape[1]
        width = min(self._width, length)
        prefixes = self._prefixes.on(device)[:, self._width - width :]
        same = (input_ids[:, None, length - width :] == prefixes) | (prefixes < 0)
        # As in the reference, a sequence that is longer than the text is left out.
        applies = same.all(-1) & (self._lengths.on(device) <= length)
        values = torch.where(applies, self._values.on(device), 0.0).to(single.dtype)
        columns = self._columns.on(device)
        bias = single.index_select(0, columns).repeat(input_ids.shape[0], 1)
        return columns, bias.index_add_(1, self._slots.on(device), values)


class NoBadWordsLogitsProcessor(SequenceBiasLogitsProcessor):
    """Bans sequences of tokens.

    Args:
        bad_words_ids: the sequences. A sequence that is only an end token is ignored.
        eos_token_id: token or tokens that end a sequence.
    """

    def __init__(self, bad_words_ids: list[list[int]], eos_token_id: int | list[int] | None) -> None:
        self.bad_word_ids = bad_words_ids
        self._check_bad_words()
        ends = [] if eos_token_id is None else [[i] for i in as_list(eos_token_id)]
        super().__init__({tuple(ids): NEVER for ids in bad_words_ids if ids not in ends})

    def _validate_arguments(self) -> None:
        """Nothing: the biases come from checked sequences, and it is fine if none is left."""

    def _check_bad_words(self) -> None:
        words = self.bad_word_ids
        require(
            isinstance(words, list) and len(words) > 0,
            f"`bad_words_ids` must be a list with at least one word, found {words}.",
        )
        require(
            all(isinstance(ids, list) for ids in words),
            f"`bad_words_ids`: each word must be a list of token ids, found {words}.",
        )
        require(
            all(ids and all(is_whole(i, 0) for i in ids) for ids in words),
            f"`bad_words_ids`: each word must hold at least one token id (int from 0), found {words}.",
        )


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """Allows only the tokens that a function returns.

    Source: De Cao et al., Autoregressive Entity Retrieval, arXiv 2010.00904.

    Args:
        prefix_allowed_tokens_fn: (index in the batch, (length,) tokens so far) -> ids of the allowed tokens.
        num_beams: beams per prompt.
    """

    def __init__(self, prefix_allowed_tokens_fn: Callable[[int, Tensor], Sequence[int]], num_beams: int) -> None:
        self._prefix_allowed_tokens_fn = prefix_allowed_tokens_fn
        self._num_beams = num_beams

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        mask = torch.full_like(scores, NEVER)
        for row, sequence in enumerate(input_ids):
            prompt = row // self._num_beams
            allowed = self._prefix_allowed_tokens_fn(prompt, sequence)
            require(
                len(allowed) > 0,
                f"For prompt {prompt} no token is allowed: `prefix_allowed_tokens_fn` returned an empty list, but "
                "must allow one at least, for instance the one that ends the text.",
            )
            mask[row, allowed] = 0
        return scores + mask
