"""CTRL (Keskar et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "ctrl",
    "CTRL",
    torch="Model LMHeadModel ForSequenceClassification",
    tokenizer=("CTRLTokenizer", None),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
