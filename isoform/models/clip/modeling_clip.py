"""CLIP: a text and an image encoder that put both into one space (Radford et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...layers import Call, FeedForward, attend, model_forward, run_layers, split_heads
from ...modeling_outputs import BaseModelOutputWithPooling
from ...modeling_utils import PreTrainedModel
from ...utils import ModelOutput
from .configuration_clip import CLIPConfig, CLIPTextConfig, CLIPVisionConfig


def contrastive_loss(logits: Tensor) -> Tensor:
    """Cross-entropy of each row's diagonal element among the row: `(n, n)` to `()`."""
    return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def clip_loss(similarity: Tensor) -> Tensor:
    """The mean of the contrastive losses of texts among images and of images among texts; `similarity` is `(n, n)`."""
    return (contrastive_loss(similarity) + contrastive_loss(similarity.t())) / 2


def similarities(text: Tensor, image: Tensor, logit_scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings `(texts, width)` and `(images, width)` at length 1, and their scaled products `(texts, images)`."""
    text, image = (x / x.norm(dim=-1, keepdim=True) for x in (text, image))
    return text, image, text @ image.t().to(text.device) * logit_scale.exp().to(text.device)


@dataclass
class CLIPVisionModelOutput(ModelOutput):
    """Output of an image encoder with projection; `image_embeds` is `(batch, projection)`."""

    image_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class CLIPTextModelOutput(ModelOutput):
    """Output of a text encoder with projection; `text_embeds` is `(batch, projection)`."""

    text_embeds: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class CLIPOutput(ModelOutput):
    """Output of a text and an image encoder.

    Attributes:
        loss: contrastive, `()`, if asked for.
        logits_per_image, logits_per_text: similarities, `(images, texts)` and `(texts, images)`.
        text_embeds, image_embeds: `(batch, projection)`, of length 1.
        text_model_output, vision_model_output: of the encoders.
    """

    loss: Tensor | None = None
    logits_per_image: Tensor | None = None
    logits_per_text: Tensor | None = None
    text_embeds: Tensor | None = None
    image_embeds: Tensor | None = None
    text_model_output: BaseModelOutputWithPooling | None = None
    vision_model_output: BaseModelOutputWithPooling | None = None

    def to_tuple(self) -> tuple[Any, ...]:
        """The values, those of the encoders as tuples too."""
        return tuple(value.to_tuple() if isinstance(value, ModelOutput) else value for value in self.values())


class CLIPVisionEmbeddings(nn.Module):
    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        self.config, self.image_size = config, config.image_size
        width, patch = config.hidden_size, config.patch_size
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.patch_embedding = nn.Conv2d(config.num_channels, width, patch, patch, bias=False)
        self.grid = (config.image_size // patch, config.image_size // patch)
        self.position_embedding = nn.Embedding(self.grid[0] * self.grid[1] + 1, width)

    def forward(self, pixel_values: Tensor) -> Tensor:
        height, width = pixel_values.shape[-2:]
        patches = self.patch_embedding(pixel_values.to(self.patch_embedding.weight.dtype))
        if tuple(patches.shape[2:]) != self.grid:
            raise ValueError(
                f"pixel_values are {height} by {width} pixels, but the model was made for images of"
                f" {self.image_size} by {self.image_size}: resize them (the image processor does)"
            )
        patches = patches.flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat((first, patches), 1) + self.position_embedding.weight


class CLIPTextEmbeddings(nn.Module):
    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(
        self, input_ids: Tensor | None = None, position_ids: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Tensor:
        x = self.token_embedding(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            return x + self.position_embedding.weight[: x.shape[1]]
        return x + self.position_embedding(position_ids)


class CLIPAttention(nn.Module):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        width = config.hidden_size
        self.index, self.num_heads, self.dropout = index, config.num_attention_heads, config.attention_dropout
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = (split_heads(proj(x), self.num_heads) for proj in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(attend(q, k, v, call, self.index, dropout=self.dropout if self.training else 0.0))


class CLIPMLP(FeedForward, up="fc1", down="fc2", act_name="activation_fn"): ...


class CLIPEncoderLayer(nn.Module):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        self.self_attn = CLIPAttention(config, index)
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = CLIPMLP(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x), call)
        return x + self.mlp(self.layer_norm2(x))


class CLIPEncoder(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CLIPEncoderLayer(config, i) for i in range(config.num_hidden_layers))

    def forward(self, x: Tensor, call: Call) -> Tensor:
        return run_layers(self.layers, x, call)


class CLIPPreTrainedModel(PreTrainedModel):
    config_class, base_model_prefix = CLIPConfig, "clip"
    ignored_checkpoint_keys = (r"embeddings\.position_ids$",)

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        for tensor, deviation in _initial_deviations(module, self.config):
            nn.init.normal_(tensor, 0.0, deviation * self.config.initializer_factor)


def _initial_deviations(module: nn.Module, config: Any) -> list[tuple[Tensor, float]]:
    """Deviations of initial weights: of the embeddings by the config, of others by their width (section 2.4)."""
    if isinstance(module, CLIPTextEmbeddings):
        return [(module.token_embedding.weight, 0.02), (module.position_embedding.weight, 0.02)]
    if isinstance(module, CLIPVisionEmbeddings):
        embeddings = (module.patch_embedding.weight, module.position_embedding.weight)
        rest = [(tensor, config.initializer_range) for tensor in embeddings]
        return [(module.class_embedding, module.class_embedding.numel() ** -0.5), *rest]
    if isinstance(module, (CLIPAttention, CLIPMLP)):
        width = config.hidden_size
        inner = width**-0.5 * (2 * config.num_hidden_layers) ** -0.5
        if isinstance(module, CLIPMLP):
            return [(module.fc1.weight, (2 * width) ** -0.5), (module.fc2.weight, inner)]
        inputs = [(proj.weight, inner) for proj in (module.q_proj, module.k_proj, module.v_proj)]
        return [*inputs, (module.out_proj.weight, width**-0.5)]
    projections = (getattr(module, f"{kind}_projection", None) for kind in ("text", "visual"))
    return [(proj.weight, proj.in_features**-0.5) for proj in projections if proj is not None]


class CLIPTextTransformer(CLIPPreTrainedModel):
    config_class, input_embeddings = CLIPTextConfig, "embeddings.token_embedding"

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.embeddings = CLIPTextEmbeddings(config)
        self.encoder = CLIPEncoder(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    @model_forward
    def forward(self, input_ids=None, attention_mask=None, position_ids=None, *, call: Call) -> Any:  # fmt: skip
        if input_ids is None:
            raise ValueError("Nothing to compute on: pass input_ids")
        input_ids = input_ids.view(-1, input_ids.shape[-1])
        x = call.start_encoding(self.embeddings(input_ids, position_ids), attention_mask)
        call.causal = True
        x = self.encoder(x, call)
        last = self.final_layer_norm(x)
        # The state at the end of the text stands for all of it.
        end = self.config.eos_token_id
        # The original vocabulary's end has the highest id; configs of that time wrongly say 2.
        found = input_ids.int() if end == 2 else (input_ids == end).int()
        rows = torch.arange(last.shape[0], device=last.device)
        pooled = last[rows, found.argmax(-1).to(last.device)]
        return call.finish(x, BaseModelOutputWithPooling, last_hidden_state=last, pooler_output=pooled)


class CLIPVisionTransformer(CLIPPreTrainedModel):
    config_class, main_input_name, input_embeddings = CLIPVisionConfig, "pixel_values", "embeddings.patch_embedding"

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        self.embeddings = CLIPVisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)  # so spelt in checkpoints
        self.encoder = CLIPEncoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    @model_forward
    def forward(self, pixel_values=None, *, call: Call) -> Any:
        if pixel_values is None:
            raise ValueError("Nothing to compute on: pass pixel_values")
        x = self.encoder(call.start_encoding(self.pre_layrnorm(self.embeddings(pixel_values))), call)
        return call.finish(x, BaseModelOutputWithPooling, pooler_output=self.post_layernorm(x[:, 0]))


class _TextSide(CLIPPreTrainedModel):
    """What a text encoder is without an image encoder."""

    config_class, input_embeddings = CLIPTextConfig, "text_model.embeddings.token_embedding"
    _no_split_modules = ["CLIPTextEmbeddings", "CLIPEncoderLayer"]

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.text_model = CLIPTextTransformer(config)


class _VisionSide(CLIPPreTrainedModel):
    """What an image encoder is without a text encoder."""

    config_class, main_input_name = CLIPVisionConfig, "pixel_values"
    input_embeddings = "vision_model.embeddings.patch_embedding"
    _no_split_modules = ["CLIPEncoderLayer"]

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        self.vision_model = CLIPVisionTransformer(config)


class CLIPTextModel(_TextSide):
    def forward(self, *args: Any, **inputs: Any) -> Any:
        return self.text_model(*args, **inputs)

    forward.__signature__ = CLIPTextTransformer.forward.__signature__  # type: ignore[attr-defined]


class CLIPVisionModel(_VisionSide):
    def forward(self, *args: Any, **inputs: Any) -> Any:
        return self.vision_model(*args, **inputs)

    forward.__signature__ = CLIPVisionTransformer.forward.__signature__  # type: ignore[attr-defined]


class CLIPTextModelWithProjection(_TextSide):
    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.text_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)

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
        states = self.text_model(input_ids, attention_mask, position_ids, output_attentions, output_hidden_states, True)
        embeds = self.text_projection(states.pooler_output)
        output = CLIPTextModelOutput(embeds, states.last_hidden_state, states.hidden_states, states.attentions)
        return _returned(self, output, return_dict)


class CLIPVisionModelWithProjection(_VisionSide):
    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        self.visual_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """The image encoder's states, and `image_embeds` `(batch, projection_dim)`."""
        states = self.vision_model(pixel_values, output_attentions, output_hidden_states, True)
        embeds = self.visual_projection(states.pooler_output)
        output = CLIPVisionModelOutput(embeds, states.last_hidden_state, states.hidden_states, states.attentions)
        return _returned(self, output, return_dict)


def _returned(model: PreTrainedModel, output: Any, return_dict: bool | None) -> Any:
    return output if (model.config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()


class CLIPModel(CLIPPreTrainedModel):
    _no_split_modules = ["CLIPTextEmbeddings", "CLIPEncoderLayer"]

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        if config._attn_implementation_internal is not None:
            text._attn_implementation = vision._attn_implementation = config._attn_implementation
        self.projection_dim = config.projection_dim
        self.text_embed_dim, self.vision_embed_dim = text.hidden_size, vision.hidden_size
        self.text_model = CLIPTextTransformer(text)
        self.vision_model = CLIPVisionTransformer(vision)
        self.visual_projection = nn.Linear(vision.hidden_size, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(text.hidden_size, config.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))

    def _flags(self, output_attentions: bool | None, output_hidden_states: bool | None) -> tuple[bool, bool]:
        config = self.config
        return (
            config.output_attentions if output_attentions is None else output_attentions,
            config.output_hidden_states if output_hidden_states is None else output_hidden_states,
        )

    def get_text_features(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Texts in the shared space, `(batch, projection_dim)`, not yet of length 1. The flags have no effect."""
        return self.text_projection(self.text_model(input_ids, attention_mask, position_ids).pooler_output)

    def get_image_features(
        self,
        pixel_values: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Images in the shared space, `(batch, projection_dim)`, not yet of length 1. The flags have no effect."""
        return self.visual_projection(self.vision_model(pixel_values).pooler_output)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        return_loss: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Compares each text with each image.

        Args:
            input_ids: `(texts, sequence)`.
            pixel_values: `(images, channels, height, width)`.
            attention_mask: `(texts, sequence)`, 1 for tokens and 0 for padding.
            position_ids: `(texts, sequence)`, by default counted from 0.
            return_loss: also the contrastive loss, for as many texts as images, each the match of the other.
        """
        flags = self._flags(output_attentions, output_hidden_states)
        images = self.vision_model(pixel_values, *flags, return_dict=True)
        texts = self.text_model(input_ids, attention_mask, position_ids, *flags, return_dict=True)
        text, image, logits = similarities(
            self.text_projection(texts.pooler_output), self.visual_projection(images.pooler_output), self.logit_scale
        )
        output = CLIPOutput(
            loss=clip_loss(logits) if return_loss else None,
            logits_per_image=logits.t(),
            logits_per_text=logits,
            text_embeds=text,
            image_embeds=image,
            text_model_output=texts,
            vision_model_output=images,
        )
        return _returned(self, output, return_dict)
