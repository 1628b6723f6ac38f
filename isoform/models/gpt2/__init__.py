"""GPT-2 (Radford et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "gpt2",
    "GPT2",
    torch="Model LMHeadModel DoubleHeadsModel ForQuestionAnswering ForSequenceClassification ForTokenClassification",
    tokenizer=("GPT2Tokenizer", "GPT2TokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
