"""BART (Lewis et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "bart",
    "Bart",
    torch="Model ForConditionalGeneration ForSequenceClassification ForQuestionAnswering ForCausalLM",
    tokenizer=("BartTokenizer", "BartTokenizerFast"),
    auto={"PreTraining": "ForConditionalGeneration", "MaskedLM": "ForConditionalGeneration"},
    also={"modeling": "BartPretrainedModel PretrainedBartModel"},
    title="BART",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
