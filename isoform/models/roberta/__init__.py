"""RoBERTa (Liu et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "roberta",
    "Roberta",
    torch="Model ForCausalLM ForMaskedLM ForSequenceClassification ForMultipleChoice ForTokenClassification"
    " ForQuestionAnswering",
    tokenizer=("RobertaTokenizer", "RobertaTokenizerFast"),
    auto={"TextEncoding": "Model"},
    title="RoBERTa",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
