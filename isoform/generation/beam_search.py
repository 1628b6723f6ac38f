"""The book-keeping of beam search: which hypotheses go on, which are complete, which are the best."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import UserDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .beam_constraints import Constraint, ConstraintListState


class BeamScorer(ABC):
    """What the loop of beam search needs."""

    @abstractmethod
    def process(
        self, input_ids: Tensor, next_scores: Tensor, next_tokens: Tensor, next_indices: Tensor, **kwargs: Any
    ) -> UserDict:
        """Choose the beams of the next step.

        Args:
            input_ids: (batch * num_beams, length) tokens so far.
            next_scores: (batch, candidates) sums of log-probabilities, best first.
            next_tokens: (batch, candidates) their tokens.
            next_indices: (batch, candidates) the beams that they continue, 0 to num_beams - 1.

        Returns:
            `next_beam_scores`, `next_beam_tokens` and `next_beam_indices` (rows of `input_ids`), (batch * num_beams,).
        """

    @abstractmethod
    def finalize(
        self,
        input_ids: Tensor,
        next_scores: Tensor,
        next_tokens: Tensor,
        next_indices: Tensor,
        max_length: int,
        **kwargs: Any,
    ) -> UserDict:
        """Choose the best hypotheses after the last step.

        Args:
            input_ids: (batch * num_beams, length) tokens of the beams.
            next_scores: (batch * num_beams,) their sums of log-probabilities.
            next_tokens: (batch * num_beams,) their last tokens.
            next_indices: (batch * num_beams,) the beams that they continued.
            max_length: greatest length of the result.

        Returns:
            `sequences`, (batch * kept, length), padded on the right; `sequence_scores`, (batch * kept,); and
            `beam_indices`, (batch * kept, length), padded by -1, or None.
        """


class BeamHypotheses:
    """The best complete hypotheses of one prompt, or of one group of its beams.

    Args:
        num_beams: how many are kept.
        length_penalty: exponent of the length that divides the score.
        early_stopping: as in `GenerationConfig`.
        max_length: greatest length, which `early_stopping="never"` needs.
    """

    def __init__(
        self, num_beams: int, length_penalty: float, early_stopping: bool | str, max_length: int | None = None
    ) -> None:
        self.length_penalty = length_penalty
        self.early_stopping = early_stopping
        self.max_length = max_length
        self.num_beams = num_beams
        self.beams: list[tuple[float, Tensor, tuple[int, ...] | None]] = []
        self.worst_score = 1e9
        if not isinstance(early_stopping, bool) and max_length is None:
            raise ValueError(
                "`do_early_stopping` is a word ('never'), which needs `max_length`: pass it to the BeamScorer."
            )

    def __len__(self) -> int:
        return len(self.beams)

    def add(
        self,
        hyp: Tensor,
        sum_logprobs: float,
        beam_indices: tuple[int, ...] | None = None,
        generated_len: int | None = None,
    ) -> None:
        """Add a hypothesis, if it is among the best.

        Args:
            hyp: (length,) tokens.
            sum_logprobs: sum of their log-probabilities.
            beam_indices: the beam of each step.
            generated_len: number of tokens that count for the length penalty; by default all.
        """
        length = hyp.shape[-1] if generated_len is None else generated_len
        score = sum_logprobs / length**self.length_penalty
        if len(self) >= self.num_beams and score <= self.worst_score:
            return
        self.beams.append((score, hyp, beam_indices))
        if len(self) > self.num_beams:
            del self.beams[min(range(len(self)), key=lambda index: self.beams[index][0])]
            self.worst_score = min(beam[0] for beam in self.beams)
        else:
            self.worst_score = min(score, self.worst_score)

    def is_done(self, best_sum_logprobs: float, cur_len: int, decoder_prompt_len: int = 0) -> bool:
        """Whether no open beam can displace a hypothesis that is kept.

        Args:
            best_sum_logprobs: score of the best open beam.
            cur_len: its length.
            decoder_prompt_len: length of the prompt, which does not count.
        """
        if len(self) < self.num_beams:
            return False
        if self.early_stopping is True:
            return True
        length = cur_len
        # A sum of log-probabilities is negative: with a positive penalty it is the long ones that rank best.
        if self.early_stopping == "never" and self.length_penalty > 0.0 and self.max_length is not None:
            length = self.max_length
            if length <= decoder_prompt_len:
                raise ValueError(
                    f"`max_length` ({length}) must exceed the length of the decoder's prompt ({decoder_prompt_len})"
                )
        return self.worst_score >= best_sum_logprobs / (length - decoder_prompt_len) ** self.length_penalty


class _HypothesisScorer(BeamScorer):
    """What ordinary and constrained beam search share.

    Nothing but the candidates' scores and which of them end is read from the device, once per step.
    """

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        device: torch.device,
        length_penalty: float,
        do_early_stopping: bool | str,
        num_beam_hyps_to_keep: int,
        num_beam_groups: int,
        max_length: int | None,
    ) -> None:
        if not isinstance(num_beams, int) or num_beams <= 1:
            raise ValueError(f"`num_beams` must be an int above 1, found {num_beams}. One beam is `greedy_search`.")
        if not isinstance(num_beam_groups, int) or num_beam_groups > num_beams or num_beams % num_beam_groups != 0:
            raise ValueError(
                f"`num_beam_groups` must be an int that divides `num_beams` ({num_beams}), found {num_beam_groups}."
            )
        self.num_beams = num_beams
        self.device = device
        self.length_penalty = length_penalty
        self.do_early_stopping = do_early_stopping
        self.num_beam_hyps_to_keep = num_beam_hyps_to_keep
        self.num_beam_groups = num_beam_groups
        self.group_size = num_beams // num_beam_groups
        # One per prompt and group, the groups of a prompt side by side.
        self._beam_hyps = [
            BeamHypotheses(self.group_size, length_penalty, do_early_stopping, max_length)
            for _ in range(batch_size * num_beam_groups)
        ]
        self._done = [False] * len(self._beam_hyps)

    @property
    def is_done(self) -> bool:
        """Whether all prompts are complete."""
        return all(self._done)

    @property
    def _batch_size(self) -> int:
        return len(self._beam_hyps) // self.num_beam_groups

    # --- one step ---------------------------------------------------------------------------------------------

    def _process(
        self,
        input_ids: Tensor,
        candidates: tuple[Tensor, Tensor, Tensor],
        pad_token_id: int | None,
        eos_token_id: int | list[int] | None,
        beam_indices: Any,
        group_index: int,
        prompt_length: int,
        refine: Callable[..., tuple[Tensor, Tensor, Tensor]] | None = None,
    ) -> UserDict:
        """Both kinds of `process`; `candidates` are scores, tokens and beams, `refine` changes those of one prompt."""
        self._check_batch(input_ids)
        ends = _as_list(eos_token_id)
        groups = range(group_index, len(self._beam_hyps), self.num_beam_groups)
        was_done = [self._done[group] for group in groups]
        if any(was_done) and (not ends or pad_token_id is None):
            raise ValueError(
                "Some prompts are done before others and must be padded: eos_token_id and pad_token have to be defined"
            )
        chosen = self._choose(input_ids, candidates, ends, groups, beam_indices, prompt_length)
        if refine is not None:
            refined = [
                tuple(values[prompt] for values in chosen)
                if was_done[prompt]
                else refine(prompt, *(values[prompt] for values in chosen))
                for prompt in range(len(groups))
            ]
            chosen = tuple(torch.stack(values) for values in zip(*refined, strict=True))
        if any(was_done):
            done = torch.tensor(was_done, device=input_ids.device).unsqueeze(1)
            fillers: tuple[Any, ...] = (0.0, pad_token_id, 0)
            chosen = tuple(values.masked_fill(done, filler) for values, filler in zip(chosen, fillers, strict=True))
        scores, tokens, rows = (values.reshape(-1) for values in chosen)
        return UserDict({"next_beam_scores": scores, "next_beam_tokens": tokens, "next_beam_indices": rows})

    def _choose(
        self,
        input_ids: Tensor,
        candidates: tuple[Tensor, Tensor, Tensor],
        ends: list[int],
        groups: Sequence[int],
        beam_indices: Any,
        prompt_length: int,
    ) -> tuple[Tensor, ...]:
        """Record the hypotheses that end; scores, tokens and rows of the others, each (batch, group size)."""
        next_scores, next_tokens, beams = candidates
        size = self.group_size
        rows = beams + torch.arange(0, input_ids.shape[0], size, device=beams.device).unsqueeze(1)
        chosen: tuple[Tensor, ...] = next_scores[:, :size], next_tokens[:, :size], rows[:, :size]
        if not ends:
            return chosen
        is_end = _is_any_of(next_tokens, ends)
        host_scores, host_ends, host_rows = _to_host(next_scores, is_end, rows)
        if any(any(of_prompt[:size]) for of_prompt in host_ends):
            # What ends goes to the back; the order stays otherwise.
            order = is_end.to(torch.int8).argsort(dim=1, stable=True)[:, :size]
            chosen = tuple(values.gather(1, order) for values in (next_scores, next_tokens, rows))
        length = input_ids.shape[-1] + 1
        of_all_groups = beam_indices is not None and len(beam_indices) > input_ids.shape[0]

        def name(row: int) -> int:
            """What the row of this group is called in `beam_indices`."""
            prompt, place = divmod(row, size)
            return groups[prompt] * size + place if of_all_groups else row

        for prompt, group in enumerate(groups):
            if self._done[group]:
                continue
            ended, hypotheses = host_ends[prompt], self._beam_hyps[group]
            # An end that is worse than as many other candidates as there are beams does not count.
            for rank in range(size):
                row = host_rows[prompt][rank]
                if ended[rank] and self._accepts(input_ids[row]):
                    path = _path(beam_indices, name(row))
                    path = None if path is None else (*path, name(row))
                    score = host_scores[prompt][rank]
                    hypotheses.add(input_ids[row].clone(), score, path, generated_len=length - prompt_length)
            if len(ended) - sum(ended) < size:
                raise ValueError(
                    f"Of the candidates {next_tokens[prompt]}, {size} at most can be equal to `eos_token_id: "
                    f"{ends}`: too few are left to continue the beams."
                )
            self._done[group] = hypotheses.is_done(max(host_scores[prompt]), length, prompt_length)
        return chosen

    def _check_batch(self, input_ids: Tensor) -> None:
        given = input_ids.shape[0] // self.group_size
        if given == self._batch_size:
            return
        if self.num_beam_groups > 1:
            raise ValueError(
                f"The scorer has {self._batch_size * self.group_size} beams per group, found input_ids with "
                f"{input_ids.shape[0]} rows."
            )
        raise ValueError(
            f"The scorer has {self._batch_size * self.group_size} beams (prompts times `num_beams`), found "
            f"input_ids with {input_ids.shape[0]} rows."
        )

    def _accepts(self, tokens: Tensor) -> bool:
        """Whether a hypothesis, (length,), may end here."""
        return True

    # --- the end ----------------------------------------------------------------------------------------------

    def finalize(  # type: ignore[override]
        self,
        input_ids: Tensor,
        final_beam_scores: Tensor,
        final_beam_tokens: Tensor,
        final_beam_indices: Tensor,
        max_length: int,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        beam_indices: Any = None,
        decoder_prompt_len: int = 0,
    ) -> UserDict:
        """Choose the best hypotheses after the last step.

        Args:
            input_ids: (batch * num_beams, length) tokens of the beams.
            final_beam_scores: (batch * num_beams,) their sums of log-probabilities.
            final_beam_tokens: not used.
            final_beam_indices: not used.
            max_length: greatest length of the result, or None.
            pad_token_id: fills shorter sequences.
            eos_token_id: token or tokens that end a sequence; the first is written after it.
            beam_indices: for each row the beam of each step, if they are wanted.
            decoder_prompt_len: length of the prompt, which does not count for the length penalty.

        Returns:
            `sequences`, (batch * kept, length); `sequence_scores`, (batch * kept,), float32; `beam_indices`,
            (batch * kept, length), padded by -1, or None.

        Raises:
            ValueError: sequences differ in length and there is no `pad_token_id`.
        """
        scores = final_beam_scores.tolist()
        for group, hypotheses in enumerate(self._beam_hyps):
            if not self._done[group]:
                self._close(hypotheses, group * self.group_size, input_ids, scores, beam_indices, decoder_prompt_len)
        best = [beam for prompt in range(self._batch_size) for beam in self._best(prompt)]
        return _pack(best, input_ids, self.device, max_length, pad_token_id, _as_list(eos_token_id))

    def _close(
        self,
        hypotheses: BeamHypotheses,
        first_row: int,
        input_ids: Tensor,
        scores: list[float],
        beam_indices: Any,
        prompt_length: int,
    ) -> None:
        """Add the open beams, which follow each other in `input_ids`, to the hypotheses."""
        length = input_ids.shape[-1] - prompt_length
        for row in self._rows_to_close(range(first_row, first_row + self.group_size), input_ids):
            hypotheses.add(input_ids[row], scores[row], _path(beam_indices, row), generated_len=length)

    def _rows_to_close(self, rows: Sequence[int], input_ids: Tensor) -> Sequence[int]:
        """Which of the open beams `rows` count as hypotheses, in order."""
        return rows

    def _best(self, prompt: int) -> list[tuple[float, Tensor, tuple[int, ...] | None]]:
        """The best hypotheses of a prompt, in order; of equals the later one."""
        groups = self._beam_hyps[prompt * self.num_beam_groups : (prompt + 1) * self.num_beam_groups]
        found = sorted((beam for group in groups for beam in group.beams), key=lambda beam: beam[0])
        return found[::-1][: self.num_beam_hyps_to_keep]


class BeamSearchScorer(_HypothesisScorer):
    """Beam search, with or without groups.

    Args:
        batch_size: number of prompts.
        num_beams: beams per prompt, of all groups.
        device: device of the results.
        length_penalty: exponent of the length that divides the score.
        do_early_stopping: `early_stopping` of `GenerationConfig`.
        num_beam_hyps_to_keep: hypotheses returned per prompt.
        num_beam_groups: groups of beams.
        max_length: greatest length, needed where `do_early_stopping` is "never".

    Raises:
        ValueError: the numbers do not fit together.
    """

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        device: torch.device,
        length_penalty: float = 1.0,
        do_early_stopping: bool | str = False,
        num_beam_hyps_to_keep: int = 1,
        num_beam_groups: int = 1,
        max_length: int | None = None,
    ) -> None:
        super().__init__(
            batch_size,
            num_beams,
            device,
            length_penalty,
            do_early_stopping,
            num_beam_hyps_to_keep,
            num_beam_groups,
            max_length,
        )

    def process(  # type: ignore[override]
        self,
        input_ids: Tensor,
        next_scores: Tensor,
        next_tokens: Tensor,
        next_indices: Tensor,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        beam_indices: Any = None,
        group_index: int = 0,
        decoder_prompt_len: int = 0,
    ) -> UserDict:
        """Choose the beams of the next step.

        Args:
            input_ids: (batch * group size, length) tokens so far.
            next_scores: (batch, candidates) sums of log-probabilities, best first; two candidates per beam, and one
                more for each further end token, are enough.
            next_tokens: (batch, candidates) their tokens.
            next_indices: (batch, candidates) the beams that they continue, 0 to group size - 1.
            pad_token_id: token of the beams of prompts that are complete.
            eos_token_id: token or tokens that end a sequence.
            beam_indices: for each row the beam of each step, (rows, steps) tensor or nested tuple, if wanted.
            group_index: the group of beams.
            decoder_prompt_len: length of the prompt, which does not count for the length penalty.

        Returns:
            `next_beam_scores`, `next_beam_tokens` and `next_beam_indices` (rows of `input_ids`), (batch * group size,).

        Raises:
            ValueError: the batch has another size than the scorer's, or too many candidates end.
        """
        candidates = next_scores, next_tokens, next_indices
        return self._process(
            input_ids, candidates, pad_token_id, eos_token_id, beam_indices, group_index, decoder_prompt_len
        )


class ConstrainedBeamSearchScorer(_HypothesisScorer):
    """Beam search whose hypotheses must fulfil constraints.

    Each step adds to the best candidates, for each beam, the tokens that bring a constraint forward, and then takes
    in turn the best of each level of progress. Source: Post and Vilar, Fast Lexically Constrained Decoding with
    Dynamic Beam Allocation, arXiv 1804.06609.

    Args:
        batch_size: number of prompts.
        num_beams: beams per prompt.
        constraints: the constraints.
        device: device of the results.
        length_penalty: exponent of the length that divides the score.
        do_early_stopping: `early_stopping` of `GenerationConfig`.
        num_beam_hyps_to_keep: hypotheses returned per prompt.
        num_beam_groups: must be 1.
        max_length: greatest length, needed where `do_early_stopping` is "never".

    Raises:
        ValueError: the numbers do not fit together.
    """

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        constraints: list[Constraint],
        device: torch.device,
        length_penalty: float = 1.0,
        do_early_stopping: bool | str = False,
        num_beam_hyps_to_keep: int = 1,
        num_beam_groups: int = 1,
        max_length: int | None = None,
    ) -> None:
        super().__init__(
            batch_size,
            num_beams,
            device,
            length_penalty,
            do_early_stopping,
            num_beam_hyps_to_keep,
            num_beam_groups,
            max_length,
        )
        self.constraints = constraints
        # States of the texts of the last step, so that each step looks at one new token only.
        self._states: dict[tuple[int, ...], ConstraintListState] = {}
        self._new_states: dict[tuple[int, ...], ConstraintListState] = {}

    def make_constraint_states(self, n: int) -> list[ConstraintListState]:
        """n new states of the constraints."""
        return [ConstraintListState([constraint.copy() for constraint in self.constraints]) for _ in range(n)]

    def check_completes_constraints(self, sequence: list[int]) -> bool:
        """Whether a text, a list of tokens, fulfils all constraints."""
        return self._state_after(tuple(sequence)).completed

    def _accepts(self, tokens: Tensor) -> bool:
        return self.check_completes_constraints(tokens.tolist())

    def _state_after(self, tokens: tuple[int, ...]) -> ConstraintListState:
        """The state after a text; not to be changed."""
        state = self._states.get(tokens) or self._new_states.get(tokens)
        if state is None:
            before = self._states.get(tokens[:-1]) or self._new_states.get(tokens[:-1])
            if before is None:
                state = self.make_constraint_states(1)[0]
                state.reset(list(tokens))
            else:
                state = before.copy(stateful=True)
                state.add(tokens[-1])
        self._new_states[tokens] = state
        return state

    def process(  # type: ignore[override]
        self,
        input_ids: Tensor,
        next_scores: Tensor,
        next_tokens: Tensor,
        next_indices: Tensor,
        scores_for_all_vocab: Tensor,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        beam_indices: Any = None,
        decoder_prompt_len: int = 0,
    ) -> UserDict:
        """Choose the beams of the next step.

        Args:
            input_ids: (batch * num_beams, length) tokens so far.
            next_scores: (batch, candidates) sums of log-probabilities, best first.
            next_tokens: (batch, candidates) their tokens.
            next_indices: (batch, candidates) the beams that they continue, 0 to num_beams - 1.
            scores_for_all_vocab: (batch * num_beams, vocabulary) sums of log-probabilities of all continuations.
            pad_token_id: token of the beams of prompts that are complete.
            eos_token_id: token or tokens that end a sequence.
            beam_indices: for each row the beam of each step, (rows, steps) tensor or nested tuple, if wanted.
            decoder_prompt_len: length of the prompt, which does not count for the length penalty.

        Returns:
            `next_beam_scores`, `next_beam_tokens` and `next_beam_indices` (rows of `input_ids`), (batch * num_beams,).

        Raises:
            ValueError: the batch has another size than the scorer's, or too many candidates end.
        """
        self._states, self._new_states = self._new_states, {}

        def refine(prompt: int, scores: Tensor, tokens: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return self.step_sentence_constraint(prompt, input_ids, scores_for_all_vocab, scores, tokens, rows)

        candidates = next_scores, next_tokens, next_indices
        return self._process(
            input_ids, candidates, pad_token_id, eos_token_id, beam_indices, 0, decoder_prompt_len, refine
        )

    def step_sentence_constraint(
        self,
        batch_idx: int,
        input_ids: Tensor,
        vocab_scores: Tensor,
        sent_beam_scores: Tensor,
        sent_beam_tokens: Tensor,
        sent_beam_indices: Tensor,
        push_progress: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mix continuations that bring constraints forward into the beams of one prompt.

        Args:
            batch_idx: index of the prompt.
            input_ids: (batch * num_beams, length) tokens so far.
            vocab_scores: (batch * num_beams, vocabulary) sums of log-probabilities of all continuations.
            sent_beam_scores: (num_beams,) sums of log-probabilities of the chosen continuations.
            sent_beam_tokens: (num_beams,) their tokens.
            sent_beam_indices: (num_beams,) the rows that they continue.
            push_progress: also continue beams that fulfil everything, by their most likely token.

        Returns:
            Scores, tokens and rows, (num_beams,) each.
        """
        count = sent_beam_indices.shape[0]
        first = batch_idx * count
        texts = [tuple(text) for text in input_ids[first : first + count].tolist()]
        parents, tokens = sent_beam_indices.tolist(), sent_beam_tokens.tolist()
        whole = [(*texts[parent - first], token) for parent, token in zip(parents, tokens, strict=True)]
        states = [self._state_after(text) for text in whole]

        added: list[tuple[int, int]] = []  # (beam, token)
        known = set(whole)
        for beam, text in enumerate(texts):
            for token in self._steps_forward(text, vocab_scores[first + beam], push_progress):
                longer = (*text, token)
                if longer not in known:
                    known.add(longer)
                    added.append((beam, token))
                    states.append(self._state_after(longer))
        if not added:
            return sent_beam_scores, sent_beam_tokens, sent_beam_indices

        new_rows, new_tokens = torch.tensor(added, device=input_ids.device).T
        new_rows = new_rows + first
        scores = torch.cat([sent_beam_scores, vocab_scores[new_rows, new_tokens].to(sent_beam_scores.dtype)])
        order = _in_turn([state.get_bank() for state in states], scores)[:count]
        return (
            scores[order],
            torch.cat([sent_beam_tokens, new_tokens.to(sent_beam_tokens.dtype)])[order],
            torch.cat([sent_beam_indices, new_rows.to(sent_beam_indices.dtype)])[order],
        )

    def _steps_forward(self, text: tuple[int, ...], scores: Tensor, push_progress: bool) -> list[int]:
        state = self._state_after(text)
        if not state.completed:
            return state.advance() or []
        return [int(scores.argmax())] if push_progress else []

    def _rows_to_close(self, rows: Sequence[int], input_ids: Tensor) -> Sequence[int]:
        # Beams that do not fulfil the constraints count only if too few do.
        fulfilled = [row for row in rows if self._accepts(input_ids[row])]
        enough = len(fulfilled) >= self.num_beam_hyps_to_keep
        return fulfilled if enough else [*fulfilled, *(row for row in rows if row not in fulfilled)]


# --- helpers -----------------------------------------------------------------------------------------------------


def _as_list(ids: int | list[int] | None) -> list[int]:
    if ids is None:
        return []
    return [ids] if isinstance(ids, int) else list(ids)


def _is_any_of(tokens: Tensor, ids: list[int]) -> Tensor:
    result = tokens == ids[0]
    for token in ids[1:]:
        result = result | (tokens == token)
    return result


def _to_host(*tensors: Tensor) -> list[list[list[Any]]]:
    """Values of tensors of equal shapes as lists, read from an accelerator in one transfer."""
    if tensors[0].device.type == "cpu":
        return [tensor.tolist() for tensor in tensors]
    # float32 holds every score of its width, every flag and every row (below 2 ** 24) exactly.
    exact = torch.promote_types(tensors[0].dtype, torch.float32)
    scores, flags, rows = torch.stack([tensor.to(exact) for tensor in tensors]).tolist()
    return [scores, flags, [[int(row) for row in of_prompt] for of_prompt in rows]]


def _path(beam_indices: Any, row: int) -> tuple[int, ...] | None:
    """The beams that a row came by."""
    if beam_indices is None:
        return None
    path = beam_indices[row]
    return tuple(path.tolist()) if isinstance(path, Tensor) else tuple(path)


def _in_turn(banks: list[int], scores: Tensor) -> Tensor:
    """Order that takes the best candidate of each bank, most progress first, then the second best of each, …"""
    progress = torch.tensor(banks, device=scores.device)
    # The factor separates the banks; it is the reference's, ties and overlaps included.
    ranking = (progress * 100 + scores).sort(descending=True).indices
    place_in_bank: list[int] = []
    previous = None
    for bank in progress[ranking].tolist():
        place_in_bank.append(place_in_bank[-1] + 1 if bank == previous else 0)
        previous = bank
    turns = sorted(range(len(place_in_bank)), key=place_in_bank.__getitem__)
    return ranking[torch.tensor(turns, device=scores.device)]


def _pack(
    best: list[tuple[float, Tensor, tuple[int, ...] | None]],
    input_ids: Tensor,
    device: torch.device,
    max_length: int | None,
    pad_token_id: int | None,
    ends: list[int],
) -> UserDict:
    """The result of `finalize` from the chosen hypotheses."""
    lengths = [len(tokens) for _, tokens, _ in best]
    width = max(lengths) + 1
    if max_length is not None:
        width = min(width, max_length)
    if min(lengths) != max(lengths) and pad_token_id is None:
        raise ValueError("`pad_token_id` has to be defined: the sequences differ in length.")
    sequences = input_ids.new_full((len(best), width), 0 if pad_token_id is None else pad_token_id)
    paths = input_ids.new_full((len(best), width), -1) if best[0][2] is not None else None
    for index, (_, tokens, path) in enumerate(best):
        sequences[index, : len(tokens)] = tokens
        if paths is not None and path:
            paths[index, : len(path)] = torch.tensor(path)
        if len(tokens) < width and ends:
            sequences[index, len(tokens)] = ends[0]
    scores = torch.tensor([score for score, _, _ in best], dtype=torch.float32, device=device)
    return UserDict({"sequences": sequences, "sequence_scores": scores, "beam_indices": paths})
