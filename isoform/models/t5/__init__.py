"""T5 (Raffel et al. 2019), T5 v1.1 and what has their architecture: Flan-T5, ByT5, UL2."""

from ...registry import Arch

ARCH = Arch(
    "t5",
    "T5",
    torch="Model EncoderModel ForConditionalGeneration ForSequenceClassification ForQuestionAnswering",
    tokenizer=("T5Tokenizer", "T5TokenizerFast"),
    auto={"PreTraining": "ForConditionalGeneration"},
)
__getattr__, __dir__ = ARCH.attributes(__name__)
