"""T5: an encoder and a decoder with relative positions as a bias of attention (Raffel et al. 2019)."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...cache_utils import StaticCache
from ...heads import EncoderDecoder, EndTokenScore, Seq2SeqLM, Seq2SeqQA
from ...heads.seq2seq import ClassificationHead
from ...layers import Call, Dropout, RMSNorm, attend, cross_attend, encoder_keys, model_forward, run_layers, split_heads
from ...layers.call import embedded
from ...layers.norms import clamp_float16
from ...layers.positions import RelativeBuckets
from ...modeling_outputs import BaseModelOutput, BaseModelOutputWithPastAndCrossAttentions
from ...modeling_utils import PreTrainedModel
from ...pytorch_utils import find_pruneable_heads_and_indices, prune_linear_layer
from .configuration_t5 import T5Config


class T5LayerNorm(RMSNorm):
    """Root mean square normalisation whose result has the dtype of the weight: residuals may be in float32."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == self.weight.dtype:
            return super().forward(x)
        return self.weight * F.rms_norm(x, self.weight.shape, None, self.variance_epsilon).to(self.weight.dtype)


class T5DenseActDense(nn.Module):
    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.wi = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = Dropout(config.dropout_rate)
        self.act = ACT2FN[config.dense_act_fn]

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.act(self.wi(x)))

    def down(self, x: Tensor) -> Tensor:
        x, weight = self.dropout(x), self.wo.weight
        # Float16 models keep `wo` in float32, since its products overflow.
        return self.wo(x.to(weight.dtype) if weight.is_floating_point() and x.dtype != weight.dtype else x)


class T5DenseGatedActDense(T5DenseActDense):
    """As above with a gate (Shazeer 2020): T5 v1.1."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.wi_0 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wi_1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        del self.wi

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.act(self.wi_0(x)) * self.wi_1(x))


class T5LayerFF(nn.Module):
    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.DenseReluDense = T5DenseGatedActDense(config) if config.is_gated_act else T5DenseActDense(config)
        self.layer_norm = T5LayerNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.DenseReluDense(self.layer_norm(x)))


class T5Attention(nn.Module):
    """Attention whose scores are not scaled; the first layer's holds the bias of positions for all."""

    def __init__(
        self, config: T5Config, has_relative_attention_bias: bool = False, index: int = 0, cross: bool = False
    ) -> None:
        super().__init__()
        self.index, self.cross = index, cross
        self.n_heads, self.key_value_proj_dim = config.num_heads, config.d_kv
        self.inner_dim = self.n_heads * self.key_value_proj_dim
        self.q = nn.Linear(config.d_model, self.inner_dim, bias=False)
        self.k = nn.Linear(config.d_model, self.inner_dim, bias=False)
        self.v = nn.Linear(config.d_model, self.inner_dim, bias=False)
        self.o = nn.Linear(self.inner_dim, config.d_model, bias=False)
        self.drop = Dropout(config.dropout_rate)
        self.pruned_heads: set[int] = set()
        if has_relative_attention_bias:
            count, distance = config.relative_attention_num_buckets, config.relative_attention_max_distance
            self.relative_attention_bias = nn.Embedding(count, self.n_heads)
            self.buckets = RelativeBuckets(count, distance, bidirectional=not config.is_decoder)

    def prune_heads(self, heads: Iterable[int]) -> None:
        size = self.key_value_proj_dim
        heads, index = find_pruneable_heads_and_indices(heads, self.n_heads, size, self.pruned_heads)
        self.q, self.k, self.v = (prune_linear_layer(layer, index) for layer in (self.q, self.k, self.v))
        self.o = prune_linear_layer(self.o, index, dim=1)
        self.n_heads -= len(heads)
        self.pruned_heads |= heads

    def position_bias(self, call: Call, device: torch.device) -> Tensor:
        """`(1, heads, sequence, keys)`: what is added to the scores of all layers."""
        weight, queries, cache = self.relative_attention_bias.weight, call.query_length, call.cache
        if isinstance(cache, StaticCache):
            rows, keys = cache.rows, cache.capacity
        elif queries == 1 and cache is not None and not torch.compiler.is_compiling():
            buckets = self.buckets.history(call.key_length, weight.device)
            return weight.t().index_select(1, buckets)[None, :, None]
        else:
            rows, keys = torch.arange(queries, device=device) + call.start, call.key_length
        relative = torch.arange(keys, device=device)[None] - rows[:, None]
        return self.relative_attention_bias(self.buckets(relative)).permute(2, 0, 1)[None].contiguous()

    def keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return split_heads(self.k(x), self.n_heads), split_heads(self.v(x), self.n_heads)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q = split_heads(self.q(x), self.n_heads)
        if self.cross:
            k, v = encoder_keys(q, call, self.index, self.keys)
            return self.o(cross_attend(q, k, v, call, self.index, dropout=self.drop.rate, scale=1.0))
        k, v = self.keys(x)
        bias = None
        if self.pruned_heads and call.bias is not None:
            kept = [i for i in range(call.bias.shape[1]) if i not in self.pruned_heads]
            bias = call.bias[:, kept]
        return self.o(attend(q, k, v, call, self.index, dropout=self.drop.rate, scale=1.0, bias=bias))


class T5LayerSelfAttention(nn.Module):
    def __init__(self, config: T5Config, has_relative_attention_bias: bool = False, index: int = 0) -> None:
        super().__init__()
        self.SelfAttention = T5Attention(config, has_relative_attention_bias, index)
        self.layer_norm = T5LayerNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return x + self.dropout(self.SelfAttention(self.layer_norm(x), call))


class T5LayerCrossAttention(nn.Module):
    def __init__(self, config: T5Config, index: int = 0) -> None:
        super().__init__()
        self.EncDecAttention = T5Attention(config, index=index, cross=True)
        self.layer_norm = T5LayerNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return x + self.dropout(self.EncDecAttention(self.layer_norm(x), call))


class T5Block(nn.Module):
    def __init__(self, config: T5Config, has_relative_attention_bias: bool = False, index: int = 0) -> None:
        super().__init__()
        self.is_decoder = config.is_decoder
        self.layer = nn.ModuleList([T5LayerSelfAttention(config, has_relative_attention_bias, index)])
        if config.is_decoder:
            self.layer.append(T5LayerCrossAttention(config, index))
        self.layer.append(T5LayerFF(config))

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = clamp_float16(self.layer[0](x, call))
        if self.is_decoder and call.encoder_hidden_states is not None:
            x = clamp_float16(self.layer[1](x, call))
        return clamp_float16(self.layer[-1](x))


class T5ClassificationHead(ClassificationHead): ...


class T5PreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = T5Config, "transformer", "shared"
    ignored_checkpoint_keys = (r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$",)
    _no_split_modules = ["T5Block"]
    _keep_in_fp32_modules = ["wo"]

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A small batch of token ids for encoder and decoder, for tracing."""
        ids = super().dummy_inputs["input_ids"]
        return {"input_ids": ids, "decoder_input_ids": ids, "decoder_attention_mask": torch.ones_like(ids)}

    def _init_weights(self, module: nn.Module) -> None:
        """As the original (Mesh TensorFlow): projections by their input width, queries smaller for want of scaling."""
        config, factor = self.config, self.config.initializer_factor
        width = config.d_model**-0.5
        if isinstance(module, T5LayerNorm):
            nn.init.constant_(module.weight, factor)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=factor)
        elif isinstance(module, T5DenseActDense):
            for name, weight in module.named_parameters():
                nn.init.normal_(weight, std=factor * (config.d_ff**-0.5 if name == "wo.weight" else width))
        elif isinstance(module, T5Attention):
            inner = config.num_heads * config.d_kv
            nn.init.normal_(module.q.weight, std=factor * (config.d_model * config.d_kv) ** -0.5)
            nn.init.normal_(module.k.weight, std=factor * width)
            nn.init.normal_(module.v.weight, std=factor * width)
            nn.init.normal_(module.o.weight, std=factor * inner**-0.5)
            if hasattr(module, "relative_attention_bias"):
                nn.init.normal_(module.relative_attention_bias.weight, std=factor * width)
        elif isinstance(module, (ClassificationHead, T5ForQuestionAnswering)):
            projections = [module.qa_outputs] if isinstance(module, T5ForQuestionAnswering) else module.children()
            for projection in projections:
                if isinstance(projection, nn.Linear):
                    nn.init.normal_(projection.weight, std=factor * width)
                    nn.init.zeros_(projection.bias)
        elif isinstance(module, T5ForConditionalGeneration) and not config.tie_word_embeddings:
            nn.init.normal_(module.lm_head.weight, std=factor)


class T5Stack(T5PreTrainedModel):
    """The encoder, or with `config.is_decoder` the decoder."""

    input_embeddings = "embed_tokens"

    def __init__(self, config: T5Config, embed_tokens: nn.Embedding | None = None) -> None:
        super().__init__(config)
        self.embed_tokens = embed_tokens or nn.Embedding(config.vocab_size, config.d_model)
        self.is_decoder = config.is_decoder
        self.block = nn.ModuleList(T5Block(config, i == 0, i) for i in range(config.num_layers))
        self.final_layer_norm = T5LayerNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = Dropout(config.dropout_rate)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        for layer, heads in heads_to_prune.items():
            self.block[layer].layer[0].SelfAttention.prune_heads(heads)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, encoder_hidden_states=None, encoder_attention_mask=None,
                inputs_embeds=None, head_mask=None, cross_attn_head_mask=None, past_key_values=None,
                *, call: Call) -> Any:  # fmt: skip
        if self.is_decoder:
            x = call.start_decoding(self.embed_tokens, input_ids, inputs_embeds, attention_mask)
        else:
            x = call.start_encoding(embedded(self.embed_tokens, input_ids, inputs_embeds), attention_mask)
        if len(self.block):
            call.bias = self.block[0].layer[0].SelfAttention.position_bias(call, x.device)
        x = run_layers(self.block, self.dropout(x), call)
        x = self.dropout(self.final_layer_norm(x))
        return call.finish(x, BaseModelOutputWithPastAndCrossAttentions if self.is_decoder else BaseModelOutput)


def _part(config: T5Config, decoder: bool) -> T5Config:
    """The configuration of encoder or decoder."""
    part = copy.deepcopy(config)
    part.is_decoder, part.is_encoder_decoder = decoder, False
    if decoder:
        part.num_layers = config.num_decoder_layers
    else:
        part.use_cache = False
    return part


class T5Model(EncoderDecoder, T5PreTrainedModel):
    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Stack(_part(config, decoder=False), self.shared)
        self.decoder = T5Stack(_part(config, decoder=True), self.shared)

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        self.encoder._prune_heads(heads_to_prune)

    def _decoder_head_mask(self, head_mask: Tensor | None, decoder_head_mask: Tensor | None) -> Tensor | None:
        if head_mask is None or decoder_head_mask is not None:
            return decoder_head_mask
        if self.config.num_layers != self.config.num_decoder_layers:
            return None
        warnings.warn(
            "`head_mask` is applied to the decoder, too, which is deprecated: pass `decoder_head_mask`, all ones if its"
            " heads are not to be masked.",
            FutureWarning,
            stacklevel=2,
        )
        return head_mask


class T5EncoderModel(T5PreTrainedModel):
    ignored_checkpoint_keys = (r"decoder\.", r"lm_head\.")
    _tied_weights_keys = ["encoder.embed_tokens.weight"]

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Stack(_part(config, decoder=False), self.shared)

    def get_encoder(self) -> T5Stack:
        return self.encoder

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding."""
        self.shared = self.encoder.embed_tokens = value  # type: ignore[assignment]

    def _prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        self.encoder._prune_heads(heads_to_prune)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        return self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
        )


class T5ForConditionalGeneration(Seq2SeqLM, T5Model, body=T5Model, cache_with_labels=True):
    def _before_head(self, hidden: Tensor) -> Tensor:
        # Tied to the embedding, the projection is larger than one of its own would be.
        return hidden * self.config.d_model**-0.5 if self.config.tie_word_embeddings else hidden


_CLASSIFIER = """input_ids attention_mask decoder_input_ids decoder_attention_mask head_mask decoder_head_mask
cross_attn_head_mask encoder_outputs inputs_embeds decoder_inputs_embeds labels
use_cache output_attentions output_hidden_states return_dict"""
_QA = _CLASSIFIER.replace("labels", "").replace("inputs_embeds", "start_positions end_positions inputs_embeds", 1)


class T5ForSequenceClassification(
    EndTokenScore, T5PreTrainedModel, body=T5Model, head_class=T5ClassificationHead, signature=_CLASSIFIER
): ...


class T5ForQuestionAnswering(Seq2SeqQA, T5Model, body=T5Model, signature=_QA): ...
