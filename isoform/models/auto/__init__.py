"""Classes that find the right architecture for a configuration, and the tables behind them."""

from __future__ import annotations

import functools
import importlib

from ...registry import Export, lazy_namespace


@functools.cache
def exports() -> dict[str, Export]:
    """The public names of this package, with their modules. Asking for them loads no framework."""
    names = {"tokenization_auto": ["AutoTokenizer", "TOKENIZER_MAPPING"]}
    for module in (
        "auto_factory",
        "configuration_auto",
        "feature_extraction_auto",
        "image_processing_auto",
        "modeling_auto",
        "processing_auto",
    ):
        names[module] = importlib.import_module(f"{__name__}.{module}").__all__
    return {name: Export(f"models.auto.{module}") for module, found in names.items() for name in found}


__getattr__, __dir__ = lazy_namespace(__name__, exports)
