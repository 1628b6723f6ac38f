"""Encoder and decoder together: what their body and the heads on it share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..layers.dropout import Dropout
from ..modeling_outputs import (
    BaseModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from ..utils import logging
from ..utils.generic import ModelOutput
from .base import Head, recorded
from .lm import CausalLM, _cached_length
from .losses import sequence_loss, span_loss, token_loss

logger = logging.get_logger(__name__)

TIED = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]  # with `shared.weight`


def shift_tokens_right(input_ids: Tensor, pad_token_id: int | None, decoder_start_token_id: int | None) -> Tensor:
    """What a decoder reads to predict `input_ids` `(batch, length)`: the start token, then all but the last.

    Label -100 becomes padding.

    Raises:
        ValueError: there is no start token, or no padding token.
    """
    if decoder_start_token_id is None:
        raise ValueError("The decoder has nothing to start from: set model.config.decoder_start_token_id")
    if pad_token_id is None:
        raise ValueError("Labels of -100 are read as padding: set model.config.pad_token_id")
    start = input_ids.new_full((*input_ids.shape[:-1], 1), decoder_start_token_id)
    shifted = torch.cat((start, input_ids[..., :-1]), -1)
    return shifted.masked_fill(shifted == -100, pad_token_id)


class EncoderDecoder:
    """The body of a model with `encoder` and `decoder` modules.

    Class attributes:
        repeats_input: without decoder input, the decoder reads the encoder's input, shifted (BART).
    """

    repeats_input = False
    _tied_weights_keys = TIED
    config: Any
    encoder: nn.Module
    decoder: nn.Module

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding that encoder and decoder share."""
        self.shared = self.encoder.embed_tokens = self.decoder.embed_tokens = value

    def _shift_right(self, input_ids: Tensor) -> Tensor:
        return shift_tokens_right(input_ids, self.config.pad_token_id, self.config.decoder_start_token_id)

    def _decoder_head_mask(self, head_mask: Tensor | None, decoder_head_mask: Tensor | None) -> Tensor | None:
        """The mask of the decoder's heads, where `head_mask` is the encoder's."""
        return decoder_head_mask

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if not self.repeats_input or input_ids is None:
                raise ValueError(
                    "The decoder has no input: pass decoder_input_ids or decoder_inputs_embeds (or labels)"
                )
            decoder_input_ids = self._shift_right(input_ids)
        flags = {
            "output_attentions": config.output_attentions if output_attentions is None else output_attentions,
            "output_hidden_states": config.output_hidden_states
            if output_hidden_states is None
            else output_hidden_states,
            "return_dict": True,
        }
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids=input_ids,
                attention_mask=attention_mask,
                inputs_embeds=inputs_embeds,
                head_mask=head_mask,
                **flags,
            )
        elif not isinstance(encoder_outputs, ModelOutput):
            encoder_outputs = BaseModelOutput(*encoder_outputs[:3])
        decoded = self.decoder(
            input_ids=decoder_input_ids,
            attention_mask=decoder_attention_mask,
            inputs_embeds=decoder_inputs_embeds,
            past_key_values=past_key_values,
            encoder_hidden_states=encoder_outputs[0],
            encoder_attention_mask=attention_mask,
            head_mask=self._decoder_head_mask(head_mask, decoder_head_mask),
            cross_attn_head_mask=cross_attn_head_mask,
            use_cache=config.use_cache if use_cache is None else use_cache,
            **flags,
        )
        output = Seq2SeqModelOutput(
            last_hidden_state=decoded.last_hidden_state,
            past_key_values=decoded.past_key_values,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoder_outputs[0],
            encoder_hidden_states=encoder_outputs.get("hidden_states"),
            encoder_attentions=encoder_outputs.get("attentions"),
        )
        return output if (config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()


class _OnEncoderDecoder(Head):
    """A head on a body with encoder and decoder."""

    _tied_weights_keys = TIED

    def get_encoder(self) -> nn.Module:
        return self.base_model.encoder  # type: ignore[attr-defined]

    def get_decoder(self) -> nn.Module:
        return self.base_model.decoder  # type: ignore[attr-defined]

    def _shift_right(self, input_ids: Tensor) -> Tensor:
        config = self.config  # type: ignore[attr-defined]
        return shift_tokens_right(input_ids, config.pad_token_id, config.decoder_start_token_id)

    def _start_decoder(self, inputs: dict[str, Any], following: Tensor | None) -> None:
        """Without input of its own, the decoder reads what it is to say, shifted."""
        given = any(inputs.get(name) is not None for name in ("decoder_input_ids", "decoder_inputs_embeds"))
        if following is not None and not given:
            inputs["decoder_input_ids"] = self._shift_right(following)


class Seq2SeqLM(_OnEncoderDecoder):
    """Prediction of the decoder's next token.

    Args of the class statement:
        body: a body with encoder and decoder.
        final_bias: a bias of the logits, buffer `final_logits_bias`.
        cache_with_labels: whether keys and values are returned where labels are given.
    """

    described = {
        "labels": "(batch, target sequence): the ids to write; the decoder reads them shifted; -100 does not count."
    }

    label_names = ("labels",)
    final_bias = False
    cache_with_labels = False
    places_tokens = False  # positions are the decoder's own business
    _tied_weights_keys = [*TIED, "lm_head.weight"]
    _keys_to_ignore_on_load_missing: list[str] | None
    head_name = output_embeddings = "lm_head"
    main_input_name = "input_ids"

    def __init_subclass__(
        cls, final_bias: bool | None = None, cache_with_labels: bool | None = None, **options: Any
    ) -> None:
        if final_bias is not None:
            cls.final_bias = final_bias
            cls._keys_to_ignore_on_load_missing = ["final_logits_bias"]  # it is zero, and bodies have none
        if cache_with_labels is not None:
            cls.cache_with_labels = cache_with_labels
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if self.final_bias:
            self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))  # type: ignore[attr-defined]

    def _logits(self, hidden: Tensor) -> Tensor:
        return self._head(self._before_head(hidden))

    def _before_head(self, hidden: Tensor) -> Tensor:
        """What an architecture does to the decoder's states before the projection."""
        return hidden

    def _head(self, hidden: Tensor) -> Tensor:
        logits = self.lm_head(hidden)
        return logits + self.final_logits_bias.to(logits.device) if self.final_bias else logits

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        if labels is not None and not self.cache_with_labels:
            if inputs.get("use_cache"):
                logger.warning("`use_cache` is False where `labels` are given: nothing is decoded from there.")
            inputs["use_cache"] = False
        self._start_decoder(inputs, labels)
        outputs = self.run_body(inputs)
        logits = self._logits(outputs.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return Seq2SeqLMOutput(loss=loss, logits=logits, **recorded(outputs, Seq2SeqLMOutput))

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """What the decoder reads to predict `labels` `(batch, length)`."""
        return self._shift_right(labels)

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        use_cache: bool | None = None,
        encoder_outputs: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The forward's inputs for one decoding step: only the decoder's tokens that the cache has not seen."""
        seen = _cached_length(past_key_values)
        if seen:
            new = input_ids.shape[1] - seen if input_ids.shape[1] > seen else 1
            input_ids = input_ids[:, -new:]
        return {
            "decoder_input_ids": input_ids,
            "past_key_values": past_key_values,
            "encoder_outputs": encoder_outputs,
            "attention_mask": attention_mask,
            "head_mask": head_mask,
            "decoder_head_mask": decoder_head_mask,
            "decoder_attention_mask": decoder_attention_mask,
            "cross_attn_head_mask": cross_attn_head_mask,
            "use_cache": use_cache,
        }

    _reorder_cache = staticmethod(CausalLM._reorder_cache)

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None
    ) -> nn.Embedding:
        """As documented for all models; the bias of the logits grows or shrinks with the vocabulary."""
        embedding = super().resize_token_embeddings(new_num_tokens, pad_to_multiple_of)  # type: ignore[misc]
        if self.final_bias:
            old: Tensor = self.final_logits_bias  # type: ignore[has-type]
            rows = embedding.weight.shape[0]
            self.final_logits_bias = nn.functional.pad(old[:, :rows], (0, max(rows - old.shape[1], 0)))
        return embedding


class ClassificationHead(nn.Module):
    """Two projections with a tanh between them, each after a dropout."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.dropout = Dropout(dropout)
        self.out_proj = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(self.dropout(self.dense(self.dropout(x)).tanh()))


class EndTokenScore(_OnEncoderDecoder):
    """Sequence classification by the decoder's state at the last end-of-sequence token.

    Args of the class statement:
        head_class: the projection to the labels, called with width, classes and dropout.
    """

    described = {
        "labels": "(batch,): the class of each text; numbers if `num_labels` is 1; (batch, labels) for several."
    }

    head_class: type[nn.Module] = ClassificationHead

    def __init_subclass__(cls, head_class: type[nn.Module] | None = None, **options: Any) -> None:
        if head_class is not None:
            cls.head_class = head_class
        super().__init_subclass__(**options)

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.classification_head = self.head_class(config.d_model, config.num_labels, config.classifier_dropout)

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> Any:
        ids, config = inputs.get("input_ids"), self.config  # type: ignore[attr-defined]
        if ids is None:
            if inputs.get("inputs_embeds") is not None:
                raise NotImplementedError(f"{type(self).__name__} looks for the end of the text: pass input_ids")
            raise ValueError("Nothing to compute on: pass input_ids")
        if labels is not None:
            inputs["use_cache"] = False
        self._start_decoder(inputs, ids)
        outputs = self.run_body(inputs)
        states = outputs.last_hidden_state
        at = last_end_token(ids, config.eos_token_id).to(states.device)
        chosen = states.gather(1, at[:, None, None].expand(-1, 1, states.shape[-1])).squeeze(1)
        logits = self.classification_head(chosen)
        loss = None if labels is None else sequence_loss(logits, labels, config)
        return Seq2SeqSequenceClassifierOutput(
            loss=loss, logits=logits, **recorded(outputs, Seq2SeqSequenceClassifierOutput)
        )


def last_end_token(input_ids: Tensor, eos_token_id: int) -> Tensor:
    """Index of the last end-of-sequence token of each row, `(batch,)`.

    Raises:
        ValueError: a row has none, or rows have different numbers of them.
    """
    ends = input_ids == eos_token_id
    if not torch.compiler.is_compiling():
        counts = ends.sum(1).tolist()
        if len(set(counts)) > 1:
            raise ValueError(
                f"All examples must have the same number of <eos> tokens (id {eos_token_id}); found {counts}"
            )
        if counts and not counts[0]:
            raise ValueError(f"The text is classified at its <eos> token (id {eos_token_id}), but input_ids has none")
    positions = torch.arange(input_ids.shape[1], device=input_ids.device)
    return torch.where(ends, positions, 0).amax(1)


class Seq2SeqQA(_OnEncoderDecoder):
    """Start and end of an answer within the decoder's text, which is the input, shifted, unless it is given."""

    label_names = ("start_positions", "end_positions")

    def build_head(self, config: Any) -> None:
        self.num_labels = config.num_labels
        self.qa_outputs = nn.Linear(config.d_model, config.num_labels)

    def _head_forward(
        self, inputs: dict[str, Any], start_positions: Tensor | None, end_positions: Tensor | None
    ) -> Seq2SeqQuestionAnsweringModelOutput:
        given = start_positions is not None and end_positions is not None
        if given:
            inputs["use_cache"] = False
        self._start_decoder(inputs, inputs.get("input_ids"))
        outputs = self.run_body(inputs)
        start, end = (x.squeeze(-1).contiguous() for x in self.qa_outputs(outputs.last_hidden_state).split(1, -1))
        return Seq2SeqQuestionAnsweringModelOutput(
            loss=span_loss(start, end, start_positions, end_positions) if given else None,  # type: ignore[arg-type]
            start_logits=start,
            end_logits=end,
            **recorded(outputs, Seq2SeqQuestionAnsweringModelOutput),
        )
