"""GPT-J (Wang and Komatsuzaki 2021)."""

from ...registry import Arch

ARCH = Arch(
    "gptj",
    "GPTJ",
    torch="Model ForCausalLM ForQuestionAnswering ForSequenceClassification",
    tokenizer=("GPT2Tokenizer", "GPT2TokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
