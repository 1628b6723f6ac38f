"""Phi: a decoder with partial rotary positions; attention and feed-forward share one normalisation."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...heads import CausalLM, LastTokenScore, TokenScore
from ...layers import Call, Dropout, FeedForward, Rotary, attend, model_forward, run_layers, split_interleaved
from ...layers.flash import get_unpad_data as _get_unpad_data  # noqa: F401
from ...layers.legacy import (  # noqa: F401
    DynamicNTKScalingRotaryEmbedding,
    LinearScalingRotaryEmbedding,
    RotaryEmbedding,
    apply_rotary_pos_emb,
    rotate_half,
)
from ...modeling_utils import PreTrainedModel
from .configuration_phi import PhiConfig


class PhiAttention(nn.Module):
    def __init__(self, config: PhiConfig, layer_idx: int) -> None:
        super().__init__()
        width, self.layer_idx, self.num_heads = config.hidden_size, layer_idx, config.num_attention_heads
        head_dim = width // self.num_heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.dense = nn.Linear(width, width)
        self.attention_dropout = Dropout(config.attention_dropout)
        self.q_layernorm = nn.LayerNorm(head_dim, config.layer_norm_eps) if config.qk_layernorm else None
        self.k_layernorm = nn.LayerNorm(head_dim, config.layer_norm_eps) if config.qk_layernorm else None
        self.rotary_emb = Rotary(
            int(config.partial_rotary_factor * head_dim),
            config.rope_theta,
            config.max_position_embeddings,
            config.rope_scaling,
        )

    def forward(self, x: Tensor, call: Call) -> Tensor:
        # As in GPT-NeoX, the checkpoint interleaves q, k, v inside each head.
        q, k, v = split_interleaved(self.query_key_value(x), 3, self.num_heads)
        if self.q_layernorm is not None and self.k_layernorm is not None:
            q, k = self.q_layernorm(q), self.k_layernorm(k)
        q, k = self.rotary_emb(q, k, call)
        p = self.attention_dropout.rate
        return self.dense(attend(q, k, v, call, self.layer_idx, dropout=p, rotary=self.rotary_emb))


PhiFlashAttention2 = PhiAttention  # `attend` picks the kernel
PHI_ATTENTION_CLASSES = {"eager": PhiAttention, "flash_attention_2": PhiAttention}


class PhiRotaryEmbedding(RotaryEmbedding): ...


class PhiLinearScalingRotaryEmbedding(LinearScalingRotaryEmbedding): ...


class PhiDynamicNTKScalingRotaryEmbedding(DynamicNTKScalingRotaryEmbedding): ...


class PhiMLP(FeedForward, up="fc1", down="fc2", act_name="activation_fn"): ...


class PhiDecoderLayer(nn.Module):
    def __init__(self, config: PhiConfig, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = PhiAttention(config, layer_idx)
        self.mlp = PhiMLP(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.resid_dropout = Dropout(config.resid_pdrop)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        y = self.input_layernorm(x)
        return x + self.resid_dropout(self.self_attn(y, call)) + self.resid_dropout(self.mlp(y))


class PhiPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = PhiConfig, "model", "embed_tokens"
    ignored_checkpoint_keys = (r"rotary_emb\.inv_freq$",)
    _no_split_modules = ["PhiDecoderLayer"]


class PhiModel(PhiPreTrainedModel):
    def __init__(self, config: PhiConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.embed_dropout = Dropout(config.embd_pdrop)
        self.layers = nn.ModuleList(PhiDecoderLayer(config, i) for i in range(config.num_hidden_layers))
        self.final_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, inputs_embeds=None,
                *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.embed_tokens, input_ids, inputs_embeds, attention_mask, position_ids)
        return call.finish(self.final_layernorm(run_layers(self.layers, self.embed_dropout(x), call)))


class PhiForCausalLM(CausalLM, PhiPreTrainedModel, body=PhiModel, head="lm_head", bias=True, upcast=True): ...


class PhiForSequenceClassification(LastTokenScore, PhiPreTrainedModel, body=PhiModel): ...


class PhiForTokenClassification(
    TokenScore, PhiPreTrainedModel, body=PhiModel, signature="input_ids past_key_values attention_mask inputs_embeds"
): ...
