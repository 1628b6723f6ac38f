"""GPT-NeoX: a decoder with partial rotary positions and a parallel residual (Black et al. 2022)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...heads import CausalLM, ExtractiveQA, LastTokenScore, TokenScore
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
from .configuration_gpt_neox import GPTNeoXConfig


class GPTNeoXAttention(nn.Module):
    def __init__(self, config: GPTNeoXConfig, index: int = 0) -> None:
        super().__init__()
        self.index, self.num_attention_heads = index, config.num_attention_heads
        self.rotary_emb = Rotary(
            int(config.hidden_size // self.num_attention_heads * config.rotary_pct),
            config.rotary_emb_base,
            config.max_position_embeddings,
            config.rope_scaling,
        )
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.attention_dropout = Dropout(config.attention_dropout)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        # The checkpoint interleaves q, k, v inside each head: [heads, 3 * head_size].
        q, k, v = split_interleaved(self.query_key_value(x), 3, self.num_attention_heads)
        q, k = self.rotary_emb(q, k, call)
        p = self.attention_dropout.rate
        return self.dense(attend(q, k, v, call, self.index, dropout=p, rotary=self.rotary_emb))


GPTNeoXFlashAttention2 = GPTNeoXAttention  # `attend` picks the kernel
GPT_NEOX_ATTENTION_CLASSES = {"eager": GPTNeoXAttention, "flash_attention_2": GPTNeoXAttention}


class GPTNeoXRotaryEmbedding(RotaryEmbedding): ...


class GPTNeoXLinearScalingRotaryEmbedding(LinearScalingRotaryEmbedding): ...


class GPTNeoXDynamicNTKScalingRotaryEmbedding(DynamicNTKScalingRotaryEmbedding): ...


class GPTNeoXMLP(FeedForward, up="dense_h_to_4h", down="dense_4h_to_h"): ...


class GPTNeoXLayer(nn.Module):
    def __init__(self, config: GPTNeoXConfig, index: int = 0) -> None:
        super().__init__()
        self.parallel = config.use_parallel_residual
        self.input_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.attention = GPTNeoXAttention(config, index)
        self.mlp = GPTNeoXMLP(config)
        self.post_attention_dropout = Dropout(config.hidden_dropout)
        self.post_mlp_dropout = Dropout(config.hidden_dropout)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        y = x + self.post_attention_dropout(self.attention(self.input_layernorm(x), call))
        return y + self.post_mlp_dropout(self.mlp(self.post_attention_layernorm(x if self.parallel else y)))


class GPTNeoXPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = GPTNeoXConfig, "gpt_neox", "embed_in"
    ignored_checkpoint_keys = (r"attention\.(bias|masked_bias|rotary_emb\.inv_freq)$",)
    _no_split_modules = ["GPTNeoXLayer"]


class GPTNeoXModel(GPTNeoXPreTrainedModel):
    def __init__(self, config: GPTNeoXConfig) -> None:
        super().__init__(config)
        self.embed_in = nn.Embedding(config.vocab_size, config.hidden_size)
        self.emb_dropout = Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(GPTNeoXLayer(config, i) for i in range(config.num_hidden_layers))
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, head_mask=None, inputs_embeds=None,
                past_key_values=None, *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.embed_in, input_ids, inputs_embeds, attention_mask, position_ids)
        return call.finish(self.final_layer_norm(run_layers(self.layers, self.emb_dropout(x), call)))


_HEAD = "input_ids attention_mask position_ids inputs_embeds head_mask past_key_values"
_QA = "input_ids attention_mask token_type_ids position_ids head_mask inputs_embeds"
_TOKEN = "input_ids past_key_values attention_mask token_type_ids position_ids head_mask inputs_embeds"


class GPTNeoXForCausalLM(CausalLM, GPTNeoXPreTrainedModel, body=GPTNeoXModel, head="embed_out", signature=_HEAD): ...


class GPTNeoXForSequenceClassification(LastTokenScore, GPTNeoXPreTrainedModel, body=GPTNeoXModel, signature=_HEAD): ...


class GPTNeoXForTokenClassification(
    TokenScore, GPTNeoXPreTrainedModel, body=GPTNeoXModel, rates=("classifier_dropout",), signature=_TOKEN
): ...


class GPTNeoXForQuestionAnswering(ExtractiveQA, GPTNeoXPreTrainedModel, body=GPTNeoXModel, signature=_QA): ...
