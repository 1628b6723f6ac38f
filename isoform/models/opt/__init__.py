"""OPT (Zhang et al. 2022)."""

from ...registry import Arch

ARCH = Arch(
    "opt",
    "OPT",
    torch="Model ForCausalLM ForSequenceClassification ForQuestionAnswering",
    tokenizer=("GPT2Tokenizer", "GPT2TokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
