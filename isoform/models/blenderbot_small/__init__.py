"""Blenderbot Small (Roller et al. 2020)."""

from ...registry import Arch

ARCH = Arch(
    "blenderbot-small",
    "BlenderbotSmall",
    torch="Model ForConditionalGeneration ForCausalLM",
    tokenizer=("BlenderbotSmallTokenizer", None),  # the fast one is for other vocabularies
    also={"tokenization": "BlenderbotSmallTokenizerFast"},
    title="Blenderbot Small",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
