"""Assisted decoding: a cheap source proposes several tokens, and the model checks them in one pass.

Each token is still the model's own choice, so greedy search gives the same text as without assistance.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .candidate_generator import CandidateGenerator
from .loop import Decoding
from .steps import ProtocolSteps
from .strategies import Greedy, Sample


class Assisted(Greedy):
    """Assisted decoding of one sequence.

    Args:
        source: proposes the candidates.
        sample: draw tokens instead of taking the most likely ones.
    """

    plain_steps = False

    def __init__(self, source: CandidateGenerator, sample: bool) -> None:
        self.source = source
        self.choice = Sample() if sample else Greedy()
        self.results = self.choice.results

    def forward(self, run: Decoding) -> Any:
        """Run the model over the text so far and a proposal."""
        steps: ProtocolSteps = run.steps  # type: ignore[assignment]
        ids = run.ids
        candidates, _ = self.source.get_candidates(ids)
        proposed = candidates[:, run.length :].to(ids.device)
        run.write(proposed)
        steps.fit_masks(run.length)
        outputs = steps.forward(run)
        return proposed, outputs

    def step(self, run: Decoding, outputs: Any) -> bool:
        proposed, outputs = outputs
        count = proposed.shape[1]
        start = run.length - count
        scores = self._scores(run, outputs.logits[:, -count - 1 :, :], start)
        chosen = self.choice.choose(scores[0])  # (count + 1,)
        accepted = int((chosen[:-1] == proposed[0]).long().cumprod(0).sum())
        right = accepted
        if count and accepted == count and int(proposed[0, -1]) in run.eos:
            accepted -= 1  # the last proposal ends the text; nothing follows it
        if run.options.max_length is not None:
            accepted = min(accepted, max(run.options.max_length - start - 1, 0))
        self._record(run, outputs, scores, start, accepted)
        run.length = start
        run.steps.crop(start + accepted)
        run.write(chosen[None, : accepted + 1])
        if run.options.streamer is not None:
            run.options.streamer.put(chosen[None, : accepted + 1].cpu())
        ended = int(chosen[accepted]) in run.eos
        self.source.update_candidate_strategy(run.ids, scores, right)
        return ended or run.stopped()

    def _scores(self, run: Decoding, logits: Tensor, start: int) -> Tensor:
        """Scores `(1, n + 1, vocabulary)` at the proposed positions and after them, each processed with its past."""
        if not run.options.processors and not (run.options.warpers and isinstance(self.choice, Sample)):
            return logits
        shaped, end = [], run.length
        for i in range(logits.shape[1]):
            run.length = start + i
            shaped.append(self.choice.shape(run, run.process(logits[:, i])))
        run.length = end
        return torch.stack(shaped, 1)

    def _record(self, run: Decoding, outputs: Any, scores: Tensor, start: int, accepted: int) -> None:
        """Note each accepted position as if it had been a step of its own."""
        record = run.record
        if not record.active:
            return
        if record.scores is not None:
            record.scores.extend(scores[:, i] for i in range(accepted + 1))
        first = outputs.logits.shape[1] - scores.shape[1] + 1  # positions before the first proposed one
        prefix = "decoder_" if run.encoder_decoder else ""
        for name, kept, square in (
            (prefix + "attentions", record.attentions, True),
            ("cross_attentions", record.cross_attentions, False),
            (prefix + "hidden_states", record.hidden_states, False),
        ):
            if kept is None:
                continue
            layers = outputs[name]
            for i in range(accepted + 1):
                rows = slice(0, first) if i == 0 else slice(first + i - 1, first + i)
                keys = slice(0, start + i) if square else slice(None)
                kept.append(tuple(_cut(x, rows, keys) for x in layers))


def _cut(x: Tensor, rows: slice, keys: slice) -> Tensor:
    """Rows (and keys) of attentions `(batch, heads, rows, keys)` or rows of hidden states `(batch, rows, hidden)`."""
    return x[:, :, rows, keys] if x.dim() == 4 else x[:, rows]
