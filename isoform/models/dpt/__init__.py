"""DPT (Ranftl et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "dpt",
    "DPT",
    torch="Model ForDepthEstimation ForSemanticSegmentation",
    image_processor="DPTImageProcessor",
    feature_extractor="DPTFeatureExtractor",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
