"""OPT: a decoder after BART's, with learned positions that count real tokens only (Zhang et al. 2022)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...activations import ACT2FN
from ...cache_utils import StaticCache
from ...heads import CausalLM, ExtractiveQA, LastTokenScore
from ...layers import Call, Dropout, attend, model_forward, run_layers, split_heads
from ...layers.flash import get_unpad_data as _get_unpad_data  # noqa: F401
from ...modeling_utils import PreTrainedModel
from .configuration_opt import OPTConfig


class OPTLearnedPositionalEmbedding(nn.Embedding):
    """Learned positions; the table begins with two rows that no position uses, an inheritance of the training code."""

    offset = 2

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__(num_embeddings + self.offset, embedding_dim)

    def forward(self, call: Call) -> Tensor:  # type: ignore[override]
        mask = call.padding
        if mask is None:
            return super().forward(call.position_ids + self.offset)
        mask = mask.long()
        positions = mask.cumsum(1) * mask - 1
        if isinstance(call.cache, StaticCache):
            positions = positions[:, call.cache.rows]
        else:
            positions = positions[:, call.start :]
        return super().forward(positions + self.offset)


class OPTAttention(nn.Module):
    def __init__(self, config: OPTConfig, index: int = 0) -> None:
        super().__init__()
        width, bias = config.hidden_size, config.enable_bias
        self.index, self.num_heads, self.dropout = index, config.num_attention_heads, config.attention_dropout
        self.k_proj = nn.Linear(width, width, bias=bias)
        self.v_proj = nn.Linear(width, width, bias=bias)
        self.q_proj = nn.Linear(width, width, bias=bias)
        self.out_proj = nn.Linear(width, width, bias=bias)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = (split_heads(proj(x), self.num_heads) for proj in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(attend(q, k, v, call, self.index, dropout=self.dropout if self.training else 0.0))


OptFlashAttention2 = OPTAttention  # `attend` picks the kernel
OPT_ATTENTION_CLASSES = {"eager": OPTAttention, "flash_attention_2": OPTAttention}


class OPTDecoderLayer(nn.Module):
    def __init__(self, config: OPTConfig, index: int = 0) -> None:
        super().__init__()
        width, affine = config.hidden_size, config.layer_norm_elementwise_affine
        self.before = config.do_layer_norm_before
        self.self_attn = OPTAttention(config, index)
        self.self_attn_layer_norm = nn.LayerNorm(width, elementwise_affine=affine)
        self.activation_fn = ACT2FN[config.activation_function]
        self.fc1 = nn.Linear(width, config.ffn_dim, bias=config.enable_bias)
        self.fc2 = nn.Linear(config.ffn_dim, width, bias=config.enable_bias)
        self.final_layer_norm = nn.LayerNorm(width, elementwise_affine=affine)
        self.drop = Dropout(config.dropout)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        if self.before:
            x = x + self.drop(self.self_attn(self.self_attn_layer_norm(x), call))
            return x + self.drop(self.fc2(self.activation_fn(self.fc1(self.final_layer_norm(x)))))
        x = self.self_attn_layer_norm(x + self.drop(self.self_attn(x, call)))
        return self.final_layer_norm(x + self.drop(self.fc2(self.activation_fn(self.fc1(x)))))


class OPTPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = OPTConfig, "model", "decoder.embed_tokens"
    ignored_checkpoint_keys = (r"decoder\.version$",)
    _no_split_modules = ["OPTDecoderLayer"]


class OPTDecoder(OPTPreTrainedModel):
    input_embeddings = "embed_tokens"

    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        width, narrow = config.hidden_size, config.word_embed_proj_dim
        self.layerdrop = config.layerdrop
        self.embed_tokens = nn.Embedding(config.vocab_size, narrow, config.pad_token_id)
        self.embed_positions = OPTLearnedPositionalEmbedding(config.max_position_embeddings, width)
        self.project_out = nn.Linear(width, narrow, bias=False) if narrow != width else None
        self.project_in = nn.Linear(narrow, width, bias=False) if narrow != width else None
        self.final_layer_norm = None
        if config.do_layer_norm_before and not config._remove_final_layer_norm:
            self.final_layer_norm = nn.LayerNorm(width, elementwise_affine=config.layer_norm_elementwise_affine)
        self.layers = nn.ModuleList(OPTDecoderLayer(config, i) for i in range(config.num_hidden_layers))

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, head_mask=None, past_key_values=None, inputs_embeds=None,
                *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.embed_tokens, input_ids, inputs_embeds, attention_mask)
        if self.project_in is not None:
            x = self.project_in(x)
        x = x + self.embed_positions(call)
        x = run_layers(self.layers, x, call, self.layerdrop)
        if self.final_layer_norm is not None:
            x = self.final_layer_norm(x)
        if self.project_out is not None:
            x = self.project_out(x)
        return call.finish(x)


class OPTModel(OPTPreTrainedModel):
    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        self.decoder = OPTDecoder(config)

    def get_decoder(self) -> OPTDecoder:
        return self.decoder

    def forward(self, *args: Any, **inputs: Any) -> Any:
        return self.decoder(*args, **inputs)

    forward.__signature__ = OPTDecoder.forward.__signature__  # type: ignore[attr-defined]


_WIDTH = "word_embed_proj_dim"


class OPTForCausalLM(CausalLM, OPTPreTrainedModel, body=OPTModel, head="lm_head", width=_WIDTH): ...


class OPTForSequenceClassification(
    LastTokenScore, OPTPreTrainedModel, body=OPTModel, width=_WIDTH, needs_pad=False
): ...


class OPTForQuestionAnswering(ExtractiveQA, OPTPreTrainedModel, body=OPTModel, width=_WIDTH): ...
