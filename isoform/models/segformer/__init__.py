"""SegFormer (Xie et al. 2021): its image processor, which UPerNet uses."""

from ...registry import Arch

ARCH = Arch(
    "segformer", "Segformer", image_processor="SegformerImageProcessor", feature_extractor="SegformerFeatureExtractor"
)
__getattr__, __dir__ = ARCH.attributes(__name__)
