"""An image and a text encoder of any two architectures that put both into one space (Zhai et al. 2021)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...configuration_utils import PretrainedConfig
from ...modeling_utils import PreTrainedModel
from ...utils import logging
from ..clip.modeling_clip import CLIPOutput, CLIPVisionModel, clip_loss, contrastive_loss, similarities  # noqa: F401
from ..encoder_decoder.modeling_encoder_decoder import Composite, take_options
from .configuration_vision_text_dual_encoder import VisionTextDualEncoderConfig

logger = logging.get_logger(__name__)


class VisionTextDualEncoderModel(Composite):
    """An image encoder and a text encoder, with projections of their pooled states into one space.

    Args:
        config: Of the whole; may be left out where both parts are given.
        vision_model, text_model: The parts; made with new weights where they are left out.
    """

    config_class, base_model_prefix = VisionTextDualEncoderConfig, "vision_text_dual_encoder"
    parts = {"vision_model": "vision_config", "text_model": "text_config"}

    def __init__(
        self,
        config: VisionTextDualEncoderConfig | None = None,
        vision_model: PreTrainedModel | None = None,
        text_model: PreTrainedModel | None = None,
    ) -> None:
        super().__init__(config, vision_model, text_model)
        config = self.config
        self.vision_embed_dim, self.text_embed_dim = config.vision_config.hidden_size, config.text_config.hidden_size
        self.projection_dim = config.projection_dim
        self.visual_projection = nn.Linear(self.vision_embed_dim, self.projection_dim, bias=False)
        self.text_projection = nn.Linear(self.text_embed_dim, self.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))

    @classmethod
    def joined_config(cls, *configs: PretrainedConfig, **options: Any) -> Any:
        return VisionTextDualEncoderConfig.from_vision_text_configs(*configs, **options)

    @classmethod
    def load_model(cls, name: str, name_or_path: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if name == "vision" and options["config"].model_type == "clip":
            options["config"] = options["config"].vision_config
            return CLIPVisionModel.from_pretrained(name_or_path, *args, **options)
        return super().load_model(name, name_or_path, args, options)

    @classmethod
    def from_vision_text_pretrained(
        cls,
        vision_model_name_or_path: Any = None,
        text_model_name_or_path: Any = None,
        *model_args: Any,
        **kwargs: Any,
    ) -> VisionTextDualEncoderModel:
        """Join two pretrained models. The projections into the shared space are new: train them.

        Args:
            vision_model_name_or_path: Folder or Hub id of the image encoder (of a CLIP model its image encoder is
                taken).
            text_model_name_or_path: Folder or Hub id of the text encoder.
            model_args: Positional arguments of the constructors of both.
            kwargs: Options of the parts begin with `vision_` and `text_` (`text_model` is a model to take as it is);
                the others are settings of the whole.
        """
        vision_options, text_options = take_options(kwargs, "vision_"), take_options(kwargs, "text_")
        vision = cls.load_part("vision", vision_model_name_or_path, model_args, vision_options)
        text = cls.load_part("text", text_model_name_or_path, model_args, text_options)
        config = cls.joined_config(vision.config, text.config, **kwargs)
        model = cls(config=config, vision_model=vision, text_model=text)
        logger.warning(
            "The projections and the scale (visual_projection, text_projection, logit_scale) are newly initialised:"
            " train the model before you rely on its answers."
        )
        return model

    def get_text_features(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Texts in the shared space, `(batch, projection_dim)`, not yet of length 1. The flags have no effect."""
        texts = self._encode_texts(input_ids, attention_mask, position_ids, token_type_ids)
        return self.text_projection(texts.pooler_output)

    def get_image_features(
        self,
        pixel_values: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Tensor:
        """Images in the shared space, `(batch, projection_dim)`, not yet of length 1. The flags have no effect."""
        return self.visual_projection(self.vision_model(pixel_values=pixel_values, return_dict=True).pooler_output)

    def _encode_texts(self, ids: Any, mask: Any, positions: Any, types: Any, **flags: Any) -> Any:
        given = {"input_ids": ids, "attention_mask": mask, "position_ids": positions, "token_type_ids": types}
        given = {name: value for name, value in given.items() if value is not None}  # not all know all of them
        return self.text_model(**given, **flags, return_dict=True)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        return_loss: bool | None = None,
        token_type_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Compare each text with each image.

        Args:
            input_ids: `(texts, sequence)`.
            pixel_values: `(images, channels, height, width)`.
            attention_mask, position_ids, token_type_ids: `(texts, sequence)`.
            return_loss: Also the contrastive loss, for as many texts as images, each the match of the other.
        """
        flags = {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states}
        images = self.vision_model(pixel_values=pixel_values, **flags, return_dict=True)
        texts = self._encode_texts(input_ids, attention_mask, position_ids, token_type_ids, **flags)
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
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()
