"""An image encoder and a text decoder of any two architectures, joined by cross-attention (Li et al. 2021)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...heads.seq2seq import shift_tokens_right  # noqa: F401
from ..encoder_decoder.modeling_encoder_decoder import EncoderDecoderPair
from .configuration_vision_encoder_decoder import VisionEncoderDecoderConfig


class VisionEncoderDecoderModel(EncoderDecoderPair):
    """An image encoder, and a text decoder with cross-attention over its states.

    Args:
        config: Of the whole; may be left out where both parts are given.
        encoder, decoder: The parts; made with new weights where they are left out.
    """

    config_class, base_model_prefix = VisionEncoderDecoderConfig, "vision_encoder_decoder"
    main_input_name = "pixel_values"

    @classmethod
    def joined_config(cls, *configs: Any, **options: Any) -> Any:
        config = super().joined_config(*configs, **options)
        config.tie_word_embeddings = False  # the encoder has no words
        return config

    def forward(
        self,
        pixel_values: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Encode the images, then decode.

        Args:
            pixel_values: `(batch, channels, height, width)`.
            decoder_input_ids, decoder_attention_mask, decoder_inputs_embeds: Of the decoder, `(batch, length)`; by
                default the labels, shifted to the right.
            encoder_outputs: Of an earlier pass, instead of the images.
            past_key_values: The decoder's cache, as an earlier pass returned it.
            labels: `(batch, length)`, what the decoder is to say; -100 is left out of the loss.
            kwargs: Further inputs of the encoder; of the decoder where they begin with `decoder_`.
        """
        if encoder_outputs is None and pixel_values is None:
            raise ValueError("Nothing to encode: pass pixel_values")
        return self._run(
            {"pixel_values": pixel_values},
            encoder_outputs,
            {
                "input_ids": decoder_input_ids,
                "attention_mask": decoder_attention_mask,
                "inputs_embeds": decoder_inputs_embeds,
                "past_key_values": past_key_values,
                "use_cache": use_cache,
            },
            labels,
            {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states},
            return_dict,
            kwargs,
        )

    def prepare_inputs_for_generation(self, input_ids: Tensor, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        inputs = super().prepare_inputs_for_generation(input_ids, **kwargs)
        return {"pixel_values": None, **{k: v for k, v in inputs.items() if k != "attention_mask"}}
