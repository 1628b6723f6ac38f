"""The decoding loop. What one kind of decoding does with the scores of a step is its strategy's (`strategies.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .logits_process import LogitsProcessorList
from .stopping_criteria import MaxLengthCriteria, StoppingCriteriaList

if TYPE_CHECKING:
    from .steps import Steps
    from .streamers import BaseStreamer

_HEADROOM = 4096  # tokens to reserve at once where the final length is unknown or far away


@dataclass
class Options:
    """How to decode, whatever the strategy.

    Attributes:
        processors: applied to the scores of each step.
        warpers: applied after them where tokens are drawn.
        criteria: any of them ends the generation.
        pad_token_id: what rows that have ended are filled with.
        eos_token_id: ids that end a row.
        attentions, hidden_states, scores: what to record.
        return_dict: return a `ModelOutput` with what was recorded.
        synced_gpus: go on with empty steps until all processes are done: under ZeRO stage 3 each must take part.
        streamer: gets the tokens as they come.
    """

    processors: LogitsProcessorList = field(default_factory=LogitsProcessorList)
    warpers: LogitsProcessorList = field(default_factory=LogitsProcessorList)
    criteria: StoppingCriteriaList = field(default_factory=StoppingCriteriaList)
    pad_token_id: int | None = None
    eos_token_id: list[int] | None = None
    attentions: bool = False
    hidden_states: bool = False
    scores: bool = False
    return_dict: bool = False
    synced_gpus: bool = False
    streamer: BaseStreamer | None = None

    @property
    def max_length(self) -> int | None:
        """The length at which generation surely ends, if there is one."""
        limits = [c.max_length for c in self.criteria if hasattr(c, "max_length")]
        return min(limits, default=None)


class Strategy:
    """One kind of decoding.

    Attributes:
        plain_steps: it runs the model once per step, over the new tokens only.
    """

    plain_steps = True

    def forward(self, run: Decoding) -> Any:
        """Run the model; returns its outputs. Strategies that need several passes per step override it."""
        return run.steps.forward(run)

    def step(self, run: Decoding, outputs: Any) -> bool:
        """Extend the sequences by one step; returns whether generation has ended."""
        raise NotImplementedError

    def result(self, run: Decoding) -> Any:
        """What `generate` returns."""
        raise NotImplementedError


class Decoding:
    """One generation: the tokens so far, the model's inputs for the next step, and what is recorded.

    Attributes:
        length: of the sequences so far, prompt included.
        prompt_length: of the prompt.
        batch: number of rows, beams included.
        eos: ids that end a row.
        ended: all is done; further steps only keep other processes company.
    """

    def __init__(self, model: Any, input_ids: Tensor, steps: Steps, options: Options) -> None:
        self.model, self.steps, self.options = model, steps, options
        self.batch, self.length = input_ids.shape
        self.prompt_length = self.length
        self.encoder_decoder = bool(model.config.is_encoder_decoder)
        limit = options.max_length
        room = self.length + _HEADROOM if limit is None else min(limit, self.length + _HEADROOM)
        self._buffer = input_ids.new_empty(self.batch, max(room, self.length + 1))
        self._buffer[:, : self.length] = input_ids
        self.eos = frozenset(options.eos_token_id or ())
        self._open = self.batch  # rows that have not ended
        self._ended: list[bool] = [False] * self.batch
        self._ended_mask: Tensor | None = None
        self._check_from = _first_length_to_check(options.criteria)
        self.record = Record(options, self.encoder_decoder)
        self.ended = False
        self._keeps_graph = torch.is_grad_enabled()  # then what the model saw may not be overwritten

    @property
    def ids(self) -> Tensor:
        """`(batch, length)`: the sequences so far. Contiguous, since processors may reshape it."""
        ids = self._buffer[:, : self.length]
        return ids.clone() if self._keeps_graph else ids.contiguous()

    def last_ids(self, count: int) -> Tensor:
        """`(batch, count)`: the last tokens."""
        ids = self._buffer[:, self.length - count : self.length]
        return ids.clone() if self._keeps_graph else ids

    # Scores

    def process(self, scores: Tensor) -> Tensor:
        """`scores` of shape `(batch, vocabulary)` after all processors."""
        return self.options.processors(self.ids, scores) if self.options.processors else scores

    def warp(self, scores: Tensor) -> Tensor:
        """`scores` after all warpers."""
        return self.options.warpers(self.ids, scores) if self.options.warpers else scores

    # Tokens

    def append(self, tokens: Tensor) -> bool:
        """Add `(batch,)` tokens to the rows that have not ended, padding to the others; returns whether all is done."""
        if self.eos:
            tokens = self._end_rows(tokens)
        self.write(tokens[:, None])
        if self.options.streamer is not None:
            self.options.streamer.put(tokens.cpu())
        return self._open == 0 or self.stopped()

    def write(self, tokens: Tensor) -> None:
        """Add `(batch, n)` tokens as they are."""
        new = tokens.shape[1]
        if self.length + new > self._buffer.shape[1]:
            grown = self._buffer.new_empty(self.batch, 2 * (self.length + new))
            grown[:, : self.length] = self._buffer[:, : self.length]
            self._buffer = grown
        self._buffer[:, self.length : self.length + new] = tokens
        self.length += new

    def rewrite(self, ids: Tensor) -> None:
        """Replace all sequences by `ids` of shape `(batch, n)`."""
        self.length = 0
        self.write(ids)

    def take_rows(self, rows: Tensor) -> None:
        """Continue row `rows[i]` as row `i`."""
        self._buffer[:, : self.length] = self._buffer[:, : self.length].index_select(0, rows)

    def _end_rows(self, tokens: Tensor) -> Tensor:
        values = tokens.tolist()  # the one synchronisation with the device in a step
        if self._ended_mask is not None:
            tokens = tokens.masked_fill(self._ended_mask, self.options.pad_token_id)  # type: ignore[arg-type]
        news = [i for i, value in enumerate(values) if value in self.eos and not self._ended[i]]
        if news:
            for i in news:
                self._ended[i] = True
            self._open -= len(news)
            self._ended_mask = torch.tensor(self._ended, device=tokens.device)
        return tokens

    def reopen(self) -> None:
        """Let rows that have ended go on, for a run that is continued from another text."""
        self._open, self._ended, self._ended_mask = self.batch, [False] * self.batch, None

    def stopped(self) -> bool:
        """Whether a stopping criterion says so."""
        return self.length >= self._check_from and bool(self.options.criteria(self.ids, self.record.step_scores()))


def _first_length_to_check(criteria: Iterable[Any]) -> float:
    """The least length at which the criteria can say anything; until then a comparison of two numbers will do."""
    first = float("inf")
    for criterion in criteria:
        if type(criterion) is not MaxLengthCriteria:
            return 0
        first = min(first, criterion.max_length, criterion.max_position_embeddings or criterion.max_length)
    return first


class Record:
    """Scores, attentions and hidden states of the steps."""

    def __init__(self, options: Options, encoder_decoder: bool) -> None:
        self.encoder_decoder = encoder_decoder
        keep = options.return_dict
        self.scores: list[Tensor] | None = [] if keep and options.scores else None
        self.attentions: list[Any] | None = [] if keep and options.attentions else None
        self.cross_attentions: list[Any] | None = [] if keep and options.attentions and encoder_decoder else None
        self.hidden_states: list[Any] | None = [] if keep and options.hidden_states else None
        self.active = any(x is not None for x in (self.scores, self.attentions, self.hidden_states))

    def step_scores(self) -> tuple[Tensor, ...] | None:
        return None if self.scores is None else tuple(self.scores)

    def add(self, outputs: Any, scores: Tensor) -> None:
        """Note one step."""
        if not self.active:
            return
        prefix = "decoder_" if self.encoder_decoder else ""
        if self.scores is not None:
            self.scores.append(scores)
        if self.attentions is not None:
            self.attentions.append(outputs.get(prefix + "attentions"))
        if self.cross_attentions is not None:
            self.cross_attentions.append(outputs.get("cross_attentions"))
        if self.hidden_states is not None:
            self.hidden_states.append(outputs.get(prefix + "hidden_states"))

    def fields(self, past: Any, encoder_outputs: Any) -> dict[str, Any]:
        """What was noted, under the names of the output classes."""
        prefix = "decoder_" if self.encoder_decoder else ""
        fields = {
            "scores": self.step_scores(),
            prefix + "attentions": None if self.attentions is None else tuple(self.attentions),
            prefix + "hidden_states": None if self.hidden_states is None else tuple(self.hidden_states),
            "past_key_values": past,
        }
        if self.encoder_decoder:
            fields["cross_attentions"] = None if self.cross_attentions is None else tuple(self.cross_attentions)
            if self.attentions is not None:
                fields["encoder_attentions"] = encoder_outputs.get("attentions")
            if self.hidden_states is not None:
                fields["encoder_hidden_states"] = encoder_outputs.get("hidden_states")
        return fields


def decode(run: Decoding, strategy: Strategy) -> Any:
    """Run `strategy` to its end; returns its result."""
    try:
        _run_steps(run, strategy)
        if run.options.streamer is not None:
            run.options.streamer.end()
        return strategy.result(run)
    finally:
        run.steps.close()


def _run_steps(run: Decoding, strategy: Strategy) -> None:
    synced = run.options.synced_gpus
    while not (synced and _all_processes_ended(run.ended, run.model.device)):
        outputs = strategy.forward(run)
        if run.ended:
            continue
        run.ended = strategy.step(run, outputs)
        if run.ended and not synced:
            break


def _all_processes_ended(ended: bool, device: torch.device) -> bool:
    import torch.distributed as distributed

    still_running = torch.tensor(0.0 if ended else 1.0, device=device)
    distributed.all_reduce(still_running, op=distributed.ReduceOp.SUM)
    return still_running.item() == 0.0
