"""Mistral: Llama with fewer key/value heads and a sliding window (Jiang et al. 2023)."""

from __future__ import annotations

from ...heads import CausalLM, LastTokenScore
from ...layers.legacy import RotaryEmbedding
from ..llama.modeling_llama import (  # noqa: F401
    LlamaAttention,
    LlamaDecoderLayer,
    LlamaMLP,
    LlamaModel,
    LlamaPreTrainedModel,
    LlamaRMSNorm,
    _get_unpad_data,
    apply_rotary_pos_emb,
    repeat_kv,
    rotate_half,
)
from .configuration_mistral import MistralConfig


class MistralRMSNorm(LlamaRMSNorm): ...


class MistralAttention(LlamaAttention): ...


class MistralRotaryEmbedding(RotaryEmbedding): ...


MistralFlashAttention2 = MistralAttention  # `attend` picks the kernel
MISTRAL_ATTENTION_CLASSES = {"eager": MistralAttention, "flash_attention_2": MistralAttention}


class MistralMLP(LlamaMLP): ...


class MistralDecoderLayer(LlamaDecoderLayer):
    attention_class, mlp_class, norm_class = MistralAttention, MistralMLP, MistralRMSNorm


class MistralPreTrainedModel(LlamaPreTrainedModel):
    config_class = MistralConfig
    _no_split_modules = ["MistralDecoderLayer"]


class MistralModel(MistralPreTrainedModel, LlamaModel):
    layer_class = MistralDecoderLayer


class MistralForCausalLM(CausalLM, MistralPreTrainedModel, body=MistralModel, head="lm_head", upcast=True): ...


class MistralForSequenceClassification(LastTokenScore, MistralPreTrainedModel, body=MistralModel): ...
