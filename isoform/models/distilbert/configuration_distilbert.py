"""Configuration of DistilBERT."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field


class DistilBertConfig(PretrainedConfig):
    model_type = "distilbert"
    attribute_map = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}

    vocab_size: int = field(30522, "Number of token ids.", ge=1)
    max_position_embeddings: int = field(512, "Longest sequence.", ge=1)
    sinusoidal_pos_embds: bool = field(False, "Fixed sinusoids for positions, not learned ones.")
    n_layers: int = field(6, "Number of layers.", ge=0)
    n_heads: int = field(12, "Attention heads of each layer.", ge=1)
    dim: int = field(768, "Width of the residual stream.", ge=1)
    hidden_dim: int = field(3072, "Width inside the feed-forward.", ge=1)
    dropout: float = field(0.1, "Dropout of embeddings and of the feed-forward.", ge=0, le=1)
    attention_dropout: float = field(0.1, "Dropout of attention weights.", ge=0, le=1)
    activation: str = field("gelu", "Activation of the feed-forward.")
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    qa_dropout: float = field(0.1, "Dropout before the question answering head.", ge=0, le=1)
    seq_classif_dropout: float = field(0.2, "Dropout before sequence and multiple-choice classifiers.", ge=0, le=1)
    pad_token_id: int | None = field(0, "Id of padding.")

    def validate(self) -> None:
        check_heads(self)
