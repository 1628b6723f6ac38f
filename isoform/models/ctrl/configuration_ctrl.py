"""Configuration of CTRL."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class CTRLConfig(PretrainedConfig):
    model_type = "ctrl"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {
        "max_position_embeddings": "n_positions",
        "hidden_size": "n_embd",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = field(246534, "Number of token ids.", ge=1)
    n_positions: int = field(256, "Longest sequence.", ge=1)
    n_embd: int = field(1280, "Width of the residual stream.", ge=1)
    dff: int = field(8192, "Width inside the feed-forward.", ge=1)
    n_layer: int = field(48, "Number of layers.", ge=0)
    n_head: int = field(16, "Attention heads of each layer.", ge=1)
    resid_pdrop: float = field(0.1, "Dropout of what each block adds.", ge=0, le=1)
    embd_pdrop: float = field(0.1, "Dropout of embeddings.", ge=0, le=1)
    layer_norm_epsilon: float = field(1e-6, "Added to the variance in layer normalisation.", ge=0)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")

    def validate(self) -> None:
        check_heads(self)
