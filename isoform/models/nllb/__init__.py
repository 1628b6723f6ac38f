"""NLLB (NLLB team 2022): a tokenizer; its dense checkpoints are M2M100 models."""

from ...registry import Arch

ARCH = Arch("nllb", "Nllb", tokenizer=("NllbTokenizer", "NllbTokenizerFast"), title="NLLB")
__getattr__, __dir__ = ARCH.attributes(__name__)
