"""Configuration of T5."""

from __future__ import annotations

from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError


class T5Config(PretrainedConfig):
    model_type = "t5"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    vocab_size: int = field(32128, "Number of token ids.", ge=1)
    d_model: int = field(512, "Width of the residual stream.", ge=1)
    d_kv: int = field(64, "Width of each head; all heads together may be narrower or wider than `d_model`.", ge=1)
    d_ff: int = field(2048, "Width inside the feed-forwards.", ge=1)
    num_layers: int = field(6, "Layers of the encoder.", ge=0)
    num_decoder_layers: int | None = field(None, "Layers of the decoder; None for as many.", ge=0)
    num_heads: int = field(8, "Attention heads of each layer.", ge=1)
    relative_attention_num_buckets: int = field(32, "Relative positions that are told apart.", ge=1)
    relative_attention_max_distance: int = field(128, "Distance from which on positions share a bucket.", ge=1)
    dropout_rate: float = field(0.1, "Dropout of embeddings, attention weights and of each block.", ge=0, le=1)
    layer_norm_epsilon: float = field(1e-6, "Added to variances.", ge=0)
    initializer_factor: float = field(1.0, "Factor on the standard deviations of initial weights.", ge=0)
    feed_forward_proj: str = field("relu", "Activation of the feed-forwards; with a gate: gated-gelu (T5 v1.1).")
    is_encoder_decoder: bool = field(True, "Whether the model has an encoder and a decoder.")
    use_cache: bool = field(True, "Return keys and values for decoding.")
    pad_token_id: int | None = field(0, "Id of padding.")
    eos_token_id: int | list[int] | None = field(1, "Id or ids that end a text.")
    classifier_dropout: float = field(0.0, "Dropout of the classifier.", ge=0, le=1)

    def validate(self) -> None:
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        gate, _, activation = self.feed_forward_proj.rpartition("-")
        if gate not in ("", "gated"):
            raise ConfigError(
                field="feed_forward_proj", expected="an activation, or gated-ACTIVATION", found=self.feed_forward_proj
            )
        values = vars(self)  # a file may hold what follows from feed_forward_proj, or something else
        # The original's gated GELU is the approximate one, whatever its name.
        values.setdefault("dense_act_fn", "gelu_new" if self.feed_forward_proj == "gated-gelu" else activation)
        values.setdefault("is_gated_act", bool(gate))
