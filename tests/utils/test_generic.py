"""Small helpers: enumerations, arrays of any framework, files, optional packages, versions, docstrings."""

from __future__ import annotations

import contextlib
import inspect
import os
import stat
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch

from isoform import utils
from isoform.errors import MissingExtraError
from isoform.utils import doc, files, generic, import_utils, tensors, versions

# -- Enumerations and small functions --


def test_enumerations():
    assert generic.PaddingStrategy("longest") is generic.PaddingStrategy.LONGEST
    assert generic.TensorType("pt") == "pt"
    assert [kind.value for kind in generic.TensorType] == ["pt", "tf", "np", "jax"]
    with pytest.raises(ValueError, match=r"k is not a valid PaddingStrategy.*'longest', 'max_length', 'do_not_pad'"):
        generic.PaddingStrategy("k")


def test_context_managers():
    events = []

    @contextlib.contextmanager
    def manager(name):
        events.append(f"enter {name}")
        yield
        events.append(f"leave {name}")

    with generic.ContextManagers([manager("a"), manager("b")]):
        events.append("body")
    assert events == ["enter a", "enter b", "body", "leave b", "leave a"]


def test_flatten_dict():
    assert generic.flatten_dict({"a": {}, "b": {"c": {"d": 1}, "e": 2}}) == {"a": {}, "b.c.d": 1, "b.e": 2}
    assert generic.flatten_dict({"a": {"b": 1}}, delimiter="/") == {"a/b": 1}


def test_strtobool():
    assert [generic.strtobool(text) for text in ("Y", "on", "1", "no", "False", "0")] == [1, 1, 1, 0, 0, 0]
    with pytest.raises(ValueError, match="'maybe'"):
        generic.strtobool("maybe")


def test_working_or_temp_dir(tmp_path):
    with generic.working_or_temp_dir(str(tmp_path)) as folder:
        assert folder == str(tmp_path)
    with generic.working_or_temp_dir(str(tmp_path), use_temp_dir=True) as folder:
        assert folder != str(tmp_path) and os.path.isdir(folder)
    assert not os.path.exists(folder)


def test_auto_map():
    auto_map = {"AutoModel": "code.Model", "AutoTokenizer": ["code.Slow", None], "Other": "user/repo--code.X"}
    assert generic.add_model_info_to_auto_map(auto_map, "u/r") == {
        "AutoModel": "u/r--code.Model",
        "AutoTokenizer": ["u/r--code.Slow", None],
        "Other": "user/repo--code.X",
    }


class FooForTokenClassification(torch.nn.Module):
    def forward(self, input_ids=None, labels=None, next_sentence_label=None, start_positions=None): ...


class FooForQuestionAnswering(torch.nn.Module):
    def forward(self, input_ids=None, start_positions=None, end_positions=None, return_loss=True): ...


def test_questions_about_model_classes():
    assert generic.infer_framework(FooForTokenClassification) == "pt"
    assert generic.find_labels(FooForTokenClassification) == ["labels", "next_sentence_label"]
    assert generic.find_labels(FooForQuestionAnswering) == ["start_positions", "end_positions"]
    assert generic.can_return_loss(FooForQuestionAnswering) and not generic.can_return_loss(FooForTokenClassification)
    with pytest.raises(TypeError, match="is not a model"):
        generic.infer_framework(dict)


# -- Arrays --

KINDS = [np.asarray, torch.tensor]


@pytest.mark.parametrize("make", KINDS)
def test_operations_on_arrays(make):
    x = make([[1, 2, 3], [4, 5, 6]])
    assert tensors.is_tensor(x) and tensors.is_numpy_array(x) != tensors.is_torch_tensor(x)
    assert tensors.to_py_obj(tensors.transpose(x)) == [[1, 4], [2, 5], [3, 6]]
    assert tensors.transpose(make(np.zeros((2, 3, 4))), (2, 0, 1)).shape == (4, 2, 3)
    assert tensors.to_py_obj(tensors.reshape(x, (3, 2))) == [[1, 2], [3, 4], [5, 6]]
    assert tensors.expand_dims(x, 1).shape == (2, 1, 3)
    assert tensors.squeeze(tensors.expand_dims(x, 1)).shape == (2, 3)
    assert tensors.squeeze(make(np.zeros((1, 2, 1))), axis=2).shape == (1, 2)
    assert tensors.tensor_size(x) == 6
    assert isinstance(tensors.to_numpy(x), np.ndarray)
    assert type(tensors.to_py_obj({"a": (x, 1)})["a"]) is list


def test_arrays_of_no_framework():
    for operation in (tensors.transpose, tensors.squeeze, tensors.tensor_size):
        with pytest.raises(ValueError, match="found list"):
            operation([1, 2])
    assert not tensors.is_tensor([1]) and not tensors.is_tf_tensor(1) and not tensors.is_jax_tensor(1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(1.5), 1.5),
        (np.int64(3), 3),
        (torch.tensor(2), 2),
        ((1, np.int8(2)), [1, 2]),
        ("x", "x"),
        (None, None),
    ],
)
def test_to_py_obj(value, expected):
    found = tensors.to_py_obj(value)
    assert found == expected and type(found) is type(expected)


def test_torch_kinds():
    assert tensors.is_torch_dtype(torch.float16) and tensors.is_torch_dtype("bfloat16")
    assert not tensors.is_torch_dtype("nn") and not tensors.is_torch_dtype(3)
    assert tensors.is_torch_device(torch.device("cpu")) and not tensors.is_torch_device("cpu")


def test_to_numpy():
    assert tensors.to_numpy([1, 2]).tolist() == [1, 2]
    assert tensors.to_numpy({"a": torch.ones(2, requires_grad=True)})["a"].tolist() == [1, 1]


# -- Files --


def test_atomic_write(tmp_path):
    path = tmp_path / "a.json"
    with files.atomic_write(path) as stream:
        stream.write("é\n")
    assert path.read_bytes() == "é\n".encode()
    with files.atomic_write(path, "wb") as stream:
        stream.write(b"\x00")
    assert path.read_bytes() == b"\x00" and os.listdir(tmp_path) == ["a.json"]


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.atomic_write(path) as stream:
        stream.write("half of the new")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.json"]


def test_killed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    program = (
        "import os, sys; from isoform.utils.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as stream:\n"
        "    stream.write('new'); stream.flush(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], timeout=60).returncode == -9
    assert path.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_mode_and_link_are_kept(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with files.atomic_write(link) as stream:
        stream.write("new")
    assert link.is_symlink() and real.read_text() == "new" and stat.S_IMODE(real.stat().st_mode) == 0o640
    (tmp_path / "plain").write_text("")
    with files.atomic_write(tmp_path / "fresh"):
        pass
    assert (tmp_path / "fresh").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_several_files_at_once(tmp_path):
    target = tmp_path / "model"
    with files.atomic_files(target) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "b").write_text("b")
        (stage / "a").write_text("a")
        assert os.listdir(target) == [stage.name], "nothing shows before the end"
    assert sorted(os.listdir(target)) == ["a", "sub"] and (target / "sub" / "b").read_text() == "b"
    with pytest.raises(RuntimeError), files.atomic_files(target) as stage:
        (stage / "a").write_text("new")
        raise RuntimeError
    assert (target / "a").read_text() == "a" and sorted(os.listdir(target)) == ["a", "sub"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        *((name, True) for name in ("a", "a/b.json", "a..b", ".hidden")),
        *((name, False) for name in ("..", "a/../b", "/a", "\\a", "C:/a", "a\\..\\b", "", "a\0b")),
    ],
)
def test_safe_names(name, safe):
    assert files.is_safe_name(name) is safe


def test_safe_join():
    assert files.safe_join("folder", "a") == os.path.join("folder", "a")
    with pytest.raises(OSError, match=r"index.json: the shard '../a' leads outside of the folder 'folder'"):
        files.safe_join("folder", "../a", source="index.json: the shard")


# -- Optional packages --


def test_installed_packages():
    assert utils.is_torch_available() and utils.is_safetensors_available() and utils.is_tokenizers_available()
    assert torch.__version__.startswith(utils.get_torch_version())  # the latter may lack "+cu130"
    assert import_utils._is_package_available("no_such_package_here") is False
    assert import_utils._is_package_available("numpy", return_version=True) == (True, np.__version__)


def test_every_question_has_an_answer():
    names = [name for name in dir(utils) if name.startswith("is_") and name.endswith(("_available", "_enabled"))]
    assert len(names) > 80
    for name in names:
        assert getattr(utils, name)() in (True, False), name


def test_versions_of_packages():
    assert utils.is_fsdp_available("1.12.0") and not utils.is_fsdp_available("99.0")
    assert not utils.is_accelerate_available("99.0")


def test_devices():
    assert utils.is_torch_bf16_available_on_device("cpu")
    assert not utils.is_torch_fp16_available_on_device("no-such-device")


def test_missing_extra(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: module != "librosa")
    with pytest.raises(MissingExtraError, match=r'Tagger \(librosa not found\).*pip install "isoform\[audio\]"'):
        utils.requires_backends("Tagger", "librosa")
    with pytest.raises(ImportError, match="librosa"):
        utils.requires_backends(dict, ["torch", "librosa"])
    utils.requires_backends(dict, ["torch"])


def test_missing_packages_without_an_extra(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: module not in ("timm", "librosa"))
    with pytest.raises(ImportError, match=r'DetrModel needs timm.*pip install "timm"'):
        utils.requires_backends("DetrModel", "timm")
    with pytest.raises(ImportError, match=r'timm and librosa.*pip install "timm" "isoform\[audio\]"'):
        utils.requires_backends("X", ["timm", "librosa"])
    with pytest.raises(KeyError, match="unknown backend 'nonsense'"):
        utils.requires_backends("X", "nonsense")


def test_message_templates():
    assert import_utils.NLTK_IMPORT_ERROR.format("Tagger") == (
        'Tagger needs nltk, not found in this environment: pip install "nltk"'
    )
    assert "isoform[tensorflow]" in import_utils.TENSORFLOW_IMPORT_ERROR
    check, template = import_utils.BACKENDS_MAPPING["torch"]
    assert check() and template == import_utils.PYTORCH_IMPORT_ERROR
    with pytest.raises(AttributeError, match="NONSENSE_IMPORT_ERROR"):
        _ = import_utils.NONSENSE_IMPORT_ERROR


def test_extras_are_those_of_the_project():
    known = {"vision", "audio", "sentencepiece", "train", "deepspeed", "jax", "tensorflow", "onnx", "quantization"}
    named = {target for _, target in import_utils._BACKENDS.values() if target.startswith("isoform[")}
    assert {target[len("isoform[") : -1] for target in named} <= known


def test_framework_switched_off():
    program = (
        "from isoform.utils import is_torch_available, requires_backends\n"
        "assert not is_torch_available()\n"
        "try: requires_backends('X', 'torch')\n"
        "except ImportError as error: assert 'switched off' in str(error), error\n"
        "else: raise SystemExit('no error')"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "USE_TORCH": "0"}, check=True, timeout=60)


def test_placeholders(monkeypatch):
    monkeypatch.setattr(import_utils, "_find", lambda module: module != "librosa")

    class Placeholder(metaclass=utils.DummyObject):
        _backends = ["librosa"]

    for use in (lambda: Placeholder(), lambda: Placeholder.from_pretrained("x"), lambda: Placeholder._from_config()):
        with pytest.raises(ImportError, match="Placeholder"):
            use()
    assert Placeholder.__name__ == "Placeholder"


def test_decorators(monkeypatch):
    @utils.torch_required
    def function(x):
        """Doc."""
        return x + 1

    assert function(1) == 2 and function.__doc__ == "Doc."
    monkeypatch.setattr(import_utils, "_find", lambda module: False)
    with pytest.raises(ImportError, match="function needs torch"):
        function(1)


def test_lazy_module(tmp_path, monkeypatch):
    package = tmp_path / "extension"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import sys\nfrom isoform.utils import _LazyModule\n"
        "sys.modules[__name__] = _LazyModule(__name__, __file__, {'inner': ['Thing']}, __spec__, {'extra': 3})\n"
    )
    (package / "inner.py").write_text("class Thing: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import extension

    assert "extension.inner" not in sys.modules
    assert extension.Thing.__module__ == "extension.inner" and extension.extra == 3
    assert extension.inner.Thing is extension.Thing and {"Thing", "inner"} <= set(dir(extension))
    with pytest.raises(AttributeError, match="module extension has no attribute nothing"):
        _ = extension.nothing


# -- Versions --


def test_require_version():
    versions.require_version("numpy")
    versions.require_version("numpy>=1.0,<99")
    versions.require_version("python>=3.10")
    with pytest.raises(ImportError, match=r"numpy>=99 is needed, but numpy==.* is installed. do this"):
        versions.require_version("numpy>=99", "do this")
    with pytest.raises(PackageNotFoundError, match="no-such-package"):
        versions.require_version("no-such-package>=1")
    with pytest.raises(ValueError, match="cannot read"):
        versions.require_version("numpy = 1")


def test_check_min_version():
    versions.check_min_version("4.36.0")
    versions.check_min_version("4.36.2.dev0")
    with pytest.raises(ImportError, match=r"needs version 4.37.0 .* isoform implements 4.36.2"):
        versions.check_min_version("4.37.0")


# -- Docstrings --


def test_start_and_end_docstrings():
    @doc.add_start_docstrings("Start.", "More.")
    @doc.add_end_docstrings("End.")
    def function():
        """Middle."""

    assert function.__doc__ == "Start.More.Middle.End."


def test_forward_docstrings():
    class Model:
        @doc.add_start_docstrings_to_model_forward("Arguments.")
        @doc.add_code_sample_docstrings(checkpoint="user/model", output_type=utils.ModelOutput)
        def forward(self):
            """Own."""

        @doc.replace_return_docstrings(output_type=utils.ModelOutput, config_class="FooConfig")
        def generate(self):
            """Generates.

            Returns:

            Example: none.
            """

    assert "Model" in Model.forward.__doc__ and "Arguments.Own." in Model.forward.__doc__
    assert 'Model.from_pretrained("user/model")' in Model.forward.__doc__ and "ModelOutput" in Model.forward.__doc__
    assert "\nReturns:\n    [`ModelOutput`]" in inspect.cleandoc(Model.generate.__doc__)
    assert "FooConfig" in Model.generate.__doc__ and "Example: none." in Model.generate.__doc__
    with pytest.raises(ValueError, match="no line 'Returns:'"):
        doc.replace_return_docstrings(utils.ModelOutput)(test_start_and_end_docstrings)


def test_copy_func():
    def original(x, *, y=2):
        """Doc."""
        return x + y

    copied = doc.copy_func(original)
    copied.__doc__ = "Other."
    assert copied(1) == 3 and copied(1, y=5) == 6 and original.__doc__ == "Doc."


# -- The namespace --


def test_every_name_can_be_had():
    for name in utils._HOME:
        assert getattr(utils, name) is not None, name
    assert set(utils._HOME) <= set(dir(utils))
    with pytest.raises(AttributeError, match=r"module 'isoform.utils' has no attribute 'nothing'"):
        _ = utils.nothing


def test_former_module():
    import isoform.file_utils

    assert isoform.file_utils.ModelOutput is utils.ModelOutput
    assert isoform.file_utils.cached_property is generic.cached_property


def test_loads_no_framework():
    program = (
        "import sys, isoform.utils.generic, isoform.utils.hub, isoform.utils.import_utils, isoform.utils.doc\n"
        "assert not {'torch', 'numpy', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
