"""An encoder and a decoder of any two architectures, for texts (Rothe et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "encoder-decoder",
    "EncoderDecoder",
    torch="Model",
    auto={"Model": None, "Seq2SeqLM": "Model", "_AutoModelWithLMHead": "Model"},
    base=False,
    title="Encoder-decoder models",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
