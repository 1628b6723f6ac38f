"""Data: processors that turn examples of known tasks into features, and measures of predictions."""

from .metrics import glue_compute_metrics, xnli_compute_metrics
from .processors import *  # noqa: F403
from .processors import __all__ as _processors

__all__ = [*_processors, "glue_compute_metrics", "xnli_compute_metrics"]
