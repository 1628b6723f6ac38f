"""DeiT (Touvron et al. 2020)."""

from ...registry import Arch

ARCH = Arch(
    "deit",
    "DeiT",
    torch="Model ForImageClassification ForImageClassificationWithTeacher ForMaskedImageModeling",
    image_processor="DeiTImageProcessor",
    feature_extractor="DeiTFeatureExtractor",
    auto={"ImageClassification": ("ForImageClassification", "ForImageClassificationWithTeacher")},
)
__getattr__, __dir__ = ARCH.attributes(__name__)
