"""Where assisted decoding takes its proposals from."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._setup import as_id_list
from .logits_process import LogitsProcessorList
from .loop import Decoding, Options
from .steps import ProtocolSteps
from .strategies import Greedy


class CandidateGenerator:
    """Proposes continuations that the main model checks in one pass.

    Subclasses define both methods and are passed to `assisted_decoding`.
    """

    def get_candidates(self, input_ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """Propose a continuation.

        Args:
            input_ids: `(1, length)`: the text so far.

        Returns:
            `(1, length + n)`: the text with `n >= 0` proposed tokens, and the scores `(1, n, vocabulary)` that they
            were chosen by, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} must define get_candidates(input_ids)")

    def update_candidate_strategy(self, input_ids: Tensor, scores: Tensor, num_matches: int) -> None:
        """Learn how the last proposal fared.

        Args:
            input_ids: `(1, length)`: the text after the check.
            scores: `(1, n + 1, vocabulary)`: of the main model at the proposed positions and after them.
            num_matches: how many proposed tokens were right.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_candidate_strategy(...)")


class AssistedCandidateGenerator(CandidateGenerator):
    """Proposes what a smaller model with the same vocabulary would say, by greedy search.

    Args:
        input_ids: `(1, length)`: the prompt.
        assistant_model: the smaller model. How many tokens it proposes, and whether that number follows its success, is
            in its `generation_config` (`num_assistant_tokens`, `num_assistant_tokens_schedule`).
        logits_processor: applied to its scores, as to the main model's.
        model_kwargs: its inputs besides the ids.
        eos_token_id: ids that end a proposal.
    """

    def __init__(
        self,
        input_ids: Tensor,
        assistant_model: Any,
        logits_processor: LogitsProcessorList | None = None,
        model_kwargs: dict[str, Any] | None = None,
        eos_token_id: int | list[int] | None = None,
    ) -> None:
        own = assistant_model.generation_config
        self.num_assistant_tokens = int(own.num_assistant_tokens)
        self.adapts = own.num_assistant_tokens_schedule == "heuristic"
        self.proposed = 0
        eos = as_id_list(eos_token_id)
        options = Options(
            processors=logits_processor or LogitsProcessorList(), eos_token_id=eos, pad_token_id=eos[0] if eos else None
        )
        self.steps = ProtocolSteps(assistant_model, dict(model_kwargs or {}), options)
        self.run = Decoding(assistant_model, input_ids, self.steps, options)
        self.strategy = Greedy()
        self.seen = 0  # positions in the assistant's cache

    def get_candidates(self, input_ids: Tensor) -> tuple[Tensor, Tensor | None]:
        run, self.proposed = self.run, 0
        run.rewrite(input_ids)
        # What it proposed and the main model refused must go; so must the last token, which it has to see anew.
        keep = min(self.seen, input_ids.shape[1] - 1)
        if keep < self.seen:
            self.steps.crop(keep)
        while self.proposed < self.num_assistant_tokens:
            self.steps.fit_masks(run.length)
            outputs = self.strategy.forward(run)
            self.seen = run.length
            self.proposed += 1
            if self.strategy.step(run, outputs):
                break
        run.reopen()
        return run.ids, None

    def update_candidate_strategy(self, input_ids: Tensor, scores: Tensor, num_matches: int) -> None:
        if self.adapts:
            all_right = num_matches == self.num_assistant_tokens
            self.num_assistant_tokens = (
                self.num_assistant_tokens + 2 if all_right else max(1, self.num_assistant_tokens - 1)
            )
