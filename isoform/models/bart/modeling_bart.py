"""BART: an encoder and a decoder with learned positions, normalised after each block (Lewis et al. 2019).

Blenderbot Small, M2M100 and others are this one with other options, which are the class attributes below.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ...activations import ACT2FN
from ...errors import ConfigError
from ...heads import CausalLM, EncoderDecoder, EndTokenScore, Seq2SeqLM, Seq2SeqQA
from ...heads.seq2seq import ClassificationHead, shift_tokens_right  # noqa: F401
from ...layers import Call, Dropout, attend, cross_attend, encoder_keys, model_forward, run_layers, split_heads
from ...layers.call import embedded
from ...layers.norms import clamp_float16
from ...modeling_outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
)
from ...modeling_utils import PreTrainedModel
from .configuration_bart import BartConfig


class BartLearnedPositionalEmbedding(nn.Embedding):
    """Learned positions; the table begins with `offset` rows that no position uses."""

    offset = 2

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__(num_embeddings + self.offset, embedding_dim)

    def forward(self, call: Call, input_ids: Tensor | None) -> Tensor:  # type: ignore[override]
        """Of the positions of `call`: `(1, sequence, width)`; the ids are for positions that depend on padding."""
        positions = call.position_ids
        return super().forward(positions + self.offset if self.offset else positions)


class BartAttention(nn.Module):
    """Self-attention, or attention over the encoder's states."""

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, index: int = 0, cross: bool = False
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ConfigError(f"d_model ({embed_dim}) must be divisible by the number of attention heads ({num_heads})")
        self.num_heads, self.index, self.cross = num_heads, index, cross
        self.drop = Dropout(dropout)
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return split_heads(self.k_proj(x), self.num_heads), split_heads(self.v_proj(x), self.num_heads)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q = split_heads(self.q_proj(x), self.num_heads)
        if self.cross:
            k, v = encoder_keys(q, call, self.index, self.keys)
            return self.out_proj(cross_attend(q, k, v, call, self.index, dropout=self.drop.rate))
        k, v = self.keys(x)
        return self.out_proj(attend(q, k, v, call, self.index, dropout=self.drop.rate))


BartFlashAttention2 = BartSdpaAttention = BartAttention  # `attend` picks the kernel


class BartLayer(nn.Module):
    """What the layers of encoder and decoder share: residuals, self-attention and feed-forward.

    Class attributes:
        side: prefix of the config's fields.
        norm_first: normalise before each block rather than after it.
    """

    side = "encoder"
    norm_first = False
    attention_class: type[nn.Module] = BartAttention

    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        width, inner = config.d_model, getattr(config, f"{self.side}_ffn_dim")
        heads = getattr(config, f"{self.side}_attention_heads")
        self.self_attn = self.attention_class(width, heads, config.attention_dropout, index)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        if self.side == "decoder":
            self.encoder_attn = self.attention_class(width, heads, config.attention_dropout, index, cross=True)
            self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.activation_fn = ACT2FN[config.activation_function]
        self.activation_dropout = Dropout(config.activation_dropout)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.drop = Dropout(config.dropout)

    def residual(self, x: Tensor, norm: nn.Module, block: Callable[..., Tensor], *args: Any) -> Tensor:
        if self.norm_first:
            return x + self.drop(block(norm(x), *args))
        return norm(x + self.drop(block(x, *args)))

    def feed_forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.activation_dropout(self.activation_fn(self.fc1(x))))


class BartEncoderLayer(BartLayer):
    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = self.residual(x, self.self_attn_layer_norm, self.self_attn, call)
        return clamp_float16(self.residual(x, self.final_layer_norm, self.feed_forward))


class BartDecoderLayer(BartLayer):
    side = "decoder"

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = self.residual(x, self.self_attn_layer_norm, self.self_attn, call)
        if call.encoder_hidden_states is not None:
            x = self.residual(x, self.encoder_attn_layer_norm, self.encoder_attn, call)
        return self.residual(x, self.final_layer_norm, self.feed_forward)


class BartPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix, input_embeddings = BartConfig, "model", "shared"
    ignored_checkpoint_keys = (r"(en|de)coder\.version$",)
    _no_split_modules = ["BartEncoderLayer", "BartDecoderLayer"]

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, 0.0, self.config.init_std)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx])

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """Two short texts, for tracing."""
        pad = self.config.pad_token_id
        ids = torch.tensor([[0, 6, 10, 4, 2], [0, 8, 12, 2, pad]], device=self.device)
        return {"input_ids": ids, "attention_mask": ids.ne(pad)}


class BartStack(BartPreTrainedModel):
    """What encoder and decoder share.

    Class attributes:
        layer_class, position_class: of the layers and the position embedding.
        norm_embedding: normalise the "sum" of embeddings and positions, or the "tokens" before it; None for neither.
        norm_last: normalise after the last layer.
    """

    input_embeddings = "embed_tokens"
    layer_class: type[BartLayer] = BartEncoderLayer
    position_class: Callable[..., nn.Module] = BartLearnedPositionalEmbedding
    norm_embedding: str | None = "sum"
    norm_last = False

    def __init__(self, config: Any, embed_tokens: nn.Embedding | None = None) -> None:
        super().__init__(config)
        side = self.layer_class.side
        self.layerdrop = getattr(config, f"{side}_layerdrop")
        self.embed_scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self.embed_tokens = embed_tokens or nn.Embedding(config.vocab_size, config.d_model, config.pad_token_id)
        self.embed_positions = self.make_positions(config)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(getattr(config, f"{side}_layers")))
        self.layernorm_embedding = nn.LayerNorm(config.d_model) if self.norm_embedding else None
        self.layer_norm = nn.LayerNorm(config.d_model) if self.norm_last else None
        self.drop = Dropout(config.dropout)

    def make_positions(self, config: Any) -> nn.Module:
        return self.position_class(config.max_position_embeddings, config.d_model)

    def embed(self, input_ids: Tensor) -> Tensor:
        x = self.embed_tokens(input_ids)
        return x * self.embed_scale if self.embed_scale != 1.0 else x

    def run(self, x: Tensor, input_ids: Tensor | None, call: Call) -> Tensor:
        """All that follows the embedding `x` of the tokens."""
        if self.norm_embedding == "tokens":
            x = self.layernorm_embedding(x)  # type: ignore[misc]
        x = x + self.embed_positions(call, input_ids).to(x.device, x.dtype)
        if self.norm_embedding == "sum":
            x = self.layernorm_embedding(x)  # type: ignore[misc]
        x = run_layers(self.layers, self.drop(x), call, self.layerdrop)
        return x if self.layer_norm is None else self.layer_norm(x)


class BartEncoder(BartStack):
    @model_forward
    def forward(self, input_ids=None, attention_mask=None, head_mask=None, inputs_embeds=None, *, call: Call) -> Any:
        x = call.start_encoding(embedded(self.embed, input_ids, inputs_embeds), attention_mask)
        return call.finish(self.run(x, input_ids, call), BaseModelOutput)


class BartDecoder(BartStack):
    layer_class = BartDecoderLayer

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, encoder_hidden_states=None, encoder_attention_mask=None,
                head_mask=None, cross_attn_head_mask=None, past_key_values=None, inputs_embeds=None,
                *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.embed, input_ids, inputs_embeds, attention_mask)
        return call.finish(self.run(x, input_ids, call), BaseModelOutputWithPastAndCrossAttentions)


class BartModel(EncoderDecoder, BartPreTrainedModel):
    repeats_input = True
    encoder_class: type[BartStack] = BartEncoder
    decoder_class: type[BartStack] = BartDecoder

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model, config.pad_token_id)
        self.encoder = self.encoder_class(config, self.shared)
        self.decoder = self.decoder_class(config, self.shared)


class BartForConditionalGeneration(Seq2SeqLM, BartPreTrainedModel, body=BartModel, final_bias=True): ...


_LABELS_LAST = """input_ids attention_mask decoder_input_ids decoder_attention_mask head_mask decoder_head_mask
cross_attn_head_mask encoder_outputs inputs_embeds decoder_inputs_embeds labels
use_cache output_attentions output_hidden_states return_dict"""
_QA = _LABELS_LAST.replace("labels", "").replace("inputs_embeds", "start_positions end_positions inputs_embeds", 1)


class BartClassificationHead(ClassificationHead): ...


class BartForSequenceClassification(
    EndTokenScore, BartPreTrainedModel, body=BartModel, head_class=BartClassificationHead, signature=_LABELS_LAST
): ...


class BartForQuestionAnswering(Seq2SeqQA, BartPreTrainedModel, body=BartModel, signature=_QA):
    def __init__(self, config: Any) -> None:
        config.num_labels = 2  # start and end
        super().__init__(config)


class BartDecoderWrapper(BartPreTrainedModel):
    """The decoder under the name that it has in checkpoints of the whole model."""

    input_embeddings = "decoder.embed_tokens"
    decoder_class: type[BartStack] = BartDecoder

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.decoder = self.decoder_class(config)

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def forward(self, *args: Any, **inputs: Any) -> Any:
        return self.decoder(*args, **inputs)

    forward.__signature__ = BartDecoder.forward.__signature__  # type: ignore[attr-defined]


class BartForCausalLM(
    CausalLM, BartPreTrainedModel, body=BartDecoderWrapper, head="lm_head", shifts_labels=False,
    output=CausalLMOutputWithCrossAttentions,
):  # fmt: skip
    """The decoder alone, or with states of any encoder as `encoder_hidden_states`."""

    def __init__(self, config: Any) -> None:
        config = copy.deepcopy(config)
        config.is_decoder, config.is_encoder_decoder = True, False
        super().__init__(config)


BartPretrainedModel = PretrainedBartModel = BartPreTrainedModel  # former names
