"""Configuration of Mistral."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class MistralConfig(PretrainedConfig):
    model_type = "mistral"
    keys_to_ignore_at_inference = ["past_key_values"]

    vocab_size: int = field(32000, "Number of token ids.", ge=1)
    hidden_size: int = field(4096, "Width of the residual stream.", ge=1)
    intermediate_size: int = field(14336, "Width inside the feed-forward.", ge=1)
    num_hidden_layers: int = field(32, "Number of layers.", ge=0)
    num_attention_heads: int = field(32, "Attention heads of each layer.", ge=1)
    num_key_value_heads: int | None = field(8, "Heads of keys and values; None for as many as of queries.", ge=1)
    hidden_act: str = field("silu", "Activation of the feed-forward.")
    max_position_embeddings: int = field(4096 * 32, "Longest trained sequence.", ge=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    rms_norm_eps: float = field(1e-6, "Added to the mean square in normalisation.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    pad_token_id: int | None = field(None, "Id of padding.")
    bos_token_id: int | None = field(1, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")
    tie_word_embeddings: bool = field(False, "Share the embedding with the output projection.")
    rope_theta: float = field(10000.0, "Base of the rotary frequencies.")
    sliding_window: int | None = field(4096, "Positions that a token sees back, itself included; None for all.", ge=1)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)

    def validate(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        check_heads(self)
