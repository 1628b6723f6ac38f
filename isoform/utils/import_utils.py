"""Which optional packages are installed, and the error for those that are needed and missing.

Nothing is imported to find out, except where the answer depends on hardware.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, NoReturn, TypeVar

from ..errors import MissingExtraError

__all__ = ["DummyObject", "OptionalDependencyNotAvailable", "requires_backends"]

ENV_VARS_TRUE_VALUES = {"1", "ON", "YES", "TRUE"}
ENV_VARS_TRUE_AND_AUTO_VALUES = ENV_VARS_TRUE_VALUES | {"AUTO"}
# Whether a framework may be used at all: "USE_TF=0" hides an installed TensorFlow.
USE_TF = os.environ.get("USE_TF", "AUTO").upper()
USE_TORCH = os.environ.get("USE_TORCH", "AUTO").upper()
USE_JAX = os.environ.get("USE_FLAX", "AUTO").upper()

F = TypeVar("F", bound=Callable[..., Any])


class OptionalDependencyNotAvailable(BaseException):
    """Raised inside of a package to say that a part of it cannot be had here. Not an `Exception`: never swallowed."""


@functools.cache
def _find(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a parent is missing, or the module was injected without a spec
        return module in sys.modules


@functools.cache
def _version_of(distribution: str) -> str | None:
    """The version of an installed distribution."""
    import importlib.metadata

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_package_available(pkg_name: str, return_version: bool = False) -> tuple[bool, str] | bool:
    """Whether the package can be imported and, if asked, its version (`"N/A"` if unknown)."""
    found = _find(pkg_name)
    if not return_version:
        return found
    return found, (_version_of(pkg_name) if found else None) or "N/A"


def _at_least(distribution: str, minimum: str) -> bool:
    from packaging import version

    found = _version_of(distribution)
    return found is not None and version.parse(version.parse(found).base_version) >= version.parse(minimum)


def _probe(*modules: str) -> Callable[[], bool]:
    """Makes the function that says whether all these modules are installed."""

    def is_available() -> bool:
        return all(_find(module) for module in modules)

    is_available.__doc__ = f"Whether {' and '.join(f'`{module}`' for module in modules)} can be imported."
    return is_available


def _framework(setting: str, *others: str) -> bool:
    """Whether the environment lets a framework be used: asked for, or automatic while no other is demanded."""
    demanded = any(other in ENV_VARS_TRUE_VALUES for other in others)
    return setting in ENV_VARS_TRUE_VALUES or (setting in ENV_VARS_TRUE_AND_AUTO_VALUES and not demanded)


def is_torch_available() -> bool:
    """Whether PyTorch can be imported and is not switched off by `USE_TORCH`, `USE_TF`."""
    return _framework(USE_TORCH, USE_TF) and _find("torch")


def is_tf_available() -> bool:
    """Whether TensorFlow 2 can be imported and is not switched off by `USE_TF`, `USE_TORCH`."""
    return _framework(USE_TF, USE_TORCH) and _find("tensorflow")


def is_flax_available() -> bool:
    """Whether JAX and Flax can be imported and are not switched off by `USE_FLAX`."""
    return USE_JAX in ENV_VARS_TRUE_AND_AUTO_VALUES and _find("jax") and _find("flax")


is_jax_available = _probe("jax")
is_apex_available = _probe("apex")
is_auto_awq_available = _probe("awq")
is_auto_gptq_available = _probe("auto_gptq")
is_bs4_available = _probe("bs4")
is_coloredlogs_available = _probe("coloredlogs")
is_cv2_available = _probe("cv2")
is_cython_available = _probe("Cython")
is_datasets_available = _probe("datasets")
is_decord_available = _probe("decord")
is_detectron2_available = _probe("detectron2")
is_essentia_available = _probe("essentia")
is_faiss_available = _probe("faiss")
is_ftfy_available = _probe("ftfy")
is_jieba_available = _probe("jieba")
is_jinja_available = _probe("jinja2")
is_kenlm_available = _probe("kenlm")
is_keras_nlp_available = _probe("keras_nlp")
is_levenshtein_available = _probe("Levenshtein")
is_librosa_available = _probe("librosa")
is_natten_available = _probe("natten")
is_ninja_available = _probe("ninja")
is_nltk_available = _probe("nltk")
is_onnx_available = _probe("onnx")
is_onnxruntime_available = _probe("onnxruntime")
is_openai_available = _probe("openai")
is_optimum_available = _probe("optimum")
is_optimum_neuron_available = _probe("optimum", "optimum.neuron")
is_pandas_available = _probe("pandas")
is_peft_available = _probe("peft")
is_phonemizer_available = _probe("phonemizer")
is_pretty_midi_available = _probe("pretty_midi")
is_protobuf_available = _probe("google", "google.protobuf")
is_psutil_available = _probe("psutil")
is_py3nvml_available = _probe("py3nvml")
is_pyctcdecode_available = _probe("pyctcdecode")
is_pytesseract_available = _probe("pytesseract")
is_pytest_available = _probe("pytest")
is_pytorch_quantization_available = _probe("pytorch_quantization")
is_rjieba_available = _probe("rjieba")
is_sacremoses_available = _probe("sacremoses")
is_safetensors_available = _probe("safetensors")
is_scipy_available = _probe("scipy")
is_sentencepiece_available = _probe("sentencepiece")
is_seqio_available = _probe("seqio")
is_sklearn_available = _probe("sklearn")
is_soundfile_availble = _probe("soundfile")  # (sic) the name that 4.36 has
is_soundfile_available = is_soundfile_availble
is_spacy_available = _probe("spacy")
is_sudachi_available = _probe("sudachipy")
is_tensorflow_probability_available = _probe("tensorflow_probability")
is_tensorflow_text_available = _probe("tensorflow_text")
is_tf2onnx_available = _probe("tf2onnx")
is_timm_available = _probe("timm")
is_tokenizers_available = _probe("tokenizers")
is_torchaudio_available = _probe("torchaudio")
is_speech_available = is_torchaudio_available  # the speech front ends need no more than torchaudio
is_torchdistx_available = _probe("torchdistx")
is_torchvision_available = _probe("torchvision")
is_vision_available = _probe("PIL")


def is_accelerate_available(min_version: str = "0.21.0") -> bool:
    """Whether `accelerate` is installed, in this version or a later one."""
    return _find("accelerate") and _at_least("accelerate", min_version)


def is_fsdp_available(min_version: str = "1.12.0") -> bool:
    """Whether PyTorch is installed, in a version whose fully sharded data parallelism is supported."""
    return is_torch_available() and _at_least("torch", min_version)


def is_bitsandbytes_available() -> bool:
    """Whether `bitsandbytes` is installed and PyTorch sees an accelerator for it."""
    return is_torch_available() and _find("bitsandbytes") and is_torch_cuda_available()


def is_ccl_available() -> bool:
    """Whether Intel's oneCCL bindings for PyTorch are installed, under their present or former name."""
    return _find("oneccl_bindings_for_pytorch") or _find("torch_ccl")


def is_deepspeed_available() -> bool:
    """Whether `deepspeed` is installed as a package (a folder of that name does not count)."""
    return _find("deepspeed") and _version_of("deepspeed") is not None


def is_flash_attn_2_available() -> bool:
    """Whether FlashAttention 2 is installed and there is a GPU of NVIDIA's to run it on."""
    return is_torch_available() and is_flash_attn_greater_or_equal_2_10() and is_torch_cuda_available()


def is_flash_attn_greater_or_equal_2_10() -> bool:
    """Whether FlashAttention 2.1 or later is installed."""
    return _find("flash_attn") and _at_least("flash_attn", "2.1.0")


def is_flash_attn_available() -> bool:
    """The former name of `is_flash_attn_2_available`."""
    return is_flash_attn_2_available()


def is_jumanpp_available() -> bool:
    """Whether the Juman++ program and its Python bindings are installed."""
    import shutil

    return _find("rhoknp") and shutil.which("jumanpp") is not None


def is_ipex_available() -> bool:
    """Whether Intel's extension for PyTorch is installed, built for the installed PyTorch."""
    from packaging import version

    ours, theirs = get_torch_version(), _version_of("intel_extension_for_pytorch")
    if ours == "N/A" or theirs is None:
        return False
    return version.parse(ours).release[:2] == version.parse(theirs).release[:2]


def is_in_notebook() -> bool:
    """Whether this is a notebook or a shell of IPython's that shows rich output."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or "IPKernelApp" not in shell.config or "VSCODE_PID" in os.environ:
        return False
    return "DATABRICKS_RUNTIME_VERSION" not in os.environ or os.environ["DATABRICKS_RUNTIME_VERSION"] >= "11.0"


def get_torch_version() -> str:
    """The version of the installed PyTorch, or `"N/A"`."""
    return (_version_of("torch") if is_torch_available() else None) or "N/A"


# -- What the installed PyTorch and the hardware can do --


def is_torch_cuda_available() -> bool:
    """Whether PyTorch sees a CUDA device."""
    if not is_torch_available():
        return False
    import torch

    return torch.cuda.is_available()


def is_torch_mps_available() -> bool:
    """Whether PyTorch sees a GPU of Apple's."""
    if not is_torch_available():
        return False
    import torch

    return torch.backends.mps.is_available()


def is_torch_bf16_gpu_available() -> bool:
    """Whether the CUDA device computes in bfloat16."""
    if not is_torch_cuda_available():
        return False
    import torch

    return torch.cuda.is_bf16_supported()


def is_torch_bf16_cpu_available() -> bool:
    """Whether PyTorch computes in bfloat16 on the CPU, which every version that we support does."""
    return is_torch_available()


def is_torch_bf16_available() -> bool:
    """The former name of `is_torch_bf16_gpu_available`."""
    return is_torch_bf16_gpu_available()


@functools.cache
def _computes_on(device: str, dtype_name: str) -> bool:
    import torch

    try:
        x = torch.zeros(2, 2, dtype=getattr(torch, dtype_name), device=device)
        _ = x @ x
        if dtype_name == "float16":
            torch.nn.functional.layer_norm(x, [2])
    except Exception:
        return False
    return True


def is_torch_fp16_available_on_device(device: Any) -> bool:
    """Whether PyTorch multiplies and normalises in float16 on this device."""
    return is_torch_available() and _computes_on(str(device), "float16")


def is_torch_bf16_available_on_device(device: Any) -> bool:
    """Whether PyTorch multiplies in bfloat16 on this device."""
    return is_torch_available() and _computes_on(str(device), "bfloat16")


def is_torch_tf32_available() -> bool:
    """Whether the CUDA device has TensorFloat-32: Ampere or later."""
    if not is_torch_cuda_available():
        return False
    import torch

    return torch.version.cuda is not None and torch.cuda.get_device_properties(0).major >= 8


def is_torch_fx_available() -> bool:
    """Whether `torch.fx` exists, as in every PyTorch that we support."""
    return is_torch_available()


def is_torch_sdpa_available() -> bool:
    """Whether PyTorch has fused attention with a mask, as every version that we support does."""
    return is_torch_available() and _at_least("torch", "2.1.1")


def is_torch_compile_available() -> bool:
    """Whether `torch.compile` exists, as in every PyTorch that we support."""
    return is_torch_available()


def is_torchdynamo_available() -> bool:
    """Whether TorchDynamo exists, as in every PyTorch that we support."""
    return is_torch_available()


def is_torchdynamo_compiling() -> bool:
    """Whether the caller is being traced by `torch.compile` or `torch.export`."""
    if "torch" not in sys.modules:
        return False
    import torch

    return torch.compiler.is_compiling()


def is_torch_tensorrt_fx_available() -> bool:
    """Whether the FX front end of Torch-TensorRT is installed."""
    return _find("torch_tensorrt") and _find("torch_tensorrt.fx")


@functools.cache
def is_torch_tpu_available(check_device: bool = True) -> bool:
    """Whether `torch_xla` is installed and, if asked, has a device."""
    if not _find("torch_xla"):
        return False
    if not check_device:
        return True
    try:
        import torch_xla.core.xla_model as xm

        xm.xla_device()
    except Exception:
        return False
    return True


def is_torch_neuroncore_available(check_device: bool = True) -> bool:
    """Whether `torch_neuronx` is installed and, if asked, has a device."""
    return _find("torch_neuronx") and is_torch_tpu_available(check_device)


def _has_backend(package: str, attribute: str, check_device: bool) -> bool:
    """Whether an extension gave PyTorch a backend, `torch.npu` or the like, and, if asked, that has a device."""
    if not is_torch_available() or not _find(package):
        return False
    import torch

    if attribute != "xpu" or not hasattr(torch, "xpu"):
        importlib.import_module(package)
    backend = getattr(torch, attribute, None)
    if backend is None or not check_device:
        return backend is not None
    try:
        return backend.device_count() > 0 and backend.is_available()
    except RuntimeError:
        return False


@functools.cache
def is_torch_npu_available(check_device: bool = False) -> bool:
    """Whether `torch_npu` (Huawei) is installed and, if asked, has a device."""
    return _has_backend("torch_npu", "npu", check_device)


@functools.cache
def is_torch_xpu_available(check_device: bool = False) -> bool:
    """Whether PyTorch has an `xpu` backend (Intel) and, if asked, a device for it."""
    if is_torch_available() and not is_ipex_available():
        import torch

        return torch.xpu._is_compiled() and (not check_device or torch.xpu.is_available())
    return is_ipex_available() and _has_backend("intel_extension_for_pytorch", "xpu", check_device)


def is_torch_fx_proxy(x: Any) -> bool:
    """Whether `x` stands for a value of a graph that `torch.fx` is tracing."""
    from .tensors import is_torch_fx_proxy as answer

    return answer(x)


# -- Amazon SageMaker, recognised by what it sets in the environment --


def _sagemaker_setting(name: str, key: str) -> bool:
    try:
        return bool(json.loads(os.environ.get(name, "{}")).get(key))
    except (json.JSONDecodeError, AttributeError):
        return False


def is_sagemaker_dp_enabled() -> bool:
    """Whether SageMaker's data parallelism is on."""
    return _sagemaker_setting("SM_FRAMEWORK_PARAMS", "sagemaker_distributed_dataparallel_enabled") and _find(
        "smdistributed"
    )


def is_sagemaker_mp_enabled() -> bool:
    """Whether SageMaker's model parallelism is on."""
    return (
        _sagemaker_setting("SM_HP_MP_PARAMETERS", "partitions")
        and _sagemaker_setting("SM_FRAMEWORK_PARAMS", "sagemaker_mpi_enabled")
        and _find("smdistributed")
    )


def is_training_run_on_sagemaker() -> bool:
    """Whether this process is a training job of SageMaker's."""
    return "SAGEMAKER_JOB_NAME" in os.environ


# -- What is missing, and how to get it --

# backend: (is it here?, the pip command's argument). An extra of ours where one brings the package, else the package.
_BACKENDS: dict[str, tuple[Callable[[], bool], str]] = {
    "accelerate": (is_accelerate_available, "isoform[train]"),
    "bitsandbytes": (is_bitsandbytes_available, "isoform[quantization]"),
    "bs4": (is_bs4_available, "beautifulsoup4"),
    "cv2": (is_cv2_available, "opencv-python-headless"),
    "cython": (is_cython_available, "cython"),
    "datasets": (is_datasets_available, "isoform[train]"),
    "decord": (is_decord_available, "decord"),
    "deepspeed": (is_deepspeed_available, "isoform[deepspeed]"),
    "detectron2": (is_detectron2_available, "git+https://github.com/facebookresearch/detectron2"),
    "essentia": (is_essentia_available, "essentia"),
    "faiss": (is_faiss_available, "faiss-cpu"),
    "flax": (is_flax_available, "isoform[jax]"),
    "ftfy": (is_ftfy_available, "ftfy"),
    "jax": (is_jax_available, "isoform[jax]"),
    "jieba": (is_jieba_available, "jieba"),
    "jinja": (is_jinja_available, "jinja2"),
    "kenlm": (is_kenlm_available, "kenlm"),
    "levenshtein": (is_levenshtein_available, "python-Levenshtein"),
    "librosa": (is_librosa_available, "isoform[audio]"),
    "natten": (is_natten_available, "natten"),
    "nltk": (is_nltk_available, "nltk"),
    "oneccl_bind_pt": (is_ccl_available, "oneccl_bind_pt"),
    "onnx": (is_onnx_available, "isoform[onnx]"),
    "onnxruntime": (is_onnxruntime_available, "isoform[onnx]"),
    "pandas": (is_pandas_available, "pandas"),
    "peft": (is_peft_available, "peft"),
    "phonemizer": (is_phonemizer_available, "phonemizer"),
    "pretty_midi": (is_pretty_midi_available, "pretty_midi"),
    "protobuf": (is_protobuf_available, "isoform[sentencepiece]"),
    "pyctcdecode": (is_pyctcdecode_available, "pyctcdecode"),
    "pytesseract": (is_pytesseract_available, "pytesseract"),
    "pytorch_quantization": (is_pytorch_quantization_available, "pytorch-quantization"),
    "sacremoses": (is_sacremoses_available, "sacremoses"),
    "scipy": (is_scipy_available, "scipy"),
    "sentencepiece": (is_sentencepiece_available, "isoform[sentencepiece]"),
    "sklearn": (is_sklearn_available, "scikit-learn"),
    "soundfile": (is_soundfile_available, "isoform[audio]"),
    "speech": (is_speech_available, "isoform[audio]"),
    "tensorflow_probability": (is_tensorflow_probability_available, "tensorflow-probability"),
    "tensorflow_text": (is_tensorflow_text_available, "tensorflow-text"),
    "tf": (is_tf_available, "isoform[tensorflow]"),
    "timm": (is_timm_available, "timm"),
    "tokenizers": (is_tokenizers_available, "tokenizers"),
    "torch": (is_torch_available, "torch"),
    "torchaudio": (is_torchaudio_available, "isoform[audio]"),
    "torchvision": (is_torchvision_available, "isoform[vision]"),
    "vision": (is_vision_available, "isoform[vision]"),
}


def missing_backends(backends: str | Iterable[str]) -> list[str]:
    """Those of the named backends that cannot be used here. An unknown name is a `KeyError`."""
    names = [backends] if isinstance(backends, str) else list(backends)
    unknown = [name for name in names if name not in _BACKENDS]
    if unknown:
        raise KeyError(f"unknown backend {unknown[0]!r}: expected one of {', '.join(_BACKENDS)}")
    return [name for name in names if not _BACKENDS[name][0]()]


def requires_backends(obj: Any, backends: str | Iterable[str]) -> None:
    """Raises an `ImportError` that says what `obj` needs, what is missing and how to install it.

    Args:
        obj: A class, a function or an instance, named in the message; or that name.
        backends: Names of backends, such as `"torch"`, `"vision"` or `["speech", "soundfile"]`.
    """
    missing = missing_backends(backends)
    if not missing:
        return
    name = obj if isinstance(obj, str) else getattr(obj, "__name__", type(obj).__name__)
    hidden = [backend for backend in missing if backend in _MODULE and _find(_MODULE[backend])]
    if hidden:
        raise ImportError(
            f"{name} needs {', '.join(hidden)}, which is installed but switched off by the environment: "
            "see the variables USE_TORCH, USE_TF and USE_FLAX"
        )
    targets = list(dict.fromkeys(_BACKENDS[backend][1] for backend in missing))
    if len(targets) == 1 and targets[0].startswith("isoform["):
        raise MissingExtraError(f"{name} ({', '.join(missing)} not found)", targets[0][len("isoform[") : -1])
    command = " ".join(f'"{target}"' for target in targets)
    raise ImportError(f"{name} needs {' and '.join(missing)}, not found in this environment: pip install {command}")


# Frameworks that the environment can switch off, with their modules.
_MODULE = {"torch": "torch", "tf": "tensorflow", "flax": "flax"}


# Backends whose message template has another name: 4.36 has constants such as `NLTK_IMPORT_ERROR`.
_TEMPLATE_NAMES = {"ccl": "oneccl_bind_pt", "pytorch": "torch", "tensorflow": "tf"}


def __getattr__(name: str) -> Any:
    if name == "BACKENDS_MAPPING":
        return {backend: (check, _template(backend)) for backend, (check, _) in _BACKENDS.items()}
    if name == "TORCH_FX_REQUIRED_VERSION":
        from packaging.version import Version

        return Version("1.10")
    backend = name.removesuffix("_IMPORT_ERROR").lower()
    backend = _TEMPLATE_NAMES.get(backend, backend)
    if name.endswith("_IMPORT_ERROR") and backend in _BACKENDS:
        return _template(backend)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _template(backend: str) -> str:
    """A message on a missing backend, in which `{0}` is the name of what needs it."""
    return f'{{0}} needs {backend}, not found in this environment: pip install "{_BACKENDS[backend][1]}"'


class DummyObject(type):
    """Metaclass of placeholders: using the class in any way says which of its `_backends` is missing."""

    _backends: list[str]

    def __getattribute__(cls, key: str) -> Any:
        if key.startswith("_") and key != "_from_config":
            return super().__getattribute__(key)
        requires_backends(cls, cls._backends)
        return super().__getattribute__(key)

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        requires_backends(cls, cls._backends)
        raise ImportError(f"{cls.__name__} was looked up while {', '.join(cls._backends)} was missing: restart Python")


def _needs(backend: str, function: F) -> F:
    """Wraps a function so that calling it without the backend is an `ImportError`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        requires_backends(function, backend)
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def torch_required(func: F) -> F:
    """Decorates a function that cannot run without PyTorch."""
    return _needs("torch", func)


def tf_required(func: F) -> F:
    """Decorates a function that cannot run without TensorFlow."""
    return _needs("tf", func)


def torch_only_method(fn: F) -> F:
    """The former name of `torch_required`."""
    return torch_required(fn)


class _LazyModule(ModuleType):
    """A package whose names are imported from its modules on first access; for packages that extend the library.

    Args:
        name, module_file, module_spec: `__name__`, `__file__` and `__spec__` of the package.
        import_structure: The public names of each module, keyed by the module's name.
        extra_objects: Further attributes, ready made.
    """

    def __init__(
        self,
        name: str,
        module_file: str,
        import_structure: dict[str, Iterable[str]],
        module_spec: Any = None,
        extra_objects: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(name)
        self._modules = set(import_structure)
        self._home = {attribute: module for module, names in import_structure.items() for attribute in names}
        self.__all__ = [*import_structure, *self._home]
        self.__file__ = module_file
        self.__spec__ = module_spec
        self.__path__ = [os.path.dirname(module_file)]
        self._objects = extra_objects or {}

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})

    def __getattr__(self, name: str) -> Any:
        if name in self._objects:
            return self._objects[name]
        if name in self._modules:
            return importlib.import_module(f".{name}", self.__name__)
        if name not in self._home:
            raise AttributeError(f"module {self.__name__} has no attribute {name}")
        value = getattr(importlib.import_module(f".{self._home[name]}", self.__name__), name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)
