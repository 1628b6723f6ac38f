"""Bridges to other packages, as far as they need none of them."""

from __future__ import annotations

import gc

import pytest

from isoform.integrations import deepspeed
from isoform.integrations.peft import PeftAdapterMixin
from isoform.utils import check_peft_version, find_adapter_config_file, import_utils


class Config:
    def __init__(self, stage):
        self.config = {"zero_optimization": {"stage": stage}}

    def is_zero3(self):
        return self.config["zero_optimization"]["stage"] == 3


def test_deepspeed_config_in_force():
    assert deepspeed.deepspeed_config() is None and not deepspeed.is_deepspeed_zero3_enabled()
    config = Config(3)
    deepspeed.set_hf_deepspeed_config(config)
    assert deepspeed.deepspeed_config() is config.config and deepspeed.is_deepspeed_zero3_enabled()
    deepspeed.unset_hf_deepspeed_config()
    assert not deepspeed.is_deepspeed_zero3_enabled()
    two = Config(2)
    deepspeed.set_hf_deepspeed_config(two)
    assert deepspeed.deepspeed_config() is not None and not deepspeed.is_deepspeed_zero3_enabled()
    del two
    gc.collect()
    assert deepspeed.deepspeed_config() is None, "its owner has let go of it"


def test_deepspeed_is_asked_for(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: module != "deepspeed")
    with pytest.raises(ImportError, match=r'pip install "isoform\[deepspeed\]"'):
        deepspeed.HfDeepSpeedConfig({})


def test_documented_places():
    import isoform.deepspeed
    import isoform.integrations

    assert isoform.deepspeed.is_deepspeed_zero3_enabled is deepspeed.is_deepspeed_zero3_enabled
    assert isoform.integrations.is_deepspeed_zero3_enabled is deepspeed.is_deepspeed_zero3_enabled
    assert isoform.integrations.PeftAdapterMixin is PeftAdapterMixin


def test_without_peft(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: module != "peft")
    mixin = PeftAdapterMixin()
    for call in (mixin.active_adapters, mixin.load_adapter, lambda: mixin.set_adapter("x"), mixin.disable_adapters):
        with pytest.raises(ValueError, match=r'PEFT is not installed: pip install "peft"'):
            call()


def test_old_peft(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: True)
    monkeypatch.setattr(import_utils, "_version_of", lambda distribution: "0.4.1")
    with pytest.raises(ValueError, match=r'too old: pip install "peft>=0.5.0"'):
        check_peft_version("0.5.0")
    check_peft_version("0.4.0")


def test_adapter_config_file(tmp_path):
    assert find_adapter_config_file(tmp_path) is None and find_adapter_config_file(None) is None
    (tmp_path / "adapter_config.json").write_text("{}")
    assert find_adapter_config_file(tmp_path) == str(tmp_path / "adapter_config.json")
