"""ViT, the vision transformer (Dosovitskiy et al. 2020)."""

from ...registry import Arch

ARCH = Arch("vit", "ViT", torch="Model ForImageClassification ForMaskedImageModeling")
__getattr__, __dir__ = ARCH.attributes(__name__)
