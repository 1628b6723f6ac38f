"""DINOv2 (Oquab et al. 2023)."""

from ...registry import Arch

ARCH = Arch(
    "dinov2",
    "Dinov2",
    torch="Model ForImageClassification Backbone",
    image_processor="BitImageProcessor",
    title="DINOv2",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
