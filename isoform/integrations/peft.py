"""Adapters of `peft` inside of a model: load, add, choose, switch off, read back."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..utils import logging
from ..utils.peft_utils import check_peft_version, find_adapter_config_file

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MIN_PEFT_VERSION", "PeftAdapterMixin"]

logger = logging.get_logger(__name__)

MIN_PEFT_VERSION = "0.5.0"
_NAME = "default"
_PREFIX = "base_model.model."  # of every weight in a checkpoint that `PeftModel` wrote


class PeftAdapterMixin:
    """What models can do with adapters of `peft` (not with prompt learning, which needs `peft.PeftModel`).

    Several adapters may be present; those that `active_adapters` names take part in the forward pass.
    """

    _hf_peft_config_loaded = False
    peft_config: dict[str, Any]

    def load_adapter(
        self,
        peft_model_id: str | None = None,
        adapter_name: str | None = None,
        revision: str | None = None,
        token: str | None = None,
        device_map: str | None = "auto",
        max_memory: dict[int | str, int | str] | None = None,
        offload_folder: str | None = None,
        offload_index: int | None = None,
        peft_config: Any = None,
        adapter_state_dict: dict[str, Tensor] | None = None,
        adapter_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Adds an adapter with its weights, and activates it.

        Args:
            peft_model_id: A folder or repository that holds an adapter.
            adapter_name: The name to give it; default: `"default"`.
            revision: The branch, tag or commit of the repository.
            token: For a private repository.
            device_map, max_memory, offload_folder, offload_index: Where the parts go, for a model that is split over
                devices; as in `from_pretrained`.
            peft_config: The adapter's configuration, in place of the one of `peft_model_id`.
            adapter_state_dict: The adapter's weights, in place of those of `peft_model_id`.
            adapter_kwargs: Further options of the download: `cache_dir`, `subfolder`...

        Raises:
            ValueError: `peft` is missing or too old, the name is taken, or there is no adapter.
        """
        check_peft_version(MIN_PEFT_VERSION)
        name = adapter_name or _NAME
        if self._hf_peft_config_loaded and name in self.peft_config:
            raise ValueError(f"There is already an adapter called {name!r}: choose another name")
        if peft_model_id is None and (adapter_state_dict is None or peft_config is None):
            raise ValueError("Pass `peft_model_id`, or both `peft_config` and `adapter_state_dict`")
        options: dict[str, Any] = {"revision": revision, "token": token, **(adapter_kwargs or {})}
        if "use_auth_token" in options:
            options["token"] = options.pop("use_auth_token")
        from peft import inject_adapter_in_model

        config = peft_config or _read_config(str(peft_model_id), options)
        inject_adapter_in_model(config, self, name)
        self._hf_peft_config_loaded = True
        state = adapter_state_dict if peft_model_id is None else _read_weights(peft_model_id, options)
        self._fill_adapter(state or {}, name)
        offloaded = {"cpu", "disk"} & set((getattr(self, "hf_device_map", None) or {}).values())
        if offloaded and len(self.peft_config) == 1:
            self._dispatch_accelerate_model(device_map or "auto", max_memory, offload_folder, offload_index)

    def add_adapter(self, adapter_config: Any, adapter_name: str | None = None) -> None:
        """Adds a new adapter, to be trained, and activates it.

        Args:
            adapter_config: A `peft.PeftConfig`, such as `LoraConfig`.
            adapter_name: The name to give it; default: `"default"`.

        Raises:
            ValueError: `peft` is missing or too old, the name is taken, or this is no configuration of an adapter.
        """
        check_peft_version(MIN_PEFT_VERSION)
        from peft import PeftConfig, inject_adapter_in_model

        name = adapter_name or _NAME
        if self._hf_peft_config_loaded and name in self.peft_config:
            raise ValueError(f"There is already an adapter called {name!r}: choose another name")
        if not isinstance(adapter_config, PeftConfig):
            raise ValueError(f"adapter_config must be a peft.PeftConfig, found {type(adapter_config).__name__}")
        adapter_config.base_model_name_or_path = getattr(self, "name_or_path", None)
        inject_adapter_in_model(adapter_config, self, name)
        self._hf_peft_config_loaded = True
        self.set_adapter(name)

    def set_adapter(self, adapter_name: list[str] | str) -> None:
        """Activates these adapters and no others; a `ValueError` if one is not there."""
        self._require_adapter()
        for name in [adapter_name] if isinstance(adapter_name, str) else adapter_name:
            if name not in self.peft_config:
                raise ValueError(f"There is no adapter called {name!r}: expected one of {', '.join(self.peft_config)}")
        for layer in _adapter_layers(self):
            if hasattr(layer, "set_adapter"):
                layer.set_adapter(adapter_name)
            else:
                layer.active_adapter = adapter_name

    def disable_adapters(self) -> None:
        """Lets the model compute as if it had no adapters."""
        self._switch_adapters(on=False)

    def enable_adapters(self) -> None:
        """Lets the active adapters take part again."""
        self._switch_adapters(on=True)

    def _switch_adapters(self, on: bool) -> None:
        self._require_adapter()
        for layer in _adapter_layers(self):
            if hasattr(layer, "enable_adapters"):
                layer.enable_adapters(enabled=on)
            else:  # peft before 0.6
                layer.disable_adapters = not on

    def active_adapters(self) -> list[str]:
        """The names of the active adapters; the first alone is what most methods of `peft` handle."""
        self._require_adapter()
        from peft.tuners.tuners_utils import BaseTunerLayer

        layer = next(layer for layer in _adapter_layers(self) if isinstance(layer, BaseTunerLayer))
        return [layer.active_adapter] if isinstance(layer.active_adapter, str) else list(layer.active_adapter)

    def active_adapter(self) -> str:
        """The name of the first active adapter. Deprecated: use `active_adapters`."""
        warnings.warn("`active_adapter` is deprecated: use `active_adapters`.", FutureWarning, stacklevel=2)
        return self.active_adapters()[0]

    def get_adapter_state_dict(self, adapter_name: str | None = None) -> dict[str, Tensor]:
        """The weights of an adapter; default: of the first active one."""
        self._require_adapter()
        from peft import get_peft_model_state_dict

        return get_peft_model_state_dict(self, adapter_name=adapter_name or self.active_adapters()[0])

    def _require_adapter(self) -> None:
        check_peft_version(MIN_PEFT_VERSION)
        if not self._hf_peft_config_loaded:
            raise ValueError("The model has no adapter: load one with `load_adapter`, or add one with `add_adapter`")

    def _fill_adapter(self, state: dict[str, Tensor], name: str) -> None:
        """Copies weights into an adapter that is there, and warns of those that have no place."""
        from peft.utils import set_peft_model_state_dict

        found = set_peft_model_state_dict(
            self, {key.removeprefix(_PREFIX): tensor for key, tensor in state.items()}, name
        )
        unexpected = getattr(found, "unexpected_keys", None)
        if unexpected:
            logger.warning("The adapter %r has weights that the model has no place for: %s", name, unexpected)

    def _dispatch_accelerate_model(
        self,
        device_map: str,
        max_memory: dict[int | str, int | str] | None = None,
        offload_folder: str | None = None,
        offload_index: int | None = None,
    ) -> None:
        """Places the parts of the model anew, after an adapter has changed them."""
        from accelerate import dispatch_model, infer_auto_device_map
        from accelerate.utils import get_balanced_memory

        model: Any = self
        whole = model._no_split_modules
        if device_map in ("auto", "balanced", "balanced_low_0", "sequential"):
            if device_map != "sequential":
                max_memory = get_balanced_memory(
                    model, max_memory, no_split_module_classes=whole, low_zero=device_map == "balanced_low_0"
                )
            device_map = infer_auto_device_map(model, max_memory, no_split_module_classes=whole)
        # Only newer versions of accelerate know what is offloaded already.
        known = inspect.signature(dispatch_model).parameters
        more = {"offload_index": offload_index} if "offload_index" in known else {}
        dispatch_model(model, device_map=device_map, offload_dir=offload_folder, **more)


def _adapter_layers(model: Any) -> Iterator[Any]:
    """The layers of a model that `peft` has wrapped."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper

    return (module for module in model.modules() if isinstance(module, (BaseTunerLayer, ModulesToSaveWrapper)))


def _read_config(place: str, options: dict[str, Any]) -> Any:
    from peft import PeftConfig

    if find_adapter_config_file(place, **options) is None:
        raise ValueError(f"{place} holds no adapter: there is no file adapter_config.json")
    return PeftConfig.from_pretrained(place, **options)


def _read_weights(place: str, options: dict[str, Any]) -> dict[str, Tensor]:
    from peft.utils.save_and_load import load_peft_weights

    return load_peft_weights(place, **options)
