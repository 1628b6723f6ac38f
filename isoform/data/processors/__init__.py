"""Examples and features of known tasks."""

from .squad import SquadExample

__all__ = ["SquadExample"]
