"""BEiT (Bao et al. 2021)."""

from ...registry import Arch

ARCH = Arch(
    "beit",
    "Beit",
    torch="Model ForImageClassification ForMaskedImageModeling ForSemanticSegmentation Backbone",
    image_processor="BeitImageProcessor",
    feature_extractor="BeitFeatureExtractor",
    auto={"MaskedImageModeling": None},
    title="BEiT",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
