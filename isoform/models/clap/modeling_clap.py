"""CLAP: a text and a sound encoder that put both into one space (Wu et al. 2023).

The text encoder is RoBERTa. The sound encoder is Swin, over spectrograms that are folded into squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...activations import ACT2FN
from ...layers import Call, model_forward
from ...layers.patches import pair
from ...modeling_outputs import BaseModelOutputWithPooling
from ...modeling_utils import PreTrainedModel
from ...utils import ModelOutput
from ..bert.modeling_bert import BertModel
from ..clip.modeling_clip import contrastive_loss
from ..roberta.modeling_roberta import RobertaEmbeddings, RobertaLayer
from ..swin.modeling_swin import SwinEncoder
from .configuration_clap import CLAP_PRETRAINED_MODEL_ARCHIVE_LIST as CLAP_PRETRAINED_MODEL_ARCHIVE_LIST
from .configuration_clap import ClapAudioConfig, ClapConfig, ClapTextConfig


@dataclass
class ClapTextModelOutput(ModelOutput):
    """Output of a text encoder with projection; `text_embeds` is `(batch, projection)`."""

    text_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class ClapAudioModelOutput(ModelOutput):
    """Output of a sound encoder with projection; `audio_embeds` is `(batch, projection)`."""

    audio_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class ClapOutput(ModelOutput):
    """Output of a text and a sound encoder.

    Attributes:
        loss: contrastive, `()`, if asked for.
        logits_per_audio, logits_per_text: similarities, `(sounds, texts)` and `(texts, sounds)`.
        text_embeds, audio_embeds: `(batch, projection)`, of length 1.
        text_model_output, audio_model_output: of the encoders.
    """

    loss: Tensor | None = None
    logits_per_audio: Tensor | None = None
    logits_per_text: Tensor | None = None
    text_embeds: Tensor | None = None
    audio_embeds: Tensor | None = None
    text_model_output: BaseModelOutputWithPooling | None = None
    audio_model_output: BaseModelOutputWithPooling | None = None

    def to_tuple(self) -> tuple[Any, ...]:
        """The values, those of the encoders as tuples too."""
        return tuple(value.to_tuple() if isinstance(value, ModelOutput) else value for value in self.values())


class ClapAudioAFFBlock(nn.Module):
    """Weighs two maps `(batch, channels, rows, columns)` against each other (Dai et al. 2021)."""

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__()
        width = config.patch_embeds_hidden_size
        inner = width // config.aff_block_r

        def narrow() -> list[nn.Module]:
            first, second = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
            return [first, nn.BatchNorm2d(inner), nn.ReLU(), second, nn.BatchNorm2d(width)]

        self.local_att = nn.Sequential(*narrow())
        self.global_att = nn.Sequential(nn.AdaptiveAvgPool2d(1), *narrow())

    def forward(self, hidden_states: Tensor, residual: Tensor) -> Tensor:
        both = hidden_states + residual
        share = (self.local_att(both) + self.global_att(both)).sigmoid()
        return 2 * hidden_states * share + 2 * residual * (1 - share)


class ClapAudioPatchEmbed(nn.Module):
    """Patches of spectrograms. With fusion, the view of the whole is enriched by those of the parts."""

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__()
        size, self.patch_stride = pair(config.patch_size), pair(config.patch_stride)
        self.img_size = (config.spec_size, config.spec_size)
        self.grid_size = tuple(side // stride for side, stride in zip(self.img_size, self.patch_stride, strict=True))
        self.num_patches = self.grid_size[0] * self.grid_size[1]
        self.flatten, self.enable_fusion = config.flatten_patch_embeds, config.enable_fusion
        inputs, width = config.patch_embed_input_channels, config.patch_embeds_hidden_size
        padding = tuple((side - stride) // 2 for side, stride in zip(size, self.patch_stride, strict=True))
        channels = inputs * (4 if config.enable_fusion and config.fusion_type == "channel_map" else 1)
        self.proj = nn.Conv2d(channels, width, size, self.patch_stride, padding)  # type: ignore[arg-type]
        self.norm = nn.LayerNorm(width) if config.enable_patch_layer_norm else nn.Identity()
        if config.enable_fusion:
            self.fusion_model = ClapAudioAFFBlock(config)
            wide, stride = (size[0], size[1] * 3), (self.patch_stride[0], self.patch_stride[1] * 3)
            self.mel_conv2d = nn.Conv2d(inputs, width, wide, stride, padding)  # type: ignore[arg-type]

    def forward(self, x: Tensor, is_longer: Tensor | None = None) -> Tensor:
        """`(batch, 1 or 4, rows, columns)` to `(batch, patches, width)`; `is_longer` `(batch,)` marks what to fuse."""
        if x.shape[2] != self.img_size[0] or x.shape[3] != self.img_size[1]:
            raise ValueError(
                f"Input audio size ({x.shape[2]}*{x.shape[3]}) doesn't match model"
                f" ({self.img_size[0]}*{self.img_size[1]})."
            )
        patches = self.proj(x[:, :1] if self.enable_fusion else x)
        if self.enable_fusion:
            if is_longer is None:
                raise ValueError(
                    "This model fuses views of long sounds: pass `is_longer`, as the feature extractor does"
                )
            patches = self._fused(patches, x[:, 1:], is_longer)
        if self.flatten:
            patches = patches.flatten(2).transpose(1, 2)
        return self.norm(patches)

    def _fused(self, patches: Tensor, parts: Tensor, is_longer: Tensor) -> Tensor:
        if not self.training:  # each sound for itself: the same graph for any choice of sounds
            fused = self.fusion_model(patches, self._of_parts(parts, patches.shape[-1]))
            return torch.where(is_longer[:, None, None, None], fused, patches)
        rows = is_longer.nonzero().flatten()  # the batch's statistics are of the longer sounds alone
        if len(rows) == 0:
            return patches
        fused = self.fusion_model(patches[rows], self._of_parts(parts[rows], patches.shape[-1]))
        return patches.index_copy(0, rows, fused)

    def _of_parts(self, parts: Tensor, columns: int) -> Tensor:
        """The parts beside each other, `(batch, width, rows, columns)`."""
        batch, count = parts.shape[:2]
        maps = self.mel_conv2d(parts.flatten(0, 1)[:, None])
        maps = maps.unflatten(0, (batch, count)).permute(0, 2, 3, 1, 4).flatten(3)
        return F.pad(maps, (0, columns - maps.shape[-1]))


class ClapAudioEncoder(SwinEncoder):
    """Swin over spectrograms."""

    def __init__(self, config: ClapAudioConfig) -> None:
        names = {"embed_dim": config.patch_embeds_hidden_size, "num_heads": config.num_attention_heads}
        super().__init__(SimpleNamespace(**{**vars(config), **names}))  # type: ignore[arg-type]
        stages = len(config.depths)
        self.patch_embed = ClapAudioPatchEmbed(config)
        self.enable_fusion, self.spec_size = config.enable_fusion, config.spec_size
        self.freq_ratio = config.spec_size // config.num_mel_bins
        self.num_features = config.patch_embeds_hidden_size * 2 ** (stages - 1)
        self.batch_norm = nn.BatchNorm2d(config.num_mel_bins)
        self.norm = nn.LayerNorm(self.num_features)

    def reshape_mel2img(self, normalized_input_features: Tensor) -> Tensor:
        """Fold spectrograms `(batch, views, frames, mels)` into squares: parts of the time, one above the other."""
        x, ratio = normalized_input_features, self.freq_ratio
        width, height = self.spec_size * ratio, self.spec_size // ratio
        frames, mels = x.shape[2:]
        if frames > width or mels > height:
            raise ValueError(
                f"input_features have {frames} frames and {mels} mels, the model takes at most {width} and {height}"
            )
        if frames < width:
            x = F.interpolate(x, (width, mels), mode="bicubic", align_corners=True)
        if mels < height:
            x = F.interpolate(x, (width, height), mode="bicubic", align_corners=True)
        x = x.unflatten(2, (ratio, width // ratio))
        return x.permute(0, 1, 2, 4, 3).flatten(2, 3)

    def spectrogram_maps(self, x: Tensor, is_longer: Tensor | None, call: Call) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Last states `(batch, width, mels, frames)`, their mean `(batch, width)`, and what was recorded as maps."""
        if is_longer is not None:
            is_longer = is_longer.to(x.device).view(x.shape[0], -1).bool().any(1)
        x = self.reshape_mel2img(self.batch_norm(x.transpose(1, 3)).transpose(1, 3))
        side = x.shape[2]
        x = self.patch_embed(x, is_longer)
        x, _, maps = self(x, self.patch_embed.grid_size, call)
        down = 2 ** (len(self.layers) - 1)
        rows, columns = (side // down // stride for stride in self.patch_embed.patch_stride)
        x = self.norm(x).transpose(1, 2).unflatten(2, (rows, columns))
        # Unfold: the parts of the time, one above the other, come beside each other again.
        mels = rows // self.freq_ratio
        x = x.unflatten(2, (rows // mels, mels)).transpose(2, 3).flatten(3)
        return x, x.flatten(2).mean(-1), maps


class ClapProjectionLayer(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.linear1 = nn.Linear(config.hidden_size, config.projection_dim)
        self.activation = ACT2FN[config.projection_hidden_act]
        self.linear2 = nn.Linear(config.projection_dim, config.projection_dim)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.linear2(self.activation(self.linear1(hidden_states)))


class ClapTextEmbeddings(RobertaEmbeddings):
    """RoBERTa's, whose checkpoints also hold the ids of positions and types."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.register_buffer("position_ids", torch.arange(config.max_position_embeddings)[None])
        self.register_buffer("token_type_ids", torch.zeros(1, config.max_position_embeddings, dtype=torch.long))


class ClapTextLayer(RobertaLayer): ...


class ClapPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix = ClapConfig, "clap"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        config, factor = self.config, self.config.initializer_factor
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0.0, factor * 0.02)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            deviation = config.hidden_size**-0.5 * (2 * config.num_hidden_layers) ** -0.5 * factor
            nn.init.normal_(module.weight, 0.0, deviation)


class ClapTextModel(ClapPreTrainedModel, BertModel):
    config_class, input_embeddings = ClapTextConfig, "embeddings.word_embeddings"
    parts = (ClapTextEmbeddings, ClapTextLayer)


class ClapAudioModel(ClapPreTrainedModel):
    config_class, main_input_name = ClapAudioConfig, "input_features"
    input_embeddings = "audio_encoder.patch_embed.proj"

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__(config)
        self.audio_encoder = ClapAudioEncoder(config)

    @model_forward
    def forward(self, input_features=None, is_longer=None, *, call: Call) -> Any:
        if input_features is None:
            raise ValueError("Nothing to compute on: pass input_features")
        last, pooled, maps = self.audio_encoder.spectrogram_maps(input_features, is_longer, call)
        if call.hidden_states is not None:
            call.hidden_states = maps[:-1]
        return call.finish(maps[-1], BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


class ClapTextModelWithProjection(ClapPreTrainedModel):
    config_class, input_embeddings = ClapTextConfig, "text_model.embeddings.word_embeddings"

    def __init__(self, config: ClapTextConfig) -> None:
        super().__init__(config)
        self.text_model = ClapTextModel(config)
        self.text_projection = ClapProjectionLayer(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """The text encoder's states, and `text_embeds` `(batch, projection_dim)`."""
        states = _run(
            self.text_model,
            (output_attentions, output_hidden_states),
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
        )
        embeds = self.text_projection(states.pooler_output)
        output = ClapTextModelOutput(embeds, states.last_hidden_state, states.hidden_states, states.attentions)
        return _returned(self, output, return_dict)


class ClapAudioModelWithProjection(ClapPreTrainedModel):
    config_class, main_input_name = ClapAudioConfig, "input_features"
    input_embeddings = "audio_model.audio_encoder.patch_embed.proj"

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__(config)
        self.audio_model = ClapAudioModel(config)
        self.audio_projection = ClapProjectionLayer(config)

    def forward(
        self,
        input_features: Tensor | None = None,
        is_longer: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """The sound encoder's states, and `audio_embeds` `(batch, projection_dim)`."""
        flags = (output_attentions, output_hidden_states)
        states = _run(self.audio_model, flags, input_features=input_features, is_longer=is_longer)
        embeds = self.audio_projection(states.pooler_output)
        output = ClapAudioModelOutput(embeds, states.last_hidden_state, states.hidden_states, states.attentions)
        return _returned(self, output, return_dict)


def _run(model: PreTrainedModel, flags: tuple[bool | None, bool | None], **inputs: Any) -> Any:
    return model(**inputs, output_attentions=flags[0], output_hidden_states=flags[1], return_dict=True)


def _returned(model: PreTrainedModel, output: Any, return_dict: bool | None) -> Any:
    return output if (model.config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()


class ClapModel(ClapPreTrainedModel):
    def __init__(self, config: ClapConfig) -> None:
        super().__init__(config)
        text, audio = config.text_config, config.audio_config
        if config._attn_implementation_internal is not None:
            text._attn_implementation = audio._attn_implementation = config._attn_implementation
        self.logit_scale_a = nn.Parameter(torch.tensor(math.log(config.logit_scale_init_value)))
        self.logit_scale_t = nn.Parameter(torch.tensor(math.log(config.logit_scale_init_value)))
        self.projection_dim = config.projection_dim
        self.text_model = ClapTextModel(text)
        self.text_projection = ClapProjectionLayer(text)
        self.audio_model = ClapAudioModel(audio)
        self.audio_projection = ClapProjectionLayer(audio)

    def get_text_features(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Texts in the shared space, `(batch, projection_dim)`, of length 1. The flags have no effect."""
        states = self.text_model(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids)
        return F.normalize(self.text_projection(states["pooler_output"]), dim=-1)

    def get_audio_features(
        self,
        input_features: Tensor | None = None,
        is_longer: Tensor | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Sounds in the shared space, `(batch, projection_dim)`, of length 1. Mask and flags have no effect."""
        states = self.audio_model(input_features=input_features, is_longer=is_longer)
        return F.normalize(self.audio_projection(states["pooler_output"]), dim=-1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        is_longer: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        return_loss: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Compares each text with each sound.

        Args:
            input_ids: `(texts, sequence)`.
            input_features: `(sounds, 1 or 4, frames, mels)`.
            is_longer: `(sounds, 1)`, whether a sound is longer than the model sees; for models with fusion.
            attention_mask: `(texts, sequence)`, 1 for tokens and 0 for padding.
            position_ids: `(texts, sequence)`, by default counted after padding.
            return_loss: also the contrastive loss, for as many texts as sounds, each the match of the other.
        """
        config = self.config
        flags = (
            config.output_attentions if output_attentions is None else output_attentions,
            config.output_hidden_states if output_hidden_states is None else output_hidden_states,
        )
        sounds = _run(self.audio_model, flags, input_features=input_features, is_longer=is_longer)
        texts = _run(
            self.text_model, flags, input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids
        )
        audio = self.audio_projection(sounds.pooler_output)
        text = self.text_projection(texts.pooler_output)
        audio, text = (x / x.norm(dim=-1, keepdim=True) for x in (audio, text))
        per_text = text @ audio.t() * self.logit_scale_t.exp()
        per_audio = audio @ text.t() * self.logit_scale_a.exp()
        output = ClapOutput(
            loss=(contrastive_loss(per_text) + contrastive_loss(per_audio.t())) / 2 if return_loss else None,
            logits_per_audio=per_audio,
            logits_per_text=per_text,
            text_embeds=text,
            audio_embeds=audio,
            text_model_output=texts,
            audio_model_output=sounds,
        )
        return _returned(self, output, return_dict)
