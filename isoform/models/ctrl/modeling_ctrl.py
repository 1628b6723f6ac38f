"""CTRL: a decoder with sinusoid positions, steered by control codes at the start of the text (Keskar et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from ...heads import CausalLM, LastTokenScore
from ...layers import Call, Dropout, attend, model_forward, run_layers, split_heads
from ...layers.positions import sinusoids
from ...modeling_outputs import SequenceClassifierOutput
from ...modeling_utils import PreTrainedModel
from ...pytorch_utils import find_pruneable_heads_and_indices, prune_linear_layer
from .configuration_ctrl import CTRLConfig


class MultiHeadAttention(nn.Module):
    def __init__(self, config: CTRLConfig, index: int = 0) -> None:
        super().__init__()
        self.index, self.num_heads = index, config.n_head
        self.Wq = nn.Linear(config.n_embd, config.n_embd)
        self.Wk = nn.Linear(config.n_embd, config.n_embd)
        self.Wv = nn.Linear(config.n_embd, config.n_embd)
        self.dense = nn.Linear(config.n_embd, config.n_embd)
        self.depth = config.n_embd // config.n_head
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Iterable[int]) -> None:
        heads, index = find_pruneable_heads_and_indices(heads, self.num_heads, self.depth, self.pruned_heads)
        self.Wq, self.Wk, self.Wv = (prune_linear_layer(layer, index) for layer in (self.Wq, self.Wk, self.Wv))
        self.dense = prune_linear_layer(self.dense, index, dim=1)
        self.num_heads -= len(heads)
        self.pruned_heads |= heads

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = (split_heads(proj(x), self.num_heads) for proj in (self.Wq, self.Wk, self.Wv))
        return self.dense(attend(q, k, v, call, self.index))


def point_wise_feed_forward_network(d_model_size: int, dff: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(d_model_size, dff), nn.ReLU(), nn.Linear(dff, d_model_size))


class EncoderLayer(nn.Module):
    def __init__(self, config: CTRLConfig, index: int = 0) -> None:
        super().__init__()
        width, eps = config.n_embd, 1e-6  # the original fixes it here; `layer_norm_epsilon` is of the last one
        self.multi_head_attention = MultiHeadAttention(config, index)
        self.ffn = point_wise_feed_forward_network(width, config.dff)
        self.layernorm1 = nn.LayerNorm(width, eps)
        self.layernorm2 = nn.LayerNorm(width, eps)
        self.dropout1 = Dropout(config.resid_pdrop)
        self.dropout2 = Dropout(config.resid_pdrop)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.dropout1(self.multi_head_attention(self.layernorm1(x), call))
        return x + self.dropout2(self.ffn(self.layernorm2(x)))


class CTRLPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = CTRLConfig, "transformer", "w"
    _no_split_modules = ["EncoderLayer"]


class CTRLModel(CTRLPreTrainedModel):
    def __init__(self, config: CTRLConfig) -> None:
        super().__init__(config)
        self.w = nn.Embedding(config.vocab_size, config.n_embd)
        self.dropout = Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(EncoderLayer(config, i) for i in range(config.n_layer))
        self.layernorm = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.h[layer].multi_head_attention.prune_heads(heads)

    @model_forward
    def forward(self, input_ids=None, past_key_values=None, attention_mask=None, token_type_ids=None, position_ids=None,
                head_mask=None, inputs_embeds=None, *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.w, input_ids, inputs_embeds, attention_mask, position_ids)
        if token_type_ids is not None:
            x = x + self.w(token_type_ids)
        x = x * math.sqrt(self.config.n_embd) + sinusoids(call.position_ids, self.config.n_embd).to(x.dtype)
        return call.finish(self.layernorm(run_layers(self.h, self.dropout(x), call)))


class CTRLLMHeadModel(CausalLM, CTRLPreTrainedModel, body=CTRLModel, head="lm_head", bias=True): ...


class CTRLForSequenceClassification(
    LastTokenScore, CTRLPreTrainedModel, body=CTRLModel, head="classifier", output=SequenceClassifierOutput
): ...
