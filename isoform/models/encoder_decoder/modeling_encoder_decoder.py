"""An encoder and a decoder of any two architectures, joined by cross-attention (Rothe et al. 2019)."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from torch import Tensor, nn

from ...configuration_utils import PretrainedConfig
from ...heads.losses import token_loss
from ...heads.seq2seq import shift_tokens_right
from ...modeling_outputs import BaseModelOutput, Seq2SeqLMOutput
from ...modeling_utils import PreTrainedModel
from ...utils import logging
from ...utils.generic import ModelOutput
from .configuration_encoder_decoder import EncoderDecoderConfig

logger = logging.get_logger(__name__)

Model = TypeVar("Model", bound="Composite")
Pair = TypeVar("Pair", bound="EncoderDecoderPair")


def take_options(options: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Those options whose names begin with `prefix`, without it; they are removed from `options`."""
    return {name.removeprefix(prefix): options.pop(name) for name in list(options) if name.startswith(prefix)}


class Composite(PreTrainedModel):
    """A model of two parts that are models of any architectures.

    Class attributes:
        parts: attribute names of the parts, and their names in the configuration.
    """

    parts: dict[str, str] = {}

    def __init__(self, config: Any = None, *models: PreTrainedModel | None) -> None:
        if config is None:
            if any(model is None for model in models):
                names = " and ".join(f"`{name}`" for name in self.parts)
                raise ValueError(f"{type(self).__name__} needs a `config`, or {names}")
            config = self.joined_config(*(model.config for model in models))  # type: ignore[union-attr]
        elif not isinstance(config, self.config_class):  # type: ignore[arg-type]
            raise ValueError(
                f"{type(self).__name__} expects a {self.config_class.__name__}, found {type(config).__name__}"  # type: ignore[union-attr]
            )
        super().__init__(config)
        for (name, key), model in zip(self.parts.items(), models, strict=True):
            own = getattr(config, key)
            if config._attn_implementation_internal is not None:
                own._attn_implementation = config._attn_implementation
            model = self.build_part(name, own) if model is None else model
            model.config = own  # changes of the whole's configuration reach the part
            setattr(self, name, model)
        made = [getattr(self, name) for name in self.parts]
        self.ignored_checkpoint_keys = tuple(pattern for model in made for pattern in model.ignored_checkpoint_keys)
        self._tied_weights_keys = [key for model in made for key in model._tied_weights_keys or ()]

    @classmethod
    def joined_config(cls, *configs: PretrainedConfig, **options: Any) -> Any:
        """The whole's configuration from those of the parts."""
        raise NotImplementedError

    def build_part(self, name: str, config: Any) -> PreTrainedModel:
        """A part with new weights."""
        from ..auto.modeling_auto import AutoModel

        return AutoModel.from_config(config)

    @classmethod
    def load_part(cls, name: str, name_or_path: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """A part from the caller's options: a model, or a checkpoint and what to load it with."""
        model = options.pop("model", None)
        if model is not None:
            return model
        if name_or_path is None:
            raise ValueError(f"Nothing to load the {name} from: pass a name or path, or a model as `{name}_model`")
        from ..auto.configuration_auto import AutoConfig

        if "config" not in options:
            config, options = AutoConfig.from_pretrained(name_or_path, return_unused_kwargs=True, **options)
            options["config"] = config
        return cls.load_model(name, name_or_path, args, options)

    @classmethod
    def load_model(cls, name: str, name_or_path: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """A part from a checkpoint; `options` has its configuration."""
        from ..auto.modeling_auto import AutoModel

        return AutoModel.from_pretrained(name_or_path, *args, **options)

    def tie_weights(self) -> None:
        """Tie the weights of the parts, each as its own configuration says."""
        for name in self.parts:
            getattr(self, name).tie_weights()


class EncoderDecoderPair(Composite):
    """An encoder, and a decoder with cross-attention over its states.

    Class attributes:
        masks_padding: what the decoder reads of labels is masked where it is padding.
    """

    parts = {"encoder": "encoder", "decoder": "decoder"}
    masks_padding = False
    encoder: PreTrainedModel
    decoder: PreTrainedModel

    def __init__(
        self,
        config: Any = None,
        encoder: PreTrainedModel | None = None,
        decoder: PreTrainedModel | None = None,
    ) -> None:
        super().__init__(config, encoder, decoder)
        source, target = self.config.encoder.hidden_size, self.config.decoder
        if target.cross_attention_hidden_size not in (None, source):
            raise ValueError(
                f"`cross_attention_hidden_size` of the decoder is {target.cross_attention_hidden_size}, but the"
                f" encoder's `hidden_size` is {source}: they must be equal"
            )
        if self.encoder.get_output_embeddings() is not None:
            raise ValueError(
                f"The encoder, {type(self.encoder).__name__}, has a language modelling head: pass its body instead"
            )
        if "encoder_hidden_states" not in inspect.signature(self.decoder.forward).parameters:
            raise ValueError(f"The decoder, {type(self.decoder).__name__}, has no cross-attention")
        self.enc_to_dec_proj = None
        if source != target.hidden_size and target.cross_attention_hidden_size is None:
            self.enc_to_dec_proj = nn.Linear(source, target.hidden_size)

    @classmethod
    def joined_config(cls, *configs: PretrainedConfig, **options: Any) -> Any:
        return cls.config_class.from_encoder_decoder_configs(*configs, **options)  # type: ignore[union-attr]

    def build_part(self, name: str, config: Any) -> PreTrainedModel:
        from ..auto.modeling_auto import AutoModelForCausalLM

        return AutoModelForCausalLM.from_config(config) if name == "decoder" else super().build_part(name, config)

    @classmethod
    def load_model(cls, name: str, name_or_path: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        from ..auto.modeling_auto import AutoModelForCausalLM

        config = options["config"]
        if name == "encoder":
            config.is_decoder = config.add_cross_attention = False
            return super().load_model(name, name_or_path, args, options)
        if not (config.is_decoder and config.add_cross_attention):
            logger.info(f"{name_or_path} becomes a decoder: its cross-attention layers are newly initialised.")
            config.is_decoder = config.add_cross_attention = True
        return AutoModelForCausalLM.from_pretrained(name_or_path, **options)

    @classmethod
    def from_encoder_decoder_pretrained(
        cls: type[Pair],
        encoder_pretrained_model_name_or_path: Any = None,
        decoder_pretrained_model_name_or_path: Any = None,
        *model_args: Any,
        **kwargs: Any,
    ) -> Pair:
        """Join two pretrained models. The cross-attention is new where the decoder's checkpoint has none: train it.

        Args:
            encoder_pretrained_model_name_or_path: Folder or Hub id of the encoder.
            decoder_pretrained_model_name_or_path: Folder or Hub id of the decoder.
            model_args: Positional arguments of the encoder's constructor.
            kwargs: Options of the parts begin with `encoder_` and `decoder_` (`encoder_model` is a model to take as
                it is); the others are settings of the whole.
        """
        encoder_options, decoder_options = take_options(kwargs, "encoder_"), take_options(kwargs, "decoder_")
        encoder = cls.load_part("encoder", encoder_pretrained_model_name_or_path, model_args, encoder_options)
        decoder = cls.load_part("decoder", decoder_pretrained_model_name_or_path, (), decoder_options)
        config = cls.joined_config(encoder.config, decoder.config, **kwargs)
        return cls(config=config, encoder=encoder, decoder=decoder)

    def tie_weights(self) -> None:
        super().tie_weights()
        if self.config.tie_encoder_decoder:
            self._tie_encoder_decoder_weights(self.encoder, self.decoder.base_model, self.decoder.base_model_prefix)

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def get_output_embeddings(self) -> nn.Module | None:
        return self.decoder.get_output_embeddings()

    def set_output_embeddings(self, value: nn.Module) -> None:
        self.decoder.set_output_embeddings(value)

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> Any:
        """Not here: the parts have vocabularies of their own."""
        raise NotImplementedError("Resize the parts: model.encoder.resize_token_embeddings(…) or model.decoder.…")

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """What the decoder reads to predict `labels` `(batch, length)`."""
        return shift_tokens_right(labels, self.config.pad_token_id, self.config.decoder_start_token_id)

    def _run(
        self,
        encoder_inputs: dict[str, Any],
        encoder_outputs: Any,
        decoder_inputs: dict[str, Any],
        labels: Tensor | None,
        flags: dict[str, Any],
        return_dict: bool | None,
        further: dict[str, Any],
    ) -> Any:
        """Both parts and the loss. `further` are the caller's other arguments, the decoder's with a prefix."""
        for_decoder = take_options(further, "decoder_")
        if encoder_outputs is None:
            encoder_outputs = self.encoder(**encoder_inputs, **flags, **further, return_dict=True)
        elif not isinstance(encoder_outputs, ModelOutput):
            encoder_outputs = BaseModelOutput(*encoder_outputs)
        states = encoder_outputs[0]
        if self.enc_to_dec_proj is not None:
            states = self.enc_to_dec_proj(states)
        if labels is not None and decoder_inputs["input_ids"] is None and decoder_inputs["inputs_embeds"] is None:
            ids = decoder_inputs["input_ids"] = self.prepare_decoder_input_ids_from_labels(labels)
            if self.masks_padding and decoder_inputs["attention_mask"] is None:
                decoder_inputs["attention_mask"] = ids != self.config.pad_token_id
        decoded = self.decoder(encoder_hidden_states=states, **decoder_inputs, **flags, **for_decoder, return_dict=True)
        output = Seq2SeqLMOutput(
            loss=None if labels is None else token_loss(decoded.logits, labels),
            logits=decoded.logits,
            past_key_values=decoded.past_key_values,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoder_outputs.last_hidden_state,
            encoder_hidden_states=encoder_outputs.get("hidden_states"),
            encoder_attentions=encoder_outputs.get("attentions"),
        )
        return output if (self.config.use_return_dict if return_dict is None else return_dict) else output.to_tuple()

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
        encoder_outputs: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The forward's inputs for one decoding step, those of the decoder as it prepares them."""
        inputs = self.decoder.prepare_inputs_for_generation(input_ids, past_key_values=past_key_values)
        return {
            "attention_mask": attention_mask,
            "decoder_attention_mask": inputs.get("attention_mask"),
            "decoder_input_ids": inputs["input_ids"],
            "encoder_outputs": encoder_outputs,
            "past_key_values": inputs["past_key_values"],
            "use_cache": use_cache,
        }

    def _reorder_cache(self, past_key_values: Any, beam_idx: Tensor) -> Any:
        return self.decoder._reorder_cache(past_key_values, beam_idx)


class EncoderDecoderModel(EncoderDecoderPair):
    """A text encoder, and a decoder with cross-attention over its states.

    Args:
        config: Of the whole; may be left out where both parts are given.
        encoder, decoder: The parts; made with new weights where they are left out.
    """

    config_class, base_model_prefix = EncoderDecoderConfig, "encoder_decoder"
    masks_padding = True

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Encode, then decode.

        Args:
            input_ids, attention_mask, inputs_embeds: Of the encoder: `(batch, sequence)`, embeddings
                `(batch, sequence, hidden)`.
            decoder_input_ids, decoder_attention_mask, decoder_inputs_embeds: Of the decoder, `(batch, length)`; by
                default the labels, shifted to the right.
            encoder_outputs: Of an earlier pass, instead of the encoder's inputs.
            past_key_values: The decoder's cache, as an earlier pass returned it.
            labels: `(batch, length)`, what the decoder is to say; -100 is left out of the loss.
            kwargs: Further inputs of the encoder; of the decoder where they begin with `decoder_`.
        """
        return self._run(
            {"input_ids": input_ids, "attention_mask": attention_mask, "inputs_embeds": inputs_embeds},
            encoder_outputs,
            {
                "input_ids": decoder_input_ids,
                "attention_mask": decoder_attention_mask,
                "inputs_embeds": decoder_inputs_embeds,
                "encoder_attention_mask": attention_mask,
                "past_key_values": past_key_values,
                "use_cache": use_cache,
            },
            labels,
            {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states},
            return_dict,
            kwargs,
        )
