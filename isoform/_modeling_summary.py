"""Heads of models from before the age of the last token: sequence summaries, and XLNet's span extraction by beams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .activations import get_activation
from .utils.outputs import ModelOutput


def _state_at(hidden_states: Tensor, positions: Tensor) -> Tensor:
    """(batch, sequence, hidden) at (batch,) positions, as (batch, hidden)."""
    return hidden_states.gather(1, positions[:, None, None].expand(-1, 1, hidden_states.shape[-1]))[:, 0]


def _masked(logits: Tensor, p_mask: Tensor | None) -> Tensor:
    """Scores with a very low value where `p_mask` is 1."""
    if p_mask is None:
        return logits
    lowest = 65500 if logits.dtype == torch.float16 else 1e30
    return logits * (1 - p_mask) - lowest * p_mask


def _start_states(hidden_states: Tensor, states: Tensor | None, positions: Tensor | None) -> Tensor:
    if states is None and positions is None:
        raise ValueError("One of `start_states` and `start_positions` is needed.")
    return _state_at(hidden_states, positions) if positions is not None else states  # type: ignore[return-value]


class PoolerStartLogits(nn.Module):
    """Scores each position as the start of a span."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, 1)

    def forward(self, hidden_states: Tensor, p_mask: Tensor | None = None) -> Tensor:
        """(batch, sequence, hidden) -> (batch, sequence); `p_mask` is 1 where a span cannot start."""
        return _masked(self.dense(hidden_states).squeeze(-1), p_mask)


class PoolerEndLogits(nn.Module):
    """Scores each position as the end of a span, given its start."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(config.hidden_size * 2, config.hidden_size)
        self.activation = nn.Tanh()
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dense_1 = nn.Linear(config.hidden_size, 1)

    def forward(
        self,
        hidden_states: Tensor,
        start_states: Tensor | None = None,
        start_positions: Tensor | None = None,
        p_mask: Tensor | None = None,
    ) -> Tensor:
        """(batch, sequence, hidden) -> (batch, sequence).

        Args:
            hidden_states: (batch, sequence, hidden), or (batch, sequence, starts, hidden) with states of that shape.
            start_states: Hidden states at the start of the span, of the shape of `hidden_states`.
            start_positions: (batch,), used instead of the states where given.
            p_mask: 1 where a span cannot end.
        """
        states = _start_states(hidden_states, start_states, start_positions)
        if start_positions is not None:
            states = states[:, None].expand_as(hidden_states)
        x = self.LayerNorm(self.activation(self.dense_0(torch.cat([hidden_states, states], dim=-1))))
        return _masked(self.dense_1(x).squeeze(-1), p_mask)


class PoolerAnswerClass(nn.Module):
    """Scores whether a question has an answer, from the start of the span and the classification token."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(config.hidden_size * 2, config.hidden_size)
        self.activation = nn.Tanh()
        self.dense_1 = nn.Linear(config.hidden_size, 1, bias=False)

    def forward(
        self,
        hidden_states: Tensor,
        start_states: Tensor | None = None,
        start_positions: Tensor | None = None,
        cls_index: Tensor | None = None,
    ) -> Tensor:
        """(batch, sequence, hidden) -> (batch,).

        Args:
            hidden_states: Of the last layer.
            start_states: (batch, hidden) of the start of the span.
            start_positions: (batch,), used instead of the states where given.
            cls_index: (batch,) positions of the classification token; the last position by default.
        """
        states = _start_states(hidden_states, start_states, start_positions)
        cls_state = hidden_states[:, -1] if cls_index is None else _state_at(hidden_states, cls_index)
        return self.dense_1(self.activation(self.dense_0(torch.cat([states, cls_state], dim=-1)))).squeeze(-1)


@dataclass
class SquadHeadOutput(ModelOutput):
    """What `SQuADHead` returns.

    Attributes:
        loss: Of starts, ends and answerability, where start and end positions were given.
        start_top_log_probs: (batch, start_n_top) probabilities of the best starts.
        start_top_index: (batch, start_n_top) their positions.
        end_top_log_probs: (batch, start_n_top * end_n_top) probabilities of the best ends.
        end_top_index: (batch, start_n_top * end_n_top) their positions.
        cls_logits: (batch,) scores that there is an answer.
    """

    loss: Tensor | None = None
    start_top_log_probs: Tensor | None = None
    start_top_index: Tensor | None = None
    end_top_log_probs: Tensor | None = None
    end_top_index: Tensor | None = None
    cls_logits: Tensor | None = None


class SQuADHead(nn.Module):
    """Span extraction by beam search over starts and ends (Yang et al., 2019: XLNet)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.start_n_top, self.end_n_top = config.start_n_top, config.end_n_top
        self.start_logits = PoolerStartLogits(config)
        self.end_logits = PoolerEndLogits(config)
        self.answer_class = PoolerAnswerClass(config)

    def forward(
        self,
        hidden_states: Tensor,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        cls_index: Tensor | None = None,
        is_impossible: Tensor | None = None,
        p_mask: Tensor | None = None,
        return_dict: bool = False,
    ) -> SquadHeadOutput | tuple[Tensor, ...]:
        """The loss where start and end positions are given, else the best spans.

        Args:
            hidden_states: (batch, sequence, hidden).
            start_positions, end_positions: (batch,) labels.
            cls_index: (batch,) positions of the classification token; the last by default.
            is_impossible: (batch,) 1 where there is no answer.
            p_mask: (batch, sequence), 1 where an answer cannot be.
            return_dict: Return a `SquadHeadOutput`.
        """
        start_logits = self.start_logits(hidden_states, p_mask=p_mask)
        if start_positions is not None and end_positions is not None:
            given = {
                "starts": start_positions,
                "ends": end_positions,
                "cls_index": cls_index,
                "impossible": is_impossible,
            }
            flat: dict[str, Any] = {k: x if x is None or x.dim() == 1 else x.squeeze(-1) for k, x in given.items()}
            output = SquadHeadOutput(loss=self._loss(hidden_states, start_logits, p_mask=p_mask, **flat))
        else:
            output = self._best_spans(hidden_states, start_logits, cls_index, p_mask)
        return output if return_dict else output.to_tuple()

    def _loss(
        self,
        hidden_states: Tensor,
        start_logits: Tensor,
        starts: Tensor,
        ends: Tensor,
        cls_index: Tensor | None,
        impossible: Tensor | None,
        p_mask: Tensor | None,
    ) -> Tensor:
        end_logits = self.end_logits(hidden_states, start_positions=starts, p_mask=p_mask)
        cross_entropy = nn.functional.cross_entropy
        loss = (cross_entropy(start_logits, starts) + cross_entropy(end_logits, ends)) / 2
        if cls_index is None or impossible is None:
            return loss
        scores = self.answer_class(hidden_states, start_positions=starts, cls_index=cls_index)
        # Half the weight, which puts it on the scale of the span's loss.
        return loss + 0.5 * nn.functional.binary_cross_entropy_with_logits(scores, impossible.to(scores.dtype))

    def _best_spans(
        self, hidden_states: Tensor, start_logits: Tensor, cls_index: Tensor | None, p_mask: Tensor | None
    ) -> SquadHeadOutput:
        batch, length, width = hidden_states.shape
        starts = start_logits.softmax(dim=-1)
        start_top, start_index = starts.topk(self.start_n_top, dim=-1)
        states = hidden_states.gather(1, start_index[..., None].expand(-1, -1, width))
        shape = (batch, length, self.start_n_top, width)
        ends = self.end_logits(
            hidden_states[:, :, None].expand(shape),
            start_states=states[:, None].expand(shape),
            p_mask=None if p_mask is None else p_mask[..., None],
        ).softmax(dim=1)
        end_top, end_index = ends.topk(self.end_n_top, dim=1)
        expected_start = torch.einsum("blh,bl->bh", hidden_states, starts)
        return SquadHeadOutput(
            start_top_log_probs=start_top,
            start_top_index=start_index,
            end_top_log_probs=end_top.reshape(batch, -1),
            end_top_index=end_index.reshape(batch, -1),
            cls_logits=self.answer_class(hidden_states, start_states=expected_start, cls_index=cls_index),
        )


class SequenceSummary(nn.Module):
    """One vector for a sequence.

    The config says how: `summary_type` ("last", "first", "mean" or "cls_index"), `summary_use_proj` (a projection, to
    `num_labels` if `summary_proj_to_labels`), `summary_activation`, `summary_first_dropout`, `summary_last_dropout`.

    Raises:
        NotImplementedError: `summary_type="attn"`.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.summary_type = getattr(config, "summary_type", "last")
        if self.summary_type == "attn":
            raise NotImplementedError(
                "summary_type='attn' is not available: use 'last', 'first', 'mean' or 'cls_index'."
            )
        self.summary: nn.Module = nn.Identity()
        if getattr(config, "summary_use_proj", False):
            to_labels = getattr(config, "summary_proj_to_labels", False) and config.num_labels > 0
            self.summary = nn.Linear(config.hidden_size, config.num_labels if to_labels else config.hidden_size)
        activation = getattr(config, "summary_activation", None)
        self.activation = get_activation(activation) if activation else nn.Identity()
        self.first_dropout = _dropout(getattr(config, "summary_first_dropout", 0))
        self.last_dropout = _dropout(getattr(config, "summary_last_dropout", 0))

    def forward(self, hidden_states: Tensor, cls_index: Tensor | None = None) -> Tensor:
        """(batch, ..., sequence, hidden) -> (batch, ..., hidden or labels).

        Args:
            hidden_states: Of the last layer.
            cls_index: (batch, ...) positions of the classification token for "cls_index"; the last by default.
        """
        return self.last_dropout(
            self.activation(self.summary(self.first_dropout(self._pooled(hidden_states, cls_index))))
        )

    def _pooled(self, hidden_states: Tensor, cls_index: Tensor | None) -> Tensor:
        if self.summary_type == "first":
            return hidden_states[:, 0]
        if self.summary_type == "mean":
            return hidden_states.mean(dim=1)
        if self.summary_type == "last":
            return hidden_states[:, -1]
        if cls_index is None:
            return hidden_states[..., -1, :]
        index = cls_index[..., None, None].expand(*cls_index.shape, 1, hidden_states.shape[-1])
        return hidden_states.gather(-2, index).squeeze(-2)


def _dropout(p: float) -> nn.Module:
    return nn.Dropout(p) if p > 0 else nn.Identity()
