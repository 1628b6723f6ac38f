"""The architectures, one package each; `isoform.registry` finds them here."""

from __future__ import annotations

from ..registry import lazy_namespace

__getattr__, __dir__ = lazy_namespace(__name__)
