"""YOLOS (Fang et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "yolos",
    "Yolos",
    torch="Model ForObjectDetection",
    image_processor="YolosImageProcessor",
    feature_extractor="YolosFeatureExtractor",
    title="YOLOS",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
