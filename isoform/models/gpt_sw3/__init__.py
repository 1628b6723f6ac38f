"""GPT-Sw3 (Ekgren et al. 2022): a tokenizer; its checkpoints are GPT-2 models."""

from ...registry import Arch

ARCH = Arch("gpt-sw3", "GPTSw3", config="GPT2Config", tokenizer=("GPTSw3Tokenizer", None), title="GPT-Sw3")
__getattr__, __dir__ = ARCH.attributes(__name__)
