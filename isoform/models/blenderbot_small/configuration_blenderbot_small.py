"""Configuration of Blenderbot Small."""

from __future__ import annotations

from ...configuration_utils import PretrainedConfig, field


class BlenderbotSmallConfig(PretrainedConfig):
    model_type = "blenderbot-small"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model"}

    vocab_size: int = field(50265, "Number of token ids.", ge=1)
    max_position_embeddings: int = field(512, "Longest sequence.", ge=1)
    encoder_layers: int = field(8, "Layers of the encoder.", ge=0)
    encoder_ffn_dim: int = field(2048, "Width inside the encoder's feed-forwards.", ge=1)
    encoder_attention_heads: int = field(16, "Attention heads of each layer of the encoder.", ge=1)
    decoder_layers: int = field(8, "Layers of the decoder.", ge=0)
    decoder_ffn_dim: int = field(2048, "Width inside the decoder's feed-forwards.", ge=1)
    decoder_attention_heads: int = field(16, "Attention heads of each layer of the decoder.", ge=1)
    encoder_layerdrop: float = field(0.0, "Chance to skip a layer of the encoder in training.", ge=0, le=1)
    decoder_layerdrop: float = field(0.0, "Chance to skip a layer of the decoder in training.", ge=0, le=1)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    is_encoder_decoder: bool = field(True, "Whether the model has an encoder and a decoder.")
    activation_function: str = field("gelu", "Activation of the feed-forwards.")
    d_model: int = field(512, "Width of the residual stream.", ge=1)
    dropout: float = field(0.1, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    activation_dropout: float = field(0.0, "Dropout inside the feed-forwards.", ge=0, le=1)
    init_std: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    decoder_start_token_id: int | None = field(1, "Id that the decoder starts from.")
    scale_embedding: bool = field(False, "Multiply embeddings by the square root of their width.")
    pad_token_id: int | None = field(0, "Id of padding.")
    bos_token_id: int | None = field(1, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")
    forced_eos_token_id: int | list[int] | None = field(2, "Id that ends a text of the greatest length.")

    def validate(self) -> None:
        if "num_hidden_layers" not in vars(self):
            self.num_hidden_layers = self.encoder_layers
