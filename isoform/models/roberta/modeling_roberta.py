"""RoBERTa: BERT with positions that skip padding and other heads (Liu et al. 2019)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...heads import ExtractiveQA, MaskedLM, ModuleScore, MultipleChoice, TokenScore
from ...heads.lm import SharedBias
from ...layers import Dropout
from ..bert.modeling_bert import (
    CROSS,
    DECODER,
    NO_POOLER,
    RATES,
    TEXT,
    BertAttention,
    BertEmbeddings,
    BertEncoder,
    BertIntermediate,
    BertLayer,
    BertModel,
    BertOutput,
    BertPooler,
    BertPreTrainedModel,
    BertSelfAttention,
    BertSelfOutput,
    DecoderLM,
)
from .configuration_roberta import RobertaConfig


def create_position_ids_from_input_ids(input_ids: Tensor, padding_idx: int, past_key_values_length: Any = 0) -> Tensor:
    """Positions `(batch, sequence)` that count real tokens from `padding_idx + 1` on; padding has `padding_idx`."""
    real = input_ids.ne(padding_idx).int()
    return ((real.cumsum(1) + past_key_values_length) * real).long() + padding_idx


class RobertaEmbeddings(BertEmbeddings):
    pads_positions = True

    def positions(self, input_ids: Tensor | None, x: Tensor, past: Any) -> Tensor:
        padding: Any = self.position_embeddings.padding_idx
        if input_ids is None:
            return super().positions(None, x, past) + padding + 1
        return create_position_ids_from_input_ids(input_ids, padding, past)


class RobertaLayer(BertLayer): ...


# The rest of the body is BERT's.
RobertaSelfAttention, RobertaSelfOutput, RobertaAttention = BertSelfAttention, BertSelfOutput, BertAttention
RobertaIntermediate, RobertaOutput = BertIntermediate, BertOutput
RobertaEncoder, RobertaPooler = BertEncoder, BertPooler


class RobertaPreTrainedModel(BertPreTrainedModel):
    config_class, base_model_prefix = RobertaConfig, "roberta"
    _no_split_modules = ["RobertaEmbeddings", "RobertaLayer"]


class RobertaModel(RobertaPreTrainedModel, BertModel):
    parts = (RobertaEmbeddings, RobertaLayer)


class RobertaLMHead(SharedBias):
    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config.hidden_size, config.vocab_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, features: Tensor) -> Tensor:
        return self.decoder(self.layer_norm(F.gelu(self.dense(features))))


class RobertaClassificationHead(nn.Module):
    """Two projections of the first token's state."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        rate = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = Dropout(rate)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, features: Tensor) -> Tensor:
        x = torch.tanh(self.dense(self.dropout(features[:, 0])))
        return self.out_proj(self.dropout(x))


_CHOICE = (
    "input_ids token_type_ids attention_mask labels position_ids head_mask inputs_embeds"
    " output_attentions output_hidden_states return_dict"
)


class RobertaForCausalLM(
    DecoderLM, RobertaPreTrainedModel, body=RobertaModel, head="lm_head", module=RobertaLMHead, signature=DECODER
): ...


class RobertaForMaskedLM(
    MaskedLM, RobertaPreTrainedModel, body=RobertaModel, head="lm_head", module=RobertaLMHead, signature=CROSS,
    body_options=NO_POOLER,
): ...  # fmt: skip


class RobertaForSequenceClassification(
    ModuleScore, RobertaPreTrainedModel, body=RobertaModel, module=RobertaClassificationHead, signature=TEXT,
    body_options=NO_POOLER,
): ...  # fmt: skip


class RobertaForMultipleChoice(
    MultipleChoice, RobertaPreTrainedModel, body=RobertaModel, rates=("hidden_dropout_prob",), signature=_CHOICE
): ...


class RobertaForTokenClassification(
    TokenScore, RobertaPreTrainedModel, body=RobertaModel, rates=RATES, signature=TEXT, body_options=NO_POOLER
): ...


class RobertaForQuestionAnswering(
    ExtractiveQA, RobertaPreTrainedModel, body=RobertaModel, signature=TEXT, body_options=NO_POOLER
): ...
