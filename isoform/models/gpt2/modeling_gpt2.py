"""GPT-2: a decoder with learned positions and fused projections (Radford et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...heads import CausalLM, ExtractiveQA, LastTokenScore, TokenScore
from ...heads.losses import next_token_loss, token_loss
from ...layers import (
    Call,
    Dropout,
    FeedForward,
    attend,
    cross_attend,
    encoder_keys,
    model_forward,
    run_layers,
    split_fused,
    split_heads,
)
from ...modeling_outputs import BaseModelOutputWithPastAndCrossAttentions, CausalLMOutputWithCrossAttentions
from ...modeling_utils import PreTrainedModel, SequenceSummary
from ...pytorch_utils import Conv1D, find_pruneable_heads_and_indices, prune_conv1d_layer
from ...utils import ModelOutput
from .configuration_gpt2 import GPT2Config


class GPT2Attention(nn.Module):
    def __init__(self, config: GPT2Config, is_cross_attention: bool = False, layer_idx: int = 0) -> None:
        super().__init__()
        width = config.hidden_size
        self.layer_idx, self.is_cross_attention = layer_idx, is_cross_attention
        self.num_heads, self.head_dim = config.num_attention_heads, width // config.num_attention_heads
        self.scale = 1 / math.sqrt(self.head_dim) if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= layer_idx + 1
        self.c_attn = Conv1D((2 if is_cross_attention else 3) * width, width)
        if is_cross_attention:
            self.q_attn = Conv1D(width, width)
        self.c_proj = Conv1D(width, width)
        self.attn_dropout = Dropout(config.attn_pdrop)
        self.resid_dropout = Dropout(config.resid_pdrop)
        self.pruned_heads: set[int] = set()

    def prune_heads(self, heads: Iterable[int]) -> None:
        heads, index = find_pruneable_heads_and_indices(heads, self.num_heads, self.head_dim, self.pruned_heads)
        width = self.num_heads * self.head_dim
        self.c_attn = prune_conv1d_layer(self.c_attn, torch.cat([index, index + width, index + 2 * width]), dim=1)
        self.c_proj = prune_conv1d_layer(self.c_proj, index, dim=0)
        self.num_heads -= len(heads)
        self.pruned_heads |= heads

    def project(self, states: Tensor) -> tuple[Tensor, ...]:
        """Keys and values of an encoder's states."""
        return split_fused(self.c_attn(states), 2, self.num_heads)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        p = self.attn_dropout.rate
        if self.is_cross_attention:
            q = split_heads(self.q_attn(x), self.num_heads)
            k, v = encoder_keys(q, call, self.layer_idx, self.project, shown=False)
            y = cross_attend(q, k, v, call, self.layer_idx, dropout=p, scale=self.scale)
        else:
            q, k, v = split_fused(self.c_attn(x), 3, self.num_heads)
            y = attend(q, k, v, call, self.layer_idx, dropout=p, scale=self.scale)
        return self.resid_dropout(self.c_proj(y))


class GPT2MLP(
    FeedForward, up="c_fc", down="c_proj", act="activation_function", dropout="resid_pdrop",
    linear=lambda width, out: Conv1D(out, width),
): ...  # fmt: skip


class GPT2Block(nn.Module):
    def __init__(self, config: GPT2Config, layer_idx: int) -> None:
        super().__init__()
        width, eps = config.hidden_size, config.layer_norm_epsilon
        self.ln_1 = nn.LayerNorm(width, eps)
        self.attn = GPT2Attention(config, layer_idx=layer_idx)
        self.ln_2 = nn.LayerNorm(width, eps)
        self.crossattention = self.ln_cross_attn = None
        if config.add_cross_attention:
            self.crossattention = GPT2Attention(config, is_cross_attention=True, layer_idx=layer_idx)
            self.ln_cross_attn = nn.LayerNorm(width, eps)
        self.mlp = GPT2MLP(config, config.n_inner or 4 * width)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.attn(self.ln_1(x), call)
        if call.encoder_hidden_states is not None:
            if self.crossattention is None:
                raise ValueError(
                    "`encoder_hidden_states` were passed, but this model has no cross-attention layers:"
                    " build it with `config.add_cross_attention=True`"
                )
            x = x + self.crossattention(self.ln_cross_attn(x), call)
        return x + self.mlp(self.ln_2(x))


class GPT2PreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = GPT2Config, "transformer", "wte"
    ignored_checkpoint_keys = (r"attn(ention)?\.(bias|masked_bias)$",)
    _no_split_modules = ["GPT2Block"]

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        # Projections back into the residual stream start smaller, by the number of them (section 2.3 of the paper).
        if isinstance(module, (GPT2Attention, GPT2MLP)):
            std = self.config.initializer_range / math.sqrt(2 * self.config.n_layer)
            nn.init.normal_(module.c_proj.weight, 0.0, std)


class GPT2Model(GPT2PreTrainedModel):
    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(GPT2Block(config, i) for i in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.h[layer].attn.prune_heads(heads)

    @model_forward
    def forward(self, input_ids=None, past_key_values=None, attention_mask=None, token_type_ids=None, position_ids=None,
                head_mask=None, inputs_embeds=None, encoder_hidden_states=None, encoder_attention_mask=None,
                *, call: Call) -> Any:  # fmt: skip
        leading = None if input_ids is None else input_ids.shape[:-1]  # (batch,) or (batch, choices)
        if leading is not None and len(leading) > 1:
            input_ids = input_ids.flatten(0, -2)
        call.cross_head_mask = call.head_mask  # one mask for both kinds of attention
        x = call.start_decoding(self.wte, input_ids, inputs_embeds, attention_mask, position_ids)
        x = x + self.wpe(call.position_ids)
        if token_type_ids is not None:
            x = x + self.wte(token_type_ids.view(-1, token_type_ids.shape[-1]))
        x = self.ln_f(run_layers(self.h, self.drop(x), call))
        if leading is not None and len(leading) > 1:
            x = x.unflatten(0, leading)
        return call.finish(x, BaseModelOutputWithPastAndCrossAttentions)


class GPT2LMHeadModel(
    CausalLM, GPT2PreTrainedModel, body=GPT2Model, head="lm_head", output=CausalLMOutputWithCrossAttentions
): ...


@dataclass
class GPT2DoubleHeadsModelOutput(ModelOutput):
    """Output of `GPT2DoubleHeadsModel`.

    Attributes:
        loss, mc_loss: of the language model and of the choice among candidates, `()`, where labels were given.
        logits: `(batch, choices, sequence, vocabulary)`.
        mc_logits: `(batch, choices)`.
    """

    loss: Tensor | None = None
    mc_loss: Tensor | None = None
    logits: Tensor | None = None
    mc_logits: Tensor | None = None
    past_key_values: Any = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


_TENSORS = "input_ids past_key_values attention_mask token_type_ids position_ids head_mask inputs_embeds"
_QA = "input_ids attention_mask token_type_ids position_ids head_mask inputs_embeds"


class GPT2DoubleHeadsModel(CausalLM, GPT2PreTrainedModel, body=GPT2Model, head="lm_head", signature=_TENSORS):
    """Language modelling and a choice among candidates, as in the original's multiple-choice fine-tuning."""

    label_names = ("mc_token_ids", "labels", "mc_labels")

    def build_head(self, config: GPT2Config) -> None:
        config.num_labels = 1  # one score a candidate
        super().build_head(config)
        self.multiple_choice_head = SequenceSummary(config)

    def _head_forward(self, inputs: dict[str, Any], mc_token_ids: Any, labels: Any, mc_labels: Any = None) -> Any:  # type: ignore[override]
        outputs = self.run_body(inputs)
        logits = self._logits(outputs.last_hidden_state)
        choices = self.multiple_choice_head(outputs.last_hidden_state, mc_token_ids).squeeze(-1)
        return GPT2DoubleHeadsModelOutput(
            loss=None if labels is None else next_token_loss(logits.flatten(0, -3), labels.flatten(0, -2)),
            mc_loss=None if mc_labels is None else token_loss(choices, mc_labels),
            logits=logits,
            mc_logits=choices,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class GPT2ForSequenceClassification(LastTokenScore, GPT2PreTrainedModel, body=GPT2Model, signature=_TENSORS): ...


class GPT2ForTokenClassification(TokenScore, GPT2PreTrainedModel, body=GPT2Model, signature=_TENSORS): ...


class GPT2ForQuestionAnswering(ExtractiveQA, GPT2PreTrainedModel, body=GPT2Model, signature=_QA): ...
