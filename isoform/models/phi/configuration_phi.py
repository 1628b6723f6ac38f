"""Configuration of Phi."""

from __future__ import annotations

from typing import Any

from ...config_checks import check_heads, check_rope_scaling
from ...configuration_utils import PretrainedConfig, field


class PhiConfig(PretrainedConfig):
    model_type = "phi"
    keys_to_ignore_at_inference = ["past_key_values"]

    vocab_size: int = field(51200, "Number of token ids.", ge=1)
    hidden_size: int = field(2048, "Width of the residual stream.", ge=1)
    intermediate_size: int = field(8192, "Width inside the feed-forward.", ge=1)
    num_hidden_layers: int = field(24, "Number of layers.", ge=0)
    num_attention_heads: int = field(32, "Attention heads of each layer.", ge=1)
    resid_pdrop: float = field(0.0, "Dropout of what each block adds.", ge=0, le=1)
    embd_pdrop: float = field(0.0, "Dropout of embeddings.", ge=0, le=1)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    hidden_act: str = field("gelu_new", "Activation of the feed-forward.")
    max_position_embeddings: int = field(2048, "Longest trained sequence.", ge=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    tie_word_embeddings: bool = field(False, "Share the embedding with the output projection.")
    rope_theta: float = field(10000.0, "Base of the rotary frequencies.")
    rope_scaling: dict[str, Any] | None = field(None, '`{"type": "linear" or "dynamic", "factor": float}`.')
    partial_rotary_factor: float = field(0.5, "Share of each head that is rotated.", ge=0, le=1)
    qk_layernorm: bool = field(False, "Normalise queries and keys of each head.")
    bos_token_id: int | None = field(1, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")

    def validate(self) -> None:
        check_heads(self)
        check_rope_scaling(self)
