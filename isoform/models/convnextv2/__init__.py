"""ConvNeXt V2 (Woo et al. 2023)."""

from ...registry import Arch

ARCH = Arch(
    "convnextv2",
    "ConvNextV2",
    torch="Model ForImageClassification Backbone",
    image_processor="ConvNextImageProcessor",
    title="ConvNeXTV2",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
