"""RoBERTa with normalisation before each block, as fairseq trains it (Ott et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "roberta-prelayernorm",
    "RobertaPreLayerNorm",
    torch="Model ForCausalLM ForMaskedLM ForSequenceClassification ForMultipleChoice ForTokenClassification"
    " ForQuestionAnswering",
    tokenizer=("RobertaTokenizer", "RobertaTokenizerFast"),
    auto={"TextEncoding": "Model"},
    title="RoBERTa-PreLayerNorm",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
