"""An image and a text encoder of any two architectures with one space for both (Zhai et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "vision-text-dual-encoder",
    "VisionTextDualEncoder",
    torch="Model",
    processor="VisionTextDualEncoderProcessor",
    base=False,
    title="Vision-text dual encoders",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
