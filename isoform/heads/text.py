"""Classification and extraction heads over text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..layers.dropout import Dropout
from ..modeling_outputs import (
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    SequenceClassifierOutputWithPast,
    TokenClassifierOutput,
)
from ..utils import logging
from .base import Head, recorded
from .losses import sequence_loss, span_loss, token_loss

logger = logging.get_logger(__name__)


class LastTokenScore(Head):
    """Sequence classification by the last token that is not padding, as decoders do it.

    Args of the class statement:
        head: attribute name of the projection to the labels.
        bias: whether it has one.
        width: config field of its input width.
        output: the output class.
        needs_pad: batches need a padding token; without it the last position of every row counts.
    """

    described = {
        "labels": "(batch,): the class of each text; numbers if `num_labels` is 1; (batch, labels) for several."
    }

    head_name, head_bias, head_width, needs_pad = "score", False, "hidden_size", True
    output_class: type = SequenceClassifierOutputWithPast

    def __init_subclass__(
        cls,
        head: str | None = None,
        bias: bool | None = None,
        width: str | None = None,
        output: type | None = None,
        needs_pad: bool | None = None,
        **options: Any,
    ) -> None:
        cls._set_options(head_name=head, head_bias=bias, head_width=width, output_class=output, needs_pad=needs_pad)
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        setattr(
            self, self.head_name, nn.Linear(getattr(config, self.head_width), config.num_labels, bias=self.head_bias)
        )

    def _last_token(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        """Index of the last real token of each row, `(batch,)`."""
        tokens = input_ids if input_ids is not None else inputs_embeds
        batch, length = tokens.shape[:2]  # type: ignore[union-attr]
        pad = self.config.pad_token_id  # type: ignore[attr-defined]
        if pad is None and self.needs_pad and batch != 1:
            raise ValueError("A batch of several texts needs a padding token: set model.config.pad_token_id")
        if input_ids is None and pad is not None:
            logger.warning_once(
                f"{type(self).__name__} cannot tell padding in `inputs_embeds`: it scores the last position."
            )
        if pad is None or input_ids is None:
            return torch.full((batch,), length - 1, device=tokens.device)  # type: ignore[union-attr]
        # The position before the first padding token; -1, no padding at all, wraps to the last position.
        return ((input_ids == pad).int().argmax(-1) - 1) % length

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        scores = getattr(self, self.head_name)(outputs.last_hidden_state)
        last = self._last_token(inputs.get("input_ids"), inputs.get("inputs_embeds")).to(scores.device)
        logits = scores.gather(1, last[:, None, None].expand(-1, 1, scores.shape[-1])).squeeze(1)
        loss = None if labels is None else sequence_loss(logits, labels, self.config)  # type: ignore[attr-defined]
        return self.output_class(loss=loss, logits=logits, **recorded(outputs, self.output_class))


def _dropout(config: Any, rates: tuple[str, ...]) -> Dropout:
    """Dropout at the rate of the first of these config fields that is set; 0.1 without any."""
    found = (getattr(config, name, None) for name in rates)
    return Dropout(next((rate for rate in found if rate is not None), 0.1))


class PooledScore(Head):
    """Classification of a text by its pooled state.

    Args of the class statement:
        rates: config fields that may hold the rate of the dropout before the projection; the first that is set counts.
    """

    described = {
        "labels": "(batch,): the class of each text; numbers if `num_labels` is 1; (batch, labels) for several."
    }

    rates: tuple[str, ...] = ("classifier_dropout", "hidden_dropout_prob")

    def __init_subclass__(cls, rates: tuple[str, ...] | None = None, **options: Any) -> None:
        cls._set_options(rates=rates)
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.dropout = _dropout(config, self.rates)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def pooled(self, outputs: Any) -> Tensor:
        """The state `(batch, hidden)` to classify by."""
        return outputs.pooler_output

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        logits = self.classifier(self.dropout(self.pooled(outputs)))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)  # type: ignore[attr-defined]
        return SequenceClassifierOutput(loss=loss, logits=logits, **recorded(outputs, SequenceClassifierOutput))


class ModuleScore(Head):
    """Classification of a text by a module, `classifier`, that is given the states of all tokens.

    Args of the class statement:
        module: the module's class, built from the config.
    """

    described = {
        "labels": "(batch,): the class of each text; numbers if `num_labels` is 1; (batch, labels) for several."
    }

    head_module: Callable[[Any], nn.Module]

    def __init_subclass__(cls, module: Callable[[Any], nn.Module] | None = None, **options: Any) -> None:
        cls._set_options(head_module=module)
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.classifier = type(self).head_module(config)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        outputs = self.run_body(inputs)
        logits = self.classifier(outputs.last_hidden_state)
        loss = None if labels is None else sequence_loss(logits, labels, self.config)  # type: ignore[attr-defined]
        return SequenceClassifierOutput(loss=loss, logits=logits, **recorded(outputs, SequenceClassifierOutput))


class MultipleChoice(PooledScore):
    """A choice among several texts, each scored by its pooled state. Inputs are `(batch, choices, sequence)`."""

    described = {"labels": "(batch,): the right choice."}

    def build_head(self, config: Any) -> None:
        self.dropout = _dropout(config, self.rates)
        self.classifier = nn.Linear(config.hidden_size, 1)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        main = inputs.get("input_ids")
        main = inputs.get("inputs_embeds") if main is None else main
        if main is None:
            raise ValueError("Nothing to compute on: pass input_ids or inputs_embeds")
        choices, kept = main.shape[1], ("head_mask",)
        flat = {
            name: value.flatten(0, 1) if isinstance(value, Tensor) and name not in kept and value.dim() > 2 else value
            for name, value in inputs.items()
        }
        outputs = self.run_body(flat)
        logits = self.classifier(self.dropout(self.pooled(outputs))).view(-1, choices)
        loss = None if labels is None else token_loss(logits, labels)
        return MultipleChoiceModelOutput(loss=loss, logits=logits, **recorded(outputs, MultipleChoiceModelOutput))


class TokenScore(Head):
    """Classification of each token.

    Args of the class statement:
        head: attribute name of the projection to the labels.
        dropout: attribute name of the dropout before it; None for none.
        rates: config fields that may hold the dropout's rate; the first that is set counts, 0.1 without any.
        width: config field of the projection's input width.
    """

    described = {"labels": "(batch, sequence): the class of each token; -100 does not count."}

    head_name, dropout_name, head_width = "classifier", "dropout", "hidden_size"
    rates: tuple[str, ...] = ("classifier_dropout", "hidden_dropout")

    def __init_subclass__(
        cls,
        head: str | None = None,
        dropout: str | None = None,
        rates: tuple[str, ...] | None = None,
        width: str | None = None,
        **options: Any,
    ) -> None:
        cls._set_options(head_name=head, dropout_name=dropout, rates=rates, head_width=width)
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        setattr(self, self.dropout_name, _dropout(config, self.rates))
        setattr(self, self.head_name, nn.Linear(getattr(config, self.head_width), config.num_labels))

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> TokenClassifierOutput:
        outputs = self.run_body(inputs)
        logits = getattr(self, self.head_name)(getattr(self, self.dropout_name)(outputs.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        return TokenClassifierOutput(loss=loss, logits=logits, **recorded(outputs, TokenClassifierOutput))


class ExtractiveQA(Head):
    """Start and end of an answer within the text.

    Args of the class statement:
        width: config field of the projection's input width.
        rate: config field of the rate of a dropout (attribute `dropout`) before it; None for none.
    """

    head_width = "hidden_size"
    rate: str | None = None
    label_names = ("start_positions", "end_positions")

    def __init_subclass__(cls, width: str | None = None, rate: str | None = None, **options: Any) -> None:
        cls._set_options(head_width=width, rate=rate)
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.qa_outputs = nn.Linear(getattr(config, self.head_width), 2)
        if self.rate:
            self.dropout = Dropout(getattr(config, self.rate))

    def _head_forward(
        self, inputs: dict[str, Any], start_positions: Tensor | None, end_positions: Tensor | None
    ) -> QuestionAnsweringModelOutput:
        outputs = self.run_body(inputs)
        states = self.dropout(outputs.last_hidden_state) if self.rate else outputs.last_hidden_state
        start, end = self.qa_outputs(states).unbind(-1)
        given = start_positions is not None and end_positions is not None
        return QuestionAnsweringModelOutput(
            loss=span_loss(start, end, start_positions, end_positions) if given else None,  # type: ignore[arg-type]
            start_logits=start.contiguous(),
            end_logits=end.contiguous(),
            **recorded(outputs, QuestionAnsweringModelOutput),
        )
