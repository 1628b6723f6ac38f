"""Configuration of RoBERTa."""

from __future__ import annotations

from ...configuration_utils import field
from ..bert.configuration_bert import EncoderConfig


class RobertaConfig(EncoderConfig):
    model_type = "roberta"

    vocab_size: int = field(50265, "Number of token ids.", ge=1)
    pad_token_id: int = field(1, "Id of padding, from which positions count on.", ge=0)
    bos_token_id: int | None = field(0, "Id that begins a text.")
    eos_token_id: int | list[int] | None = field(2, "Id or ids that end a text.")
    position_embedding_type: str = field(
        "absolute", "Learned positions: `absolute`, `relative_key` (Shaw et al. 2018) or `relative_key_query`."
    )
    use_cache: bool = field(True, "Return keys and values for decoding.")
    classifier_dropout: float | None = field(
        None, "Dropout before a classifier; None for `hidden_dropout_prob`.", ge=0, le=1
    )
