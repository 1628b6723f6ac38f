"""Building blocks that the architectures share.

Blocks hold no parameters of their own, or take their names from the class statement.
"""

from .attention import attend, cross_attend, encoder_keys, split_fused, split_heads, split_interleaved
from .call import Call, model_forward, run_layers
from .dropout import Dropout, DropPath, drop_path, drop_path_rates
from .feedforward import FeedForward
from .norms import RMSNorm
from .patches import PatchEmbeddings, pair, relative_bias, relative_index, resize_grid
from .positions import Rotary

__all__ = [
    "Call",
    "DropPath",
    "Dropout",
    "FeedForward",
    "PatchEmbeddings",
    "RMSNorm",
    "Rotary",
    "attend",
    "cross_attend",
    "drop_path",
    "drop_path_rates",
    "encoder_keys",
    "model_forward",
    "pair",
    "relative_bias",
    "relative_index",
    "resize_grid",
    "run_layers",
    "split_fused",
    "split_heads",
    "split_interleaved",
]
