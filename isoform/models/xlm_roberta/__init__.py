"""XLM-RoBERTa (Conneau et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "xlm-roberta",
    "XLMRoberta",
    torch="Model ForCausalLM ForMaskedLM ForSequenceClassification ForMultipleChoice ForTokenClassification"
    " ForQuestionAnswering",
    tokenizer=("XLMRobertaTokenizer", "XLMRobertaTokenizerFast"),
    auto={"TextEncoding": "Model"},
    title="XLM-RoBERTa",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
