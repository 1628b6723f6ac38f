"""CLIP (Radford et al. 2021)."""

from ...registry import Arch

ARCH = (
    Arch(
        "clip",
        "CLIP",
        torch="Model TextModel TextModelWithProjection VisionModel VisionModelWithProjection",
        tokenizer=("CLIPTokenizer", "CLIPTokenizerFast"),
        image_processor="CLIPImageProcessor",
        feature_extractor="CLIPFeatureExtractor",
        processor="CLIPProcessor",
        auto={"ZeroShotImageClassification": "Model"},
        also={"configuration": "CLIPTextConfig CLIPVisionConfig"},
    ),
    Arch(
        "clip_vision_model",
        "CLIP",
        torch="VisionModel",
        config="CLIPVisionConfig",
        auto={"Model": "VisionModel"},
        file="clip",
        title="CLIP's image encoder",
    ),
)
__getattr__, __dir__ = ARCH[0].attributes(__name__, *ARCH[1:])
