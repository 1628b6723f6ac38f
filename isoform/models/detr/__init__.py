"""DETR (Carion et al. 2020): its image processor, which other detectors build on."""

from ...registry import Arch

ARCH = Arch("detr", "Detr", image_processor="DetrImageProcessor", feature_extractor="DetrFeatureExtractor")
__getattr__, __dir__ = ARCH.attributes(__name__)
