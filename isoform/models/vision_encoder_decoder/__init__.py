"""An image encoder and a text decoder of any two architectures (Li et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "vision-encoder-decoder",
    "VisionEncoderDecoder",
    torch="Model",
    auto={"Model": None, "Vision2Seq": "Model"},
    base=False,
    title="Vision encoder-decoder models",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
