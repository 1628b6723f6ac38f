"""Configuration of mT5."""

from __future__ import annotations

from ...configuration_utils import field
from ..t5.configuration_t5 import T5Config


class MT5Config(T5Config):
    """Configuration of mT5: the fields of T5's, other defaults."""

    model_type = "mt5"

    vocab_size: int = field(250112, "Number of token ids.", ge=1)
    d_ff: int = field(1024, "Width inside the feed-forwards.", ge=1)
    num_layers: int = field(8, "Layers of the encoder.", ge=0)
    num_heads: int = field(6, "Attention heads of each layer.", ge=1)
    feed_forward_proj: str = field("gated-gelu", "Activation of the feed-forwards; with a gate: gated-gelu.")
    tokenizer_class: str | None = field("T5Tokenizer", "Name of the tokenizer's class.")
    tie_word_embeddings: bool = field(False, "Share the embedding with the output projection.")
    decoder_start_token_id: int | None = field(0, "Id that the decoder begins with.")
