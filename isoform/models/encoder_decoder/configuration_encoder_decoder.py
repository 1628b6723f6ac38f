"""Configuration of a model that consists of an encoder and a decoder of any architectures."""

from __future__ import annotations

from typing import Any, TypeVar

from ...configuration_utils import PretrainedConfig
from ...errors import ConfigError

Config = TypeVar("Config", bound="EncoderDecoderConfig")


def part_config(owner: PretrainedConfig, name: str, value: Any) -> PretrainedConfig:
    """A part's configuration from a dictionary with its `model_type`, or as it is.

    Raises:
        ConfigError: it is neither, or does not say its model type.
    """
    if isinstance(value, PretrainedConfig):
        return value
    if not isinstance(value, dict) or not value.get("model_type"):
        expected = f"a configuration, or a dictionary with its model_type, for {type(owner).__name__}"
        raise ConfigError(field=name, expected=expected, found=value)
    from ..auto.configuration_auto import AutoConfig

    values = dict(value)
    return AutoConfig.for_model(values.pop("model_type"), **values)


class EncoderDecoderConfig(PretrainedConfig):
    """Configurations of an encoder and of a decoder.

    Args:
        kwargs: `encoder` and `decoder`, dictionaries with their `model_type`, and what all configurations have.
    """

    model_type = "encoder-decoder"
    is_composition = True

    def __init__(self, **kwargs: Any) -> None:
        parts = {name: part_config(self, name, kwargs.pop(name, None)) for name in ("encoder", "decoder")}
        super().__init__(**kwargs)
        self.encoder, self.decoder = parts["encoder"], parts["decoder"]
        self.is_encoder_decoder = True

    @classmethod
    def from_encoder_decoder_configs(
        cls: type[Config], encoder_config: PretrainedConfig, decoder_config: PretrainedConfig, **kwargs: Any
    ) -> Config:
        """Combine two configurations; that of the decoder is set to decode, with cross-attention.

        Args:
            encoder_config, decoder_config: Of the parts.
            kwargs: Further settings of the whole.
        """
        decoder_config.is_decoder = decoder_config.add_cross_attention = True
        return cls(encoder=encoder_config.to_dict(), decoder=decoder_config.to_dict(), **kwargs)
