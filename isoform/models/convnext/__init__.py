"""ConvNeXt (Liu et al. 2022)."""

from ...registry import Arch

ARCH = Arch(
    "convnext",
    "ConvNext",
    torch="Model ForImageClassification Backbone",
    image_processor="ConvNextImageProcessor",
    feature_extractor="ConvNextFeatureExtractor",
    title="ConvNeXT",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
