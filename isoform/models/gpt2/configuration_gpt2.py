"""Configuration of GPT-2."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class GPT2Config(PretrainedConfig):
    model_type = "gpt2"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = field(50257, "Number of token ids.", ge=1)
    n_positions: int = field(1024, "Longest sequence.", ge=1)
    n_embd: int = field(768, "Width of the residual stream.", ge=1)
    n_layer: int = field(12, "Number of layers.", ge=0)
    n_head: int = field(12, "Attention heads of each layer.", ge=1)
    n_inner: int | None = field(None, "Width inside the feed-forward; None for four times `n_embd`.", ge=1)
    activation_function: str = field("gelu_new", "Activation of the feed-forward.")
    resid_pdrop: float = field(0.1, "Dropout of what each block adds.", ge=0, le=1)
    embd_pdrop: float = field(0.1, "Dropout of embeddings.", ge=0, le=1)
    attn_pdrop: float = field(0.1, "Dropout of attention weights.", ge=0, le=1)
    layer_norm_epsilon: float = field(1e-5, "Added to the variance in layer normalisation.", ge=0)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    summary_type: str = field("cls_index", "Which position the double-heads model summarises.")
    summary_use_proj: bool = field(True, "Project the summary.")
    summary_activation: str | None = field(None, "Activation of the summary: `tanh` or None.")
    summary_proj_to_labels: bool = field(True, "Project the summary to the labels rather than to the hidden size.")
    summary_first_dropout: float = field(0.1, "Dropout before the summary's projection.", ge=0, le=1)
    scale_attn_weights: bool = field(True, "Divide scores by the square root of the head size.")
    use_cache: bool = field(True, "Return keys and values for decoding.")
    bos_token_id: int | None = field(50256, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(50256, "Id or ids that end a text.")
    scale_attn_by_inverse_layer_idx: bool = field(False, "Divide scores by the layer's number, from 1.")
    reorder_and_upcast_attn: bool = field(False, "Scores in float32; here they always accumulate so.")

    def validate(self) -> None:
        check_heads(self)
