"""Swin (Liu et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "swin",
    "Swin",
    torch="Model ForImageClassification ForMaskedImageModeling Backbone",
    image_processor="ViTImageProcessor",
    feature_extractor="ViTFeatureExtractor",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
