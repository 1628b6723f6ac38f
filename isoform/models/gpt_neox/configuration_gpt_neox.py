"""Configuration of GPT-NeoX."""

from __future__ import annotations

from typing import Any

from ...config_checks import check_rope_scaling
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError


class GPTNeoXConfig(PretrainedConfig):
    model_type = "gpt_neox"

    vocab_size: int = field(50432, "Number of token ids.", ge=1)
    hidden_size: int = field(6144, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(44, "Number of layers.", ge=0)
    num_attention_heads: int = field(64, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(24576, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    rotary_pct: float = field(0.25, "Share of each head that is rotated.", ge=0, le=1)
    rotary_emb_base: float = field(10000, "Base of the rotary frequencies.")
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    hidden_dropout: float = field(0.0, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    classifier_dropout: float = field(0.1, "Dropout before the token classifier.", ge=0, le=1)
    max_position_embeddings: int = field(2048, "Longest trained sequence.", ge=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    bos_token_id: int | None = field(0, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")
    tie_word_embeddings: bool = field(False, "Share the embedding with the output projection.")
    use_parallel_residual: bool = field(True, "Run attention and feed-forward side by side.")
    rope_scaling: dict[str, Any] | None = field(None, '`{"type": "linear" or "dynamic", "factor": float}`.')

    def validate(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size ({self.hidden_size}) must be divisible by num_attention_heads "
                f"({self.num_attention_heads})"
            )
        check_rope_scaling(self)
