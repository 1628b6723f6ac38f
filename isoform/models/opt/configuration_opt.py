"""Configuration of OPT."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class OPTConfig(PretrainedConfig):
    model_type = "opt"
    keys_to_ignore_at_inference = ["past_key_values"]

    vocab_size: int = field(50272, "Number of token ids.", ge=1)
    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    ffn_dim: int = field(3072, "Width inside the feed-forward.", ge=1)
    max_position_embeddings: int = field(2048, "Longest sequence.", ge=1)
    do_layer_norm_before: bool = field(True, "Normalise before each block rather than after it.")
    _remove_final_layer_norm: bool = field(
        False, "Leave the last normalisation out, as early fine-tuned checkpoints do."
    )
    word_embed_proj_dim: int | None = field(None, "Width of the embedding; None for `hidden_size`.", ge=1)
    dropout: float = field(0.1, "Dropout of what each block adds.", ge=0, le=1)
    attention_dropout: float = field(0.0, "Dropout of attention weights.", ge=0, le=1)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    activation_function: str = field("relu", "Activation of the feed-forward.")
    layerdrop: float = field(0.0, "Chance to skip a layer in training.", ge=0, le=1)
    init_std: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    use_cache: bool = field(True, "Return keys and values for decoding.")
    pad_token_id: int | None = field(1, "Id of padding.")
    bos_token_id: int | None = field(2, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")
    enable_bias: bool = field(True, "Biases in the projections.")
    layer_norm_elementwise_affine: bool = field(True, "Weights in the normalisations.")

    def validate(self) -> None:
        if self.word_embed_proj_dim is None:
            self.word_embed_proj_dim = self.hidden_size
        check_heads(self)
