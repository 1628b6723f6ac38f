"""HerBERT (Rybak et al. 2020): a tokenizer; its checkpoints are BERT models."""

from ...registry import Arch

ARCH = Arch("herbert", "Herbert", tokenizer=("HerbertTokenizer", "HerbertTokenizerFast"), title="HerBERT")
__getattr__, __dir__ = ARCH.attributes(__name__)
