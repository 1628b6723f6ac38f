"""ViT, the vision transformer (Dosovitskiy et al. 2020)."""

from ...registry import Arch

ARCH = Arch(
    "vit",
    "ViT",
    torch="Model ForImageClassification ForMaskedImageModeling",
    image_processor="ViTImageProcessor",
    feature_extractor="ViTFeatureExtractor",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
