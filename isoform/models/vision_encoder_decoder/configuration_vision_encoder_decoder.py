"""Configuration of a model that consists of an image encoder and a text decoder of any architectures."""

from __future__ import annotations

from ..encoder_decoder.configuration_encoder_decoder import EncoderDecoderConfig


class VisionEncoderDecoderConfig(EncoderDecoderConfig):
    """Configurations of an image encoder and of a text decoder.

    Args:
        kwargs: `encoder` and `decoder`, dictionaries with their `model_type`, and what all configurations have.
    """

    model_type = "vision-encoder-decoder"
