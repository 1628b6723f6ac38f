"""Mistral (Jiang et al. 2023)."""

from ...registry import Arch

ARCH = Arch(
    "mistral",
    "Mistral",
    torch="Model ForCausalLM ForSequenceClassification",
    tokenizer=("LlamaTokenizer", "LlamaTokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
