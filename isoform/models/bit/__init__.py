"""BiT, Big Transfer (Kolesnikov et al. 2019)."""

from ...registry import Arch

ARCH = Arch(
    "bit",
    "Bit",
    torch="Model ForImageClassification Backbone",
    image_processor="BitImageProcessor",
    title="BiT",
)
__getattr__, __dir__ = ARCH.attributes(__name__)
