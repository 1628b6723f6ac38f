"""Contrastive search (Su et al. 2022, "A Contrastive Framework for Neural Text Generation").

Of the `k` most likely tokens, take the one of greatest `(1 - alpha) * probability - alpha * similarity`, where
similarity is the greatest cosine between its hidden state and those of all earlier positions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..utils.generic import ModelOutput
from . import outputs as results
from .loop import Decoding
from .steps import ProtocolSteps
from .strategies import Greedy, Results


class Contrastive(Greedy):
    """Contrastive search.

    Args:
        k: candidates per step.
        alpha: weight of the similarity, from 0 (greedy search) to 1.
        sequential: run the candidates one after the other rather than in one batch, to save memory.
    """

    plain_steps = False
    results: Results = (results.ContrastiveSearchDecoderOnlyOutput, results.ContrastiveSearchEncoderDecoderOutput)

    def __init__(self, k: int, alpha: float, sequential: bool) -> None:
        self.k, self.alpha, self.sequential = k, alpha, sequential
        self.context: Tensor | None = None  # (batch, length, hidden): hidden states of all positions so far
        self.before: Any = None  # outputs that the next token is chosen by

    def forward(self, run: Decoding) -> Any:
        """Run the model over the candidates that follow the last outputs."""
        steps: ProtocolSteps = run.steps  # type: ignore[assignment]
        if self.before is None:
            steps.flags["output_hidden_states"] = True
            self.before = steps.forward(run)
            self.context = self._hidden(run, self.before)
            _check_past(run.model, steps.past)
        scores = run.warp(run.process(self.before.logits[:, -1, :]))
        probabilities, tokens = scores.softmax(-1).topk(self.k, dim=-1)
        if self.sequential:
            # Each candidate's cache is dropped at once, and the chosen one's made again.
            each = [self._hidden(run, self._candidates(run, tokens[:, i : i + 1], 1)) for i in range(self.k)]
            return scores, probabilities, tokens, torch.cat(each, 1), None
        outputs = self._candidates(run, tokens.reshape(-1, 1), self.k)
        return scores, probabilities, tokens, self._hidden(run, outputs).view(run.batch, self.k, -1), outputs

    def step(self, run: Decoding, outputs: Any) -> bool:
        scores, probabilities, tokens, states, candidates = outputs
        chosen = self._rank(states, probabilities)
        rows = torch.arange(run.batch, device=chosen.device)
        run.record.add(self.before, scores)
        if candidates is None:
            self.before = self._candidates(run, tokens[rows, chosen][:, None], 1)
        else:
            self.before = self._chosen(run, candidates, rows * self.k + chosen)
        run.steps.update(self.before)  # type: ignore[attr-defined]
        self.context = torch.cat((self.context, states[rows, chosen][:, None]), 1)  # type: ignore[arg-type]
        return run.append(tokens[rows, chosen])

    def result(self, run: Decoding) -> Any:
        # The last token was already run, in order to rank it; as after other searches the cache ends before it.
        seen = run.steps.past[0][0].shape[-2]
        run.steps.crop(seen - 1)
        return super().result(run)

    def _hidden(self, run: Decoding, outputs: Any) -> Tensor:
        return (outputs.decoder_hidden_states if run.encoder_decoder else outputs.hidden_states)[-1]

    def _candidates(self, run: Decoding, tokens: Tensor, copies: int) -> Any:
        """Outputs for candidate tokens `(batch * copies, 1)`; neighbouring rows continue the same sequence."""
        kwargs = dict(run.steps.kwargs)  # type: ignore[attr-defined]
        if copies > 1:
            past = kwargs.pop("past_key_values")
            rows = torch.arange(run.batch, device=tokens.device).repeat_interleave(copies)
            if kwargs.get("encoder_outputs") is not None:
                kwargs["encoder_outputs"] = ModelOutput(kwargs["encoder_outputs"])  # a copy, whose values are replaced
            _, kwargs = run.model._expand_inputs_for_generation(copies, run.encoder_decoder, None, **kwargs)
            kwargs["past_key_values"] = run.model._reorder_cache(past, rows)
        inputs = run.model.prepare_inputs_for_generation(tokens, **kwargs)
        return run.model(**inputs, **run.steps.flags)  # type: ignore[attr-defined]

    def _rank(self, states: Tensor, probabilities: Tensor) -> Tensor:
        """The best candidate of each row, `(batch,)`."""
        context = self.context / self.context.norm(dim=2, keepdim=True)  # type: ignore[operator, union-attr]
        states = states / states.norm(dim=2, keepdim=True)
        similarity = (states @ context.transpose(1, 2)).amax(-1)
        return ((1.0 - self.alpha) * probabilities - self.alpha * similarity).argmax(-1)

    def _chosen(self, run: Decoding, outputs: Any, rows: Tensor) -> Any:
        """The outputs of the chosen candidates alone, which the next step starts from."""

        def pick(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.index_select(0, rows.to(value.device))
            return tuple(pick(x) for x in value)

        kept = {
            name: pick(value)
            for name, value in outputs.items()
            if name == "logits" or (name.endswith(("attentions", "hidden_states")) and not name.startswith("encoder"))
        }
        kept["past_key_values"] = run.model._reorder_cache(run.model._extract_past_from_model_output(outputs), rows)
        return type(outputs)(**kept)


def _check_past(model: Any, past: Any) -> None:
    if past is None:
        raise ValueError(
            f"{type(model).__name__} returns no past_key_values: contrastive search needs a model that caches"
        )
