"""The kinds of decoding that run the model once per step: the most likely token, drawn tokens, and beams."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import outputs as results
from .loop import Decoding, Strategy

_CHUNK = 128  # scores of which `best` looks at the maximum first
_RULED_OUT = -1e8  # beams that may not start, and forbidden tokens, score less

#: The classes of the result for decoders and for encoder-decoder models.
Results = tuple[type, type]


class Greedy(Strategy):
    """Take the most likely token."""

    results: Results = (results.GreedySearchDecoderOnlyOutput, results.GreedySearchEncoderDecoderOutput)

    def step(self, run: Decoding, outputs: Any) -> bool:
        scores = self.shape(run, run.process(outputs.logits[:, -1, :]))
        run.record.add(outputs, scores)
        return run.append(self.choose(scores))

    def shape(self, run: Decoding, scores: Tensor) -> Tensor:
        """The scores that the choice is made by."""
        return scores

    def choose(self, scores: Tensor) -> Tensor:
        """Tokens `(batch,)` by scores `(batch, vocabulary)`."""
        return scores.argmax(-1)

    def result(self, run: Decoding) -> Any:
        if not run.options.return_dict:
            return run.ids
        kind = self.results[run.encoder_decoder]
        return kind(sequences=run.ids, **run.record.fields(run.steps.past, run.steps.encoder_outputs))


class Sample(Greedy):
    """Draw the token."""

    results: Results = (results.SampleDecoderOnlyOutput, results.SampleEncoderDecoderOutput)

    def shape(self, run: Decoding, scores: Tensor) -> Tensor:
        return run.warp(scores)

    def choose(self, scores: Tensor) -> Tensor:
        return torch.multinomial(scores.softmax(-1), num_samples=1).squeeze(1)


class Beams(Strategy):
    """Follow the best `num_beams` hypotheses of each prompt (beam search).

    Args:
        scorer: a `BeamScorer`: keeps the hypotheses, and says which beams go on.
    """

    results: Results = (results.BeamSearchDecoderOnlyOutput, results.BeamSearchEncoderDecoderOutput)
    groups = 1
    records_totals = False  # the scores returned are per step; else they include those of the earlier steps
    distinct_start = True  # all beams start alike: only the first of each prompt may be continued at first

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer
        self.beams = scorer.num_beams
        self.totals: Tensor | None = None  # (batch * beams,): log-probability of each beam so far
        self.origins: tuple[tuple[Any, ...], ...] | None = None  # per beam: the beam that each new token came from
        self.last: tuple[Any, Any] = (None, None)  # tokens and beams of the latest candidates

    def start(self, run: Decoding, device: torch.device) -> None:
        """Check the shapes and set the beams' scores."""
        prompts = len(self.scorer._beam_hyps) // self.groups
        if prompts * self.beams != run.batch:
            raise ValueError(
                f"`input_ids` must have {prompts * self.beams} rows (prompts times beams), found {run.batch}."
            )
        self.totals = torch.zeros(prompts, self.beams, dtype=torch.float, device=device)
        self.set_first(self.totals)
        self.totals = self.totals.view(-1)
        if run.record.scores is not None:
            self.origins = tuple(() for _ in range(run.batch))

    def set_first(self, totals: Tensor) -> None:
        """Set the start scores `(prompts, beams)` such that identical beams do not all win."""
        if self.distinct_start:
            totals[:, 1:] = -1e9

    def step(self, run: Decoding, outputs: Any) -> bool:
        if self.totals is None:
            self.start(run, outputs.logits.device)
        scores = run.process(outputs.logits[:, -1, :].log_softmax(-1))
        scores = self.shape(run, scores)
        totals = scores + self.totals[:, None]  # type: ignore[index]
        run.record.add(outputs, totals if self.records_totals else scores)
        values, tokens, sources = self.candidates(run, totals)
        self.last = tokens, sources
        chosen = self.process(run, totals, values, *self.last)
        self.totals, rows = chosen["next_beam_scores"], chosen["next_beam_indices"]
        self.advance(run, rows, chosen["next_beam_tokens"])
        return self.scorer.is_done or run.stopped()

    def shape(self, run: Decoding, scores: Tensor) -> Tensor:
        """The log-probabilities that are added to the beams' scores."""
        return scores

    def candidates(self, run: Decoding, totals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, tokens and beams of the continuations to consider, each `(prompts, n)`, best first."""
        vocabulary = totals.shape[-1]
        # Enough that `num_beams` remain if as many as possible end the sequence.
        count = max(2, 1 + len(run.options.eos_token_id or ())) * self.beams
        values, flat = best(totals.view(-1, self.beams * vocabulary), count)
        return values, flat % vocabulary, flat.div(vocabulary, rounding_mode="floor")

    def process(self, run: Decoding, totals: Tensor, values: Tensor, tokens: Tensor, sources: Tensor) -> Any:
        """Let the scorer choose among the candidates."""
        return self.scorer.process(run.ids, values, tokens, sources, **self.context(run))

    def context(self, run: Decoding) -> dict[str, Any]:
        """What the scorer is told besides."""
        return {
            "pad_token_id": run.options.pad_token_id,
            "eos_token_id": run.options.eos_token_id,
            "beam_indices": self.origins,
            "decoder_prompt_len": run.prompt_length,
        }

    def advance(self, run: Decoding, rows: Tensor, tokens: Tensor) -> None:
        """Continue the beams `rows` with `tokens`."""
        order = rows.tolist()
        if order != list(range(run.batch)):
            ids = run.ids
            same = (ids == ids[rows]).all(0).tolist()
            run.take_rows(rows)
            run.steps.reorder(rows, same.index(False) if False in same else len(same) - 1)
        run.write(tokens[:, None])
        if self.origins is not None:
            self.origins = tuple(self.origins[beam] + (beam,) for beam in order)

    def result(self, run: Decoding) -> Any:
        final = self.scorer.finalize(
            run.ids, self.totals, *self.last, max_length=run.options.max_length, **self.context(run)
        )
        if not run.options.return_dict:
            return final["sequences"]
        return self.results[run.encoder_decoder](
            sequences=final["sequences"],
            sequences_scores=final["sequence_scores"] if run.options.scores else None,
            beam_indices=final["beam_indices"],
            **run.record.fields(run.steps.past, run.steps.encoder_outputs),
        )


def best(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest of each row and where they are, best first: `topk`, which is slow for a few out of many."""
    rows, size = scores.shape
    whole = size // _CHUNK * _CHUNK
    # Ties, likely in low precision, are left to `topk`; on other devices, its speed is of no concern.
    if scores.device.type == "cpu" and scores.dtype == torch.float32 and whole > 4 * count * _CHUNK:
        chunks = scores[:, :whole].view(rows, -1, _CHUNK).amax(-1).topk(count, dim=1).indices
        places = (chunks[:, :, None] * _CHUNK + torch.arange(_CHUNK)).flatten(1)
        places = torch.cat((places, torch.arange(whole, size).expand(rows, -1)), 1)
        values, order = scores.gather(1, places).topk(count, dim=1)
        if bool((values[:, -1] > _RULED_OUT).all()):
            return values, places.gather(1, order)
    return scores.topk(count, dim=1, largest=True, sorted=True)


class SampledBeams(Beams):
    """Beam search whose continuations are drawn (beam-search multinomial sampling)."""

    results: Results = (results.BeamSampleDecoderOnlyOutput, results.BeamSampleEncoderDecoderOutput)
    distinct_start = False

    def shape(self, run: Decoding, scores: Tensor) -> Tensor:
        return run.warp(scores)

    def candidates(self, run: Decoding, totals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        vocabulary = totals.shape[-1]
        totals = totals.view(-1, self.beams * vocabulary)
        drawn = torch.multinomial(totals.softmax(-1), num_samples=2 * self.beams)
        values, order = totals.gather(-1, drawn).sort(descending=True, dim=1)
        flat = drawn.gather(-1, order)
        return values, flat % vocabulary, flat.div(vocabulary, rounding_mode="floor")


class ConstrainedBeams(Beams):
    """Beam search that fulfils constraints: some beams are steered towards them."""

    records_totals = True

    def process(self, run: Decoding, totals: Tensor, values: Tensor, tokens: Tensor, sources: Tensor) -> Any:
        return self.scorer.process(run.ids, values, tokens, sources, totals, **self.context(run))


class GroupedBeams(Beams):
    """Beam search in groups; a group is penalised for tokens that earlier groups chose in the same step."""

    def __init__(self, scorer: Any) -> None:
        super().__init__(scorer)
        self.groups = scorer.num_beam_groups
        self.group_size = self.beams // self.groups

    def set_first(self, totals: Tensor) -> None:
        totals.fill_(-1e9)
        totals[:, :: self.group_size] = 0

    def step(self, run: Decoding, outputs: Any) -> bool:
        logits = outputs.logits[:, -1, :]
        if self.totals is None:
            self.start(run, logits.device)
        ids, tokens = run.ids, torch.zeros(run.batch, dtype=run.ids.dtype, device=logits.device)
        rows = torch.zeros_like(tokens)
        recorded = torch.zeros_like(logits) if run.record.scores is not None else logits
        beams = torch.arange(run.batch, device=logits.device).view(-1, self.groups, self.group_size)
        for group in range(self.groups):
            members = beams[:, group].reshape(-1)
            group_rows, scores = self._step_group(run, group, members, ids[members], logits[members], tokens)
            rows[members] = group_rows
            if run.record.scores is not None:
                recorded[members] = scores
        run.record.add(outputs, recorded)
        self.advance(run, rows, tokens)
        return self.scorer.is_done or run.stopped()

    def _step_group(
        self, run: Decoding, group: int, members: Tensor, ids: Tensor, logits: Tensor, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Choose the tokens of one group, written into `tokens`; returns which beams it continues, and its scores."""
        scores = run.options.processors(ids, logits.log_softmax(-1), current_tokens=tokens, beam_group_idx=group)
        totals = scores + self.totals[members][:, None]  # type: ignore[index]
        vocabulary, size = totals.shape[-1], self.group_size
        count = max(2, 1 + len(run.options.eos_token_id or ())) * size
        values, flat = best(totals.view(-1, size * vocabulary), count)
        self.last = flat % vocabulary, flat.div(vocabulary, rounding_mode="floor")
        chosen = self.scorer.process(ids, values, *self.last, group_index=group, **self.context(run))
        self.totals[members] = chosen["next_beam_scores"]  # type: ignore[index]
        tokens[members] = chosen["next_beam_tokens"]
        # Indices count the beams of this group only: `prompt * size + place`.
        return members[chosen["next_beam_indices"]], scores
