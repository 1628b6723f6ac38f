"""Mistral: Llama with fewer key/value heads and a sliding window (Jiang et al. 2023)."""

from __future__ import annotations

from ...heads import CausalLM, LastTokenScore
from ..llama.modeling_llama import (
    LlamaAttention,
    LlamaDecoderLayer,
    LlamaMLP,
    LlamaModel,
    LlamaPreTrainedModel,
    LlamaRMSNorm,
)
from .configuration_mistral import MistralConfig


class MistralRMSNorm(LlamaRMSNorm): ...


class MistralAttention(LlamaAttention): ...


class MistralMLP(LlamaMLP): ...


class MistralDecoderLayer(LlamaDecoderLayer): ...


class MistralPreTrainedModel(LlamaPreTrainedModel):
    config_class = MistralConfig
    _no_split_modules = ["MistralDecoderLayer"]


class MistralModel(MistralPreTrainedModel, LlamaModel):
    layer_class = MistralDecoderLayer


class MistralForCausalLM(CausalLM, MistralPreTrainedModel, body=MistralModel, head="lm_head", upcast=True): ...


class MistralForSequenceClassification(LastTokenScore, MistralPreTrainedModel, body=MistralModel): ...
