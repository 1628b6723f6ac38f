"""Small helpers around training: seeds and determinism."""

from __future__ import annotations

import os
import random

__all__ = ["enable_full_determinism", "set_seed"]


def set_seed(seed: int) -> None:
    """Seed the generators of `random`, `numpy` and `torch`, on all devices."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # seeds the accelerators, too


def enable_full_determinism(seed: int, warn_only: bool = False) -> None:
    """Seed everything, and make torch use deterministic algorithms only, which may be slower.

    Args:
        seed: The seed.
        warn_only: Warn about operations without a deterministic algorithm, instead of an error.
    """
    import torch

    set_seed(seed)
    os.environ["CUDA_LAUNCH_BLOCKING"] = "1"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":16:8"
    torch.use_deterministic_algorithms(True, warn_only=warn_only)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
