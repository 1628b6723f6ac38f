"""UPerNet (Xiao et al. 2018)."""

from ...registry import Arch

ARCH = Arch(
    "upernet", "UperNet", torch="ForSemanticSegmentation", image_processor="SegformerImageProcessor", title="UPerNet"
)
__getattr__, __dir__ = ARCH.attributes(__name__)
