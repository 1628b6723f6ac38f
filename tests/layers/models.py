"""Tiny decoders, one of each architecture, with weights that follow from parameter names."""

from __future__ import annotations

from typing import Any

import isoform
from tests.golden.fill_weights import fill_weights

VOCABULARY = 30
_GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
_USUAL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64}

DECODERS: dict[str, dict[str, Any]] = {
    "GPT2LMHeadModel": _GPT,
    "OPTForCausalLM": {**_USUAL, "ffn_dim": 48, "word_embed_proj_dim": 16},
    "GPTJForCausalLM": {**_GPT, "rotary_dim": 4},
    "GPTNeoXForCausalLM": {**_USUAL, "intermediate_size": 48},
    "CodeGenForCausalLM": {**_GPT, "rotary_dim": 4},
    "PhiForCausalLM": {**_USUAL, "intermediate_size": 48},
    "CTRLLMHeadModel": {**_GPT, "dff": 48},
    "LlamaForCausalLM": {**_USUAL, "intermediate_size": 48, "num_key_value_heads": 2},
    "MistralForCausalLM": {**_USUAL, "intermediate_size": 48, "num_key_value_heads": 2, "sliding_window": 4},
}


def decoder(name: str, **changes: Any) -> Any:
    """The model in evaluation mode, its settings changed as given."""
    model_class = getattr(isoform, name)
    config = model_class.config_class(vocab_size=VOCABULARY, **{**DECODERS[name], **changes})
    return fill_weights(model_class(config)).eval()
