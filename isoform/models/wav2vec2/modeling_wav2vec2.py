"""Wav2Vec2: features of the waveform by convolutions, and a transformer over them (Baevski et al. 2020)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...heads.audio import (
    CTC,
    LABELS_FIRST,
    LABELS_LAST,
    FrameScore,
    MeanScore,
    SpeechHead,
    XVector,
)
from ...heads.base import recorded
from ...layers import Call, Dropout, attend, model_forward, run_layers, split_heads
from ...layers.convolution import strided_conv1d
from ...modeling_outputs import MaskedLMOutput, Wav2Vec2BaseModelOutput
from ...modeling_utils import PreTrainedModel
from ...utils import ModelOutput, logging
from .adapters import LanguageAdapters
from .configuration_wav2vec2 import Wav2Vec2Config

logger = logging.get_logger(__name__)

WAV_2_VEC_2_PRETRAINED_MODEL_ARCHIVE_LIST: list[str] = []


@dataclass
class Wav2Vec2ForPreTrainingOutput(ModelOutput):
    """Output of pretraining.

    Attributes:
        loss: contrastive plus weighted diversity loss, if negatives were given.
        projected_states: what the transformer predicts, `(batch, positions, proj_codevector_dim)`.
        projected_quantized_states: what it should predict, of the same shape.
        codevector_perplexity: how many entries of the codebooks are in use, `()`.
        contrastive_loss, diversity_loss: the parts of the loss.
    """

    loss: Tensor | None = None
    projected_states: Tensor | None = None
    projected_quantized_states: Tensor | None = None
    codevector_perplexity: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    contrastive_loss: Tensor | None = None
    diversity_loss: Tensor | None = None


def _compute_mask_indices(
    shape: tuple[int, int],
    mask_prob: float,
    mask_length: int,
    attention_mask: Tensor | None = None,
    min_masks: int = 0,
) -> np.ndarray:
    """Random spans to mask (Park et al. 2019), as booleans of `shape` `(batch, length)`. Spans may overlap.

    Args:
        mask_prob: Share of each row that the spans would cover if none overlapped.
        mask_length: Of a span.
        attention_mask: `(batch, length)`; no span starts in padding.
        min_masks: Fewest spans of a row.
    """
    batch, length = shape
    if not 1 <= mask_length <= length:
        raise ValueError(
            f"mask_length must be at least 1 and at most the sequence length, found mask_length={mask_length} and a"
            f" sequence length of {length}"
        )
    rounding = np.random.rand(1).item()  # so that the expected number of spans is right

    def count(row_length: int) -> int:
        spans = max(int(mask_prob * row_length / mask_length + rounding), min_masks)
        return max(min(spans, length // mask_length, row_length - (mask_length - 1)), 0)

    mask = np.zeros(shape, dtype=bool)
    most = count(length)
    if most == 0:
        return mask
    rows = [length] * batch if attention_mask is None else attention_mask.sum(-1).tolist()
    for row, row_length in zip(mask, rows, strict=True):
        starts = np.random.choice(np.arange(row_length - (mask_length - 1)), count(row_length), replace=False)
        if len(starts) == 0:  # a row that is shorter than a span: mask its last position, which is padding
            starts = np.array([length - 1])
        row[np.minimum(starts[:, None] + np.arange(mask_length), length - 1)] = True
    return mask


def _sample_negative_indices(
    features_shape: tuple[int, int], num_negatives: int, mask_time_indices: np.ndarray | None = None
) -> np.ndarray:
    """For each masked position others of the same row: `(batch, length, num_negatives)` indices into the flat batch.

    Args:
        features_shape: `(batch, length)`.
        mask_time_indices: `(batch, length)`, the masked positions; None for all.
    """
    batch, length = features_shape
    sampled = np.zeros((batch, length, num_negatives), dtype=np.int32)
    masked = np.ones((batch, length), dtype=bool) if mask_time_indices is None else mask_time_indices.astype(bool)
    for row in range(batch):
        positions = np.flatnonzero(masked[row])
        own = np.arange(len(positions))[:, None]
        others = np.random.randint(0, len(positions) - 1, size=(len(positions), num_negatives))
        others[others >= own] += 1  # never the position itself
        sampled[row, positions] = positions[others]
        sampled[row] += row * length
    return sampled


class ConvLayer(nn.Module):
    """A convolution of the feature encoder, with a norm or without, and the activation."""

    def __init__(self, config: Any, layer_id: int = 0, norm: str | None = None) -> None:
        super().__init__()
        self.in_conv_dim = config.conv_dim[layer_id - 1] if layer_id > 0 else 1
        self.out_conv_dim = width = config.conv_dim[layer_id]
        self.conv = nn.Conv1d(
            self.in_conv_dim, width, config.conv_kernel[layer_id], config.conv_stride[layer_id], bias=config.conv_bias
        )
        self.norm = norm
        if norm == "group":
            self.layer_norm: nn.Module = nn.GroupNorm(width, width)
        elif norm == "layer":
            self.layer_norm = nn.LayerNorm(width)
        self.activation = ACT2FN[config.feat_extract_activation]

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, length)` to the same of the next layer."""
        x = strided_conv1d(x, self.conv, self.layer_norm if self.norm == "group" else None)
        if self.norm == "layer":
            x = self.layer_norm(x.transpose(-2, -1)).transpose(-2, -1)
        return self.activation(x)


class Wav2Vec2NoLayerNormConvLayer(ConvLayer): ...


class Wav2Vec2LayerNormConvLayer(ConvLayer):
    def __init__(self, config: Any, layer_id: int = 0) -> None:
        super().__init__(config, layer_id, "layer")


class Wav2Vec2GroupNormConvLayer(ConvLayer):
    def __init__(self, config: Any, layer_id: int = 0) -> None:
        super().__init__(config, layer_id, "group")


class WeightNormConv1d(nn.Conv1d):
    """A convolution whose weight is a direction `v` and a length `g` for each tap (Salimans and Kingma 2016).

    Its parameters are called as `torch.nn.utils.parametrizations.weight_norm` would call them, but are plain ones:
    the module can be copied, pickled and exported as any other. Files with the older names load too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = self._parameters.pop("weight")
        factors = nn.Module()
        factors.original0 = nn.Parameter(torch.ones(1, 1, direction.shape[2]))  # type: ignore[union-attr]
        factors.original1 = direction
        self.parametrizations = nn.ModuleDict({"weight": factors})

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        factors = self.parametrizations["weight"]
        return torch._weight_norm(factors.original1, factors.original0, 2)

    @torch.no_grad()
    def reset_weight(self, deviation: float) -> None:
        """New random weights of that standard deviation."""
        factors = self.parametrizations["weight"]
        factors.original1.normal_(0, deviation)
        factors.original0.copy_(factors.original1.norm(dim=(0, 1), keepdim=True))


class Wav2Vec2SamePadLayer(nn.Module):
    """Cuts the position that a convolution of even width has too many."""

    def __init__(self, num_conv_pos_embeddings: int) -> None:
        super().__init__()
        self.num_pad_remove = 1 if num_conv_pos_embeddings % 2 == 0 else 0

    def forward(self, x: Tensor) -> Tensor:
        return x[..., : -self.num_pad_remove] if self.num_pad_remove else x


class Wav2Vec2PositionalConvEmbedding(nn.Module):
    """Positions relative to what is near: a wide convolution over time."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.num_conv_pos_embeddings
        self.conv = WeightNormConv1d(
            config.hidden_size,
            config.hidden_size,
            width,
            padding=width // 2,
            groups=config.num_conv_pos_embedding_groups,
        )
        self.padding = Wav2Vec2SamePadLayer(width)
        self.activation = ACT2FN[config.feat_extract_activation]

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.padding(self.conv(x.transpose(1, 2)))).transpose(1, 2)


class Wav2Vec2FeatureEncoder(nn.Module):
    """Features of the waveform, by convolutions."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        count = config.num_feat_extract_layers
        if config.feat_extract_norm == "group":
            norms: list[str | None] = ["group"] + [None] * (count - 1)
        elif config.feat_extract_norm == "layer":
            norms = ["layer"] * count
        else:
            raise ValueError(
                f"`config.feat_extract_norm` is {config.feat_extract_norm}, but has to be one of ['group', 'layer']"
            )
        self.conv_layers = nn.ModuleList(ConvLayer(config, i, norm) for i, norm in enumerate(norms))
        self.gradient_checkpointing = False

    def _freeze_parameters(self) -> None:
        self.requires_grad_(False)

    def forward(self, input_values: Tensor) -> Tensor:
        """`(batch, length)` to `(batch, channels, positions)`."""
        x = input_values[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x


class Wav2Vec2FeatureExtractor(Wav2Vec2FeatureEncoder):
    """Deprecated name of `Wav2Vec2FeatureEncoder`."""


class Wav2Vec2FeatureProjection(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)
        self.dropout = Dropout(config.feat_proj_dropout)

    def forward(self, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.layer_norm(hidden_states)
        return self.dropout(self.projection(normed)), normed


class Wav2Vec2Attention(nn.Module):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        width = config.hidden_size
        self.index, self.num_heads, self.dropout = index, config.num_attention_heads, config.attention_dropout
        self.k_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.q_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = (split_heads(proj(x), self.num_heads) for proj in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(attend(q, k, v, call, self.index, dropout=self.dropout if self.training else 0.0))


class Wav2Vec2FeedForward(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.intermediate_dropout = Dropout(config.activation_dropout)
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = ACT2FN[config.hidden_act]
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.output_dropout = Dropout(config.hidden_dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.intermediate_dropout(self.intermediate_act_fn(self.intermediate_dense(x)))
        return self.output_dropout(self.output_dense(x))


class Wav2Vec2EncoderLayer(nn.Module):
    """Attention and feed-forward, each normalised after it was added to the residual stream."""

    attention_class: type = Wav2Vec2Attention

    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        self.attention = self.attention_class(config, index)
        self.dropout = Dropout(config.hidden_dropout)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = Wav2Vec2FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = self.layer_norm(x + self.dropout(self.attention(x, call)))
        return self.final_layer_norm(x + self.feed_forward(x))


class Wav2Vec2AttnAdapterLayer(nn.Module):
    """What a language adds to each layer of a multilingual model (Pratap et al. 2023)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size)
        self.linear_1 = nn.Linear(config.hidden_size, config.adapter_attn_dim)
        self.act_fn = nn.ReLU()
        self.linear_2 = nn.Linear(config.adapter_attn_dim, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.act_fn(self.linear_1(self.norm(x))))


class Wav2Vec2EncoderLayerStableLayerNorm(Wav2Vec2EncoderLayer):
    """Attention and feed-forward, each on the normalised residual stream."""

    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__(config, index)
        adapted = getattr(config, "adapter_attn_dim", None) is not None
        self.adapter_layer = Wav2Vec2AttnAdapterLayer(config) if adapted else None

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.dropout(self.attention(self.layer_norm(x), call))
        x = x + self.feed_forward(self.final_layer_norm(x))
        return x if self.adapter_layer is None else x + self.adapter_layer(x)


class Wav2Vec2Encoder(nn.Module):
    """Positions and layers; in padding nothing comes in."""

    layer_class: type = Wav2Vec2EncoderLayer

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.layerdrop = config.layerdrop
        self.pos_conv_embed = Wav2Vec2PositionalConvEmbedding(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(config.num_hidden_layers))
        self.gradient_checkpointing = False

    def embed(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        if attention_mask is not None:
            x = x * attention_mask[..., None]
        return x + self.pos_conv_embed(x)

    def forward(self, x: Tensor, attention_mask: Tensor | None, call: Call) -> Tensor:
        x = self.dropout(self.layer_norm(self.embed(x, attention_mask)))
        return run_layers(self.layers, call.start_encoding(x, attention_mask), call, self.layerdrop)


class Wav2Vec2EncoderStableLayerNorm(Wav2Vec2Encoder):
    layer_class = Wav2Vec2EncoderLayerStableLayerNorm

    def forward(self, x: Tensor, attention_mask: Tensor | None, call: Call) -> Tensor:
        x = self.dropout(self.embed(x, attention_mask))
        return self.layer_norm(run_layers(self.layers, call.start_encoding(x, attention_mask), call, self.layerdrop))


class Wav2Vec2GumbelVectorQuantizer(nn.Module):
    """Replaces features by the nearest entries of learned codebooks, chosen in training with Gumbel noise."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.num_groups, self.num_vars = config.num_codevector_groups, config.num_codevectors_per_group
        if config.codevector_dim % self.num_groups != 0:
            raise ValueError(
                f"`config.codevector_dim` ({config.codevector_dim}) must be divisible by"
                f" `config.num_codevector_groups` ({self.num_groups})"
            )
        entries = self.num_groups * self.num_vars
        self.codevectors = nn.Parameter(torch.zeros(1, entries, config.codevector_dim // self.num_groups))
        self.weight_proj = nn.Linear(config.conv_dim[-1], entries)
        self.temperature = 2  # falls during training

    @staticmethod
    def _compute_perplexity(probs: Tensor, mask: Tensor | None = None) -> Tensor:
        """How many entries of each codebook are in use, summed; `probs` is `(positions, groups, entries)`."""
        if mask is None:
            marginal = probs.mean(0)
        else:
            marginal = (probs * mask.flatten()[:, None, None]).sum(0) / mask.sum()
        return torch.exp(-torch.sum(marginal * torch.log(marginal + 1e-7), dim=-1)).sum()

    def forward(self, hidden_states: Tensor, mask_time_indices: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features `(batch, positions, channels)` to `(batch, positions, codevector_dim)`, and the perplexity."""
        batch, length, _ = hidden_states.shape
        scores = self.weight_proj(hidden_states).view(batch * length, self.num_groups, self.num_vars)
        if self.training:
            flat = scores.reshape(-1, self.num_vars).float()
            chosen = F.gumbel_softmax(flat, tau=self.temperature, hard=True).type_as(scores).view_as(scores)
            used = scores.float().softmax(-1)
        else:
            chosen = used = F.one_hot(scores.argmax(-1), self.num_vars).to(scores.dtype)
        entries = self.codevectors.view(self.num_groups, self.num_vars, -1)
        picked = torch.einsum("ngv,gvd->ngd", chosen, entries)
        return picked.reshape(batch, length, -1), self._compute_perplexity(used, mask_time_indices)


class Wav2Vec2AdapterLayer(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.output_hidden_size
        self.conv = nn.Conv1d(width, 2 * width, config.adapter_kernel_size, stride=config.adapter_stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(self.conv(x), dim=1)


class Wav2Vec2Adapter(nn.Module):
    """Shortens the output over time."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.proj = self.proj_layer_norm = None
        if config.output_hidden_size != config.hidden_size:
            self.proj = nn.Linear(config.hidden_size, config.output_hidden_size)
            self.proj_layer_norm = nn.LayerNorm(config.output_hidden_size)
        self.layers = nn.ModuleList(Wav2Vec2AdapterLayer(config) for _ in range(config.num_adapter_layers))
        self.layerdrop = config.layerdrop

    def forward(self, x: Tensor) -> Tensor:
        if self.proj is not None and self.proj_layer_norm is not None:
            x = self.proj_layer_norm(self.proj(x))
        x = x.transpose(1, 2)
        for layer in self.layers:
            if not self.training or np.random.random() > self.layerdrop:
                x = layer(x)
        return x.transpose(1, 2)


class Wav2Vec2PreTrainedModel(LanguageAdapters, PreTrainedModel):
    config_class, base_model_prefix, main_input_name = Wav2Vec2Config, "wav2vec2", "input_values"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Wav2Vec2GumbelVectorQuantizer):
            module.weight_proj.weight.data.normal_(mean=0.0, std=1)
            module.weight_proj.bias.data.zero_()
            nn.init.uniform_(module.codevectors)
        elif isinstance(module, WeightNormConv1d):
            module.reset_weight(2 * math.sqrt(1 / (module.kernel_size[0] * module.in_channels)))
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        elif isinstance(module, Wav2Vec2FeatureProjection):
            limit = math.sqrt(1 / module.projection.in_features)
            nn.init.uniform_(module.projection.weight, -limit, limit)
            nn.init.uniform_(module.projection.bias, -limit, limit)
        elif isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                limit = math.sqrt(module.groups / (module.in_channels * module.kernel_size[0]))
                nn.init.uniform_(module.bias, -limit, limit)
        else:
            super()._init_weights(module)

    def _get_feat_extract_output_lengths(self, input_lengths: Any, add_adapter: bool | None = None) -> Any:
        """Positions of the output for so many samples; a tensor or an int."""
        config = self.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            input_lengths = (input_lengths - kernel) // stride + 1
        if config.add_adapter if add_adapter is None else add_adapter:
            for _ in range(config.num_adapter_layers):
                input_lengths = (input_lengths - 1) // config.adapter_stride + 1
        return input_lengths

    def _get_feature_vector_attention_mask(
        self, feature_vector_length: int, attention_mask: Tensor, add_adapter: bool | None = None
    ) -> Tensor:
        """Which positions of the output are of samples rather than of padding: `(batch, feature_vector_length)`.

        Padding is taken to be on the right, whatever side it is on.
        """
        lengths = self._get_feat_extract_output_lengths(attention_mask.long().sum(-1), add_adapter)
        return torch.arange(feature_vector_length, device=attention_mask.device) < lengths[:, None]


class Wav2Vec2Model(Wav2Vec2PreTrainedModel):
    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        self.feature_extractor = Wav2Vec2FeatureEncoder(config)
        self.feature_projection = Wav2Vec2FeatureProjection(config)
        if config.mask_time_prob > 0.0 or config.mask_feature_prob > 0.0:
            self.masked_spec_embed = nn.Parameter(torch.empty(config.hidden_size).uniform_())
        stable = config.do_stable_layer_norm
        self.encoder = (Wav2Vec2EncoderStableLayerNorm if stable else Wav2Vec2Encoder)(config)
        self.adapter = Wav2Vec2Adapter(config) if config.add_adapter else None

    def freeze_feature_extractor(self) -> None:
        """Deprecated: use `freeze_feature_encoder`."""
        warnings.warn("freeze_feature_extractor is now called freeze_feature_encoder", FutureWarning, stacklevel=2)
        self.freeze_feature_encoder()

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions that make features of the waveform from being trained."""
        self.feature_extractor._freeze_parameters()

    def _mask_hidden_states(
        self, hidden_states: Tensor, mask_time_indices: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> Tensor:
        """Mask the given positions, or in training random spans of positions and of channels."""
        config = self.config
        if not getattr(config, "apply_spec_augment", True):
            return hidden_states
        batch, length, width = hidden_states.shape
        if mask_time_indices is None and config.mask_time_prob > 0 and self.training:
            mask_time_indices = self._random_mask((batch, length), "time", attention_mask)
        if mask_time_indices is not None:
            embedded = self.masked_spec_embed.to(hidden_states.dtype)
            hidden_states = torch.where(mask_time_indices.bool()[..., None], embedded, hidden_states)
        if config.mask_feature_prob > 0 and self.training:
            hidden_states = hidden_states.masked_fill(self._random_mask((batch, width), "feature")[:, None], 0)
        return hidden_states

    def _random_mask(self, shape: tuple[int, int], kind: str, attention_mask: Tensor | None = None) -> Tensor:
        prob, length, fewest = (getattr(self.config, f"mask_{kind}_{part}") for part in ("prob", "length", "min_masks"))
        return torch.from_numpy(_compute_mask_indices(shape, prob, length, attention_mask, fewest)).to(self.device)

    @model_forward
    def forward(self, input_values, attention_mask=None, mask_time_indices=None, *, call: Call) -> Any:
        features = self.feature_extractor(input_values).transpose(1, 2)
        if attention_mask is not None:
            attention_mask = self._get_feature_vector_attention_mask(features.shape[1], attention_mask, False)
        x, features = self.feature_projection(features)
        x = self._mask_hidden_states(x, mask_time_indices, attention_mask)
        x = self.encoder(x, attention_mask, call)
        last = x if self.adapter is None else self.adapter(x)
        return call.finish(x, Wav2Vec2BaseModelOutput, last_hidden_state=last, extract_features=features)


class Wav2Vec2ForPreTraining(
    SpeechHead,
    Wav2Vec2PreTrainedModel,
    body=Wav2Vec2Model,
    signature="input_values attention_mask mask_time_indices sampled_negative_indices"
    " output_attentions output_hidden_states return_dict",
):
    """Tells the quantized features of masked positions from those of others."""

    label_names = ("sampled_negative_indices",)

    def build_head(self, config: Wav2Vec2Config) -> None:
        self.dropout_features = Dropout(config.feat_quantizer_dropout)
        self.quantizer = Wav2Vec2GumbelVectorQuantizer(config)
        self.project_hid = nn.Linear(config.hidden_size, config.proj_codevector_dim)
        self.project_q = nn.Linear(config.codevector_dim, config.proj_codevector_dim)

    def _init_weights(self, module: nn.Module) -> None:
        if module in (self.project_hid, self.project_q):
            module.reset_parameters()  # type: ignore[operator]
        else:
            super()._init_weights(module)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """Set the temperature of the quantizer's choices; it should fall during training."""
        self.quantizer.temperature = temperature

    @staticmethod
    def compute_contrastive_logits(
        target_features: Tensor, negative_features: Tensor, predicted_features: Tensor, temperature: float = 0.1
    ) -> Tensor:
        """Scaled cosines of predictions with targets and negatives: `(1 + negatives, batch, positions)`."""
        candidates = torch.cat((target_features, negative_features), 0)
        cosines = F.cosine_similarity(predicted_features.float(), candidates.float(), dim=-1)
        return cosines.type_as(candidates) / temperature

    def _head_forward(
        self, inputs: dict[str, Any], sampled_negative_indices: Tensor | None
    ) -> Wav2Vec2ForPreTrainingOutput:
        mask = inputs.get("mask_time_indices")
        if mask is not None:
            mask = inputs["mask_time_indices"] = mask.bool()
        outputs = self.run_body(inputs)
        states = self.project_hid(outputs.last_hidden_state)
        quantized, perplexity = self.quantizer(self.dropout_features(outputs.extract_features), mask)
        quantized = self.project_q(quantized)
        losses: dict[str, Any] = {}
        if sampled_negative_indices is not None:
            if mask is None:
                raise ValueError("sampled_negative_indices needs mask_time_indices: the loss is of masked positions")
            losses = self._losses(states, quantized, perplexity, mask, sampled_negative_indices)
        return Wav2Vec2ForPreTrainingOutput(
            projected_states=states,
            projected_quantized_states=quantized,
            codevector_perplexity=perplexity,
            **losses,
            **recorded(outputs, Wav2Vec2ForPreTrainingOutput),
        )

    def _losses(
        self, states: Tensor, quantized: Tensor, perplexity: Tensor, mask: Tensor, negative_indices: Tensor
    ) -> dict[str, Tensor]:
        config = self.config
        negatives = quantized.flatten(0, 1)[negative_indices.long()].permute(2, 0, 1, 3)
        logits = self.compute_contrastive_logits(
            quantized[None], negatives, states, config.contrastive_logits_temperature
        )
        # Codebooks may give a negative the very vector of the target: it is no negative then.
        same = (quantized == negatives).all(-1)
        same = torch.cat((torch.zeros_like(same[:1]), same))
        logits = logits.masked_fill(same, float("-inf")).transpose(0, 2).reshape(-1, logits.shape[0])
        target = torch.where(mask, 0, -100).transpose(0, 1).flatten()
        contrastive = F.cross_entropy(logits.float(), target, reduction="sum")
        entries = config.num_codevectors_per_group * config.num_codevector_groups
        diversity = (entries - perplexity) / entries * mask.sum()
        loss = contrastive + config.diversity_loss_weight * diversity
        return {"loss": loss, "contrastive_loss": contrastive, "diversity_loss": diversity}


class Wav2Vec2ForMaskedLM(SpeechHead, Wav2Vec2PreTrainedModel, body=Wav2Vec2Model, signature=LABELS_LAST):
    """Deprecated: use `Wav2Vec2ForCTC`. Gives logits; neither the attention mask nor labels are used."""

    def build_head(self, config: Wav2Vec2Config) -> None:
        warnings.warn("Wav2Vec2ForMaskedLM is deprecated: use Wav2Vec2ForCTC.", FutureWarning, stacklevel=2)
        self.dropout = Dropout(config.final_dropout)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)  # type: ignore[arg-type]

    def _head_forward(self, inputs: dict[str, Any], labels: Tensor | None) -> MaskedLMOutput:
        outputs = self.run_body({**inputs, "attention_mask": None})
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))
        return MaskedLMOutput(logits=logits, **recorded(outputs, MaskedLMOutput))


class Wav2Vec2ForCTC(CTC, Wav2Vec2PreTrainedModel, body=Wav2Vec2Model, signature=LABELS_LAST):
    """Transcription.

    Args:
        config: The configuration.
        target_lang: Language whose adapter to load, of a model that has them (`config.adapter_attn_dim`).
    """

    def __init__(self, config: Wav2Vec2Config, target_lang: str | None = None) -> None:
        super().__init__(config)
        self.target_lang = target_lang
        if target_lang is not None and getattr(config, "adapter_attn_dim", None) is None:
            raise ValueError(f"target_lang={target_lang!r} needs adapters, but config.adapter_attn_dim is None")

    def post_init(self) -> None:
        super().post_init()
        self._load_target_language({})


class Wav2Vec2ForSequenceClassification(
    MeanScore, Wav2Vec2PreTrainedModel, body=Wav2Vec2Model, signature=LABELS_LAST
): ...


class Wav2Vec2ForAudioFrameClassification(
    FrameScore, Wav2Vec2PreTrainedModel, body=Wav2Vec2Model, signature=LABELS_FIRST
): ...


class Wav2Vec2ForXVector(XVector, Wav2Vec2PreTrainedModel, body=Wav2Vec2Model, signature=LABELS_LAST): ...
