"""M2M100 (Fan et al. 2020), and the dense models of NLLB."""

from ...registry import Arch

ARCH = Arch(
    "m2m_100",
    "M2M100",
    torch="Model ForConditionalGeneration",
    tokenizer=("M2M100Tokenizer", None),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
