"""Phi-1 and Phi-1.5 (Gunasekar et al. 2023, Li et al. 2023)."""

from ...registry import Arch

ARCH = Arch(
    "phi",
    "Phi",
    torch="Model ForCausalLM ForSequenceClassification ForTokenClassification",
    tokenizer=("CodeGenTokenizer", "CodeGenTokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
