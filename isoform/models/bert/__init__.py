"""BERT (Devlin et al. 2018)."""

from ...registry import Arch

ARCH = Arch(
    "bert",
    "Bert",
    torch="Model ForPreTraining LMHeadModel ForMaskedLM ForNextSentencePrediction ForSequenceClassification"
    " ForMultipleChoice ForTokenClassification ForQuestionAnswering",
    tokenizer=("BertTokenizer", "BertTokenizerFast"),
    also={"modeling": "BertLayer", "tokenization": "BasicTokenizer WordpieceTokenizer"},
    auto={"TextEncoding": "Model"},
    title="BERT",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
