"""Llama: a decoder with rotary positions, RMS normalisation and a gated feed-forward (Touvron et al. 2023)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...heads import CausalLM, LastTokenScore
from ...layers import Call, FeedForward, RMSNorm, Rotary, attend, model_forward, run_layers, split_heads
from ...layers.flash import get_unpad_data as _get_unpad_data  # noqa: F401
from ...layers.legacy import (  # noqa: F401
    DynamicNTKScalingRotaryEmbedding,
    LinearScalingRotaryEmbedding,
    RotaryEmbedding,
    apply_rotary_pos_emb,
    repeat_kv,
    rotate_half,
)
from ...modeling_utils import PreTrainedModel
from .configuration_llama import LlamaConfig


class LlamaRMSNorm(RMSNorm): ...


class LlamaAttention(nn.Module):
    def __init__(self, config: Any, layer_idx: int = 0) -> None:
        super().__init__()
        hidden, bias = config.hidden_size, getattr(config, "attention_bias", False)
        self.layer_idx, self.attention_dropout = layer_idx, config.attention_dropout
        self.window = getattr(config, "sliding_window", None)
        self.num_heads, self.num_key_value_heads = config.num_attention_heads, config.num_key_value_heads
        self.head_dim = hidden // self.num_heads
        self.q_proj = nn.Linear(hidden, self.num_heads * self.head_dim, bias=bias)
        self.k_proj = nn.Linear(hidden, self.num_key_value_heads * self.head_dim, bias=bias)
        self.v_proj = nn.Linear(hidden, self.num_key_value_heads * self.head_dim, bias=bias)
        self.o_proj = nn.Linear(self.num_heads * self.head_dim, hidden, bias=bias)
        self.rotary_emb = Rotary(
            self.head_dim, config.rope_theta, config.max_position_embeddings, getattr(config, "rope_scaling", None)
        )

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q = split_heads(self.q_proj(x), self.num_heads)
        k = split_heads(self.k_proj(x), self.num_key_value_heads)
        v = split_heads(self.v_proj(x), self.num_key_value_heads)
        q, k = self.rotary_emb(q, k, call)
        p = self.attention_dropout if self.training else 0.0
        y = attend(q, k, v, call, self.layer_idx, dropout=p, window=self.window, rotary=self.rotary_emb)
        return self.o_proj(y)


LlamaSdpaAttention = LlamaFlashAttention2 = LlamaAttention  # `attend` picks the kernel
LLAMA_ATTENTION_CLASSES = dict.fromkeys(("eager", "flash_attention_2", "sdpa"), LlamaAttention)


class LlamaRotaryEmbedding(RotaryEmbedding): ...


class LlamaLinearScalingRotaryEmbedding(LinearScalingRotaryEmbedding): ...


class LlamaDynamicNTKScalingRotaryEmbedding(DynamicNTKScalingRotaryEmbedding): ...


class LlamaMLP(FeedForward, gate="gate_proj", up="up_proj", down="down_proj", act_name="act_fn", bias=False): ...


class LlamaDecoderLayer(nn.Module):
    attention_class: type = LlamaAttention
    mlp_class: type = LlamaMLP
    norm_class: type = LlamaRMSNorm

    def __init__(self, config: Any, layer_idx: int = 0) -> None:
        super().__init__()
        self.self_attn = self.attention_class(config, layer_idx)
        self.mlp = self.mlp_class(config)
        self.input_layernorm = self.norm_class(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = self.norm_class(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), call)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaPreTrainedModel(PreTrainedModel):
    config_class: type = LlamaConfig
    base_model_prefix, input_embeddings = "model", "embed_tokens"
    ignored_checkpoint_keys = (r"rotary_emb\.inv_freq$",)
    _no_split_modules = ["LlamaDecoderLayer"]


class LlamaModel(LlamaPreTrainedModel):
    layer_class: Any = LlamaDecoderLayer

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.padding_idx, self.vocab_size = config.pad_token_id, config.vocab_size
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, self.padding_idx)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(config.num_hidden_layers))
        self.norm = self.layer_class.norm_class(config.hidden_size, config.rms_norm_eps)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, inputs_embeds=None,
                *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.embed_tokens, input_ids, inputs_embeds, attention_mask, position_ids)
        return call.finish(self.norm(run_layers(self.layers, x, call)))


class LlamaForCausalLM(CausalLM, LlamaPreTrainedModel, body=LlamaModel, head="lm_head", upcast=True): ...


class LlamaForSequenceClassification(LastTokenScore, LlamaPreTrainedModel, body=LlamaModel): ...
