"""Building blocks that the architectures share.

Blocks hold no parameters of their own, or take their names from the class statement.
"""

from .attention import attend, cross_attend, split_fused, split_heads, split_interleaved
from .call import Call, model_forward, run_layers
from .dropout import Dropout
from .feedforward import FeedForward
from .norms import RMSNorm
from .positions import Rotary

__all__ = [
    "Call",
    "Dropout",
    "FeedForward",
    "RMSNorm",
    "Rotary",
    "attend",
    "cross_attend",
    "model_forward",
    "run_layers",
    "split_fused",
    "split_heads",
    "split_interleaved",
]
