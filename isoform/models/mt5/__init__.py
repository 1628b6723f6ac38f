"""mT5 (Xue et al. 2020): T5 v1.1 for 101 languages."""

from ...registry import Arch

ARCH = Arch(
    "mt5",
    "MT5",
    torch="Model EncoderModel ForConditionalGeneration ForSequenceClassification ForQuestionAnswering",
    tokenizer=("T5Tokenizer", "T5TokenizerFast"),
    auto={"PreTraining": "ForConditionalGeneration"},
    title="mT5",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
