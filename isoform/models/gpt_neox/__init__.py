"""GPT-NeoX (Black et al. 2022)."""

from ...registry import Arch

ARCH = Arch(
    "gpt_neox",
    "GPTNeoX",
    torch="Model ForCausalLM ForQuestionAnswering ForSequenceClassification ForTokenClassification",
    tokenizer=(None, "GPTNeoXTokenizerFast"),
    also={"modeling": "GPTNeoXLayer"},
)
__getattr__, __dir__ = ARCH.attributes(__name__)
