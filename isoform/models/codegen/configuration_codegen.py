"""Configuration of CodeGen."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError


class CodeGenConfig(PretrainedConfig):
    model_type = "codegen"
    attribute_map = {
        "max_position_embeddings": "n_positions",
        "hidden_size": "n_embd",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = field(50400, "Number of token ids.", ge=1)
    n_positions: int = field(2048, "Longest sequence.", ge=1)
    n_ctx: int = field(2048, "Longest context; kept for old configs, `n_positions` counts.", ge=1)
    n_embd: int = field(4096, "Width of the residual stream.", ge=1)
    n_layer: int = field(28, "Number of layers.", ge=0)
    n_head: int = field(16, "Attention heads of each layer; a multiple of 4.", ge=1)
    rotary_dim: int | None = field(64, "Channels of each head that are rotated; None for all.", ge=2)
    n_inner: int | None = field(None, "Width inside the feed-forward; None for four times `n_embd`.", ge=1)
    activation_function: str = field("gelu_new", "Activation of the feed-forward.")
    resid_pdrop: float = field(0.0, "Dropout of what each block adds.", ge=0, le=1)
    embd_pdrop: float = field(0.0, "Dropout of embeddings.", ge=0, le=1)
    attn_pdrop: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    layer_norm_epsilon: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    bos_token_id: int | None = field(50256, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(50256, "Id or ids that end a text.")
    tie_word_embeddings: bool = field(False, "Share the embedding with the output projection.")

    def validate(self) -> None:
        check_heads(self)
        if self.n_head % 4:
            raise ConfigError(
                f"CodeGenConfig: n_head ({self.n_head}) must be a multiple of 4, the slices of its projection"
            )
