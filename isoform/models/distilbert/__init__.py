"""DistilBERT (Sanh et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "distilbert",
    "DistilBert",
    torch="Model ForMaskedLM ForSequenceClassification ForMultipleChoice ForTokenClassification ForQuestionAnswering",
    tokenizer=("DistilBertTokenizer", "DistilBertTokenizerFast"),
    auto={"TextEncoding": "Model"},
    title="DistilBERT",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
