"""ResNet (He et al. 2015)."""

from ...registry import Arch

ARCH = Arch("resnet", "ResNet", torch="Model ForImageClassification Backbone", image_processor="ConvNextImageProcessor")
__getattr__, __dir__ = ARCH.attributes(__name__)
