"""Configuration of BERT."""

from __future__ import annotations

from ...config_checks import check_heads
from ...configuration_utils import PretrainedConfig, field
from ...errors import ConfigError

POSITION_TYPES = ("absolute", "relative_key", "relative_key_query")


class EncoderConfig(PretrainedConfig):
    """What the configurations of BERT and of its relatives have in common."""

    vocab_size: int = field(30522, "Number of token ids.", ge=1)
    hidden_size: int = field(768, "Width of the residual stream.", ge=1)
    num_hidden_layers: int = field(12, "Number of layers.", ge=0)
    num_attention_heads: int = field(12, "Attention heads of each layer.", ge=1)
    intermediate_size: int = field(3072, "Width inside the feed-forward.", ge=1)
    hidden_act: str = field("gelu", "Activation of the feed-forward.")
    hidden_dropout_prob: float = field(0.1, "Dropout of embeddings and of what each block adds.", ge=0, le=1)
    attention_probs_dropout_prob: float = field(0.1, "Dropout of attention weights.", ge=0, le=1)
    max_position_embeddings: int = field(512, "Longest sequence.", ge=1)
    type_vocab_size: int = field(2, "Number of token types (segments).", ge=1)
    initializer_range: float = field(0.02, "Standard deviation of initial weights.", ge=0)
    layer_norm_eps: float = field(1e-12, "Added to the variance in layer normalisation.", ge=0)

    def validate(self) -> None:
        check_heads(self)
        if self.position_embedding_type not in POSITION_TYPES:
            raise ConfigError(
                field="position_embedding_type",
                expected="one of " + ", ".join(map(repr, POSITION_TYPES)),
                found=self.position_embedding_type,
            )


class BertConfig(EncoderConfig):
    model_type = "bert"

    pad_token_id: int | None = field(0, "Id of padding.")
    position_embedding_type: str = field(
        "absolute", "Learned positions: `absolute`, `relative_key` (Shaw et al. 2018) or `relative_key_query`."
    )
    use_cache: bool = field(True, "Return keys and values for decoding.")
    classifier_dropout: float | None = field(
        None, "Dropout before a classifier; None for `hidden_dropout_prob`.", ge=0, le=1
    )
