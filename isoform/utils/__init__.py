"""Helpers of the library, and the names that code written for version 4.36 imports from `transformers.utils`.

Names are imported when they are first used: loading this package loads neither torch nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import Any

API_VERSION = "4.36.2"
"""The version of the `transformers` API that is implemented."""

# Module -> what is imported from it.
_NAMES: dict[str, str] = {
    "backbone_utils": "BackboneConfigMixin BackboneMixin",
    "constants": "ADAPTER_CONFIG_NAME ADAPTER_SAFE_WEIGHTS_NAME ADAPTER_WEIGHTS_NAME CONFIG_NAME DUMMY_INPUTS "
    "DUMMY_MASK FEATURE_EXTRACTOR_NAME FLAX_WEIGHTS_INDEX_NAME FLAX_WEIGHTS_NAME GENERATION_CONFIG_NAME "
    "IMAGENET_DEFAULT_MEAN IMAGENET_DEFAULT_STD IMAGENET_STANDARD_MEAN IMAGENET_STANDARD_STD IMAGE_PROCESSOR_NAME "
    "MODEL_CARD_NAME MULTIPLE_CHOICE_DUMMY_INPUTS OPENAI_CLIP_MEAN OPENAI_CLIP_STD SAFE_WEIGHTS_INDEX_NAME "
    "SAFE_WEIGHTS_NAME SENTENCEPIECE_UNDERLINE SPIECE_UNDERLINE TF2_WEIGHTS_INDEX_NAME TF2_WEIGHTS_NAME "
    "TF_WEIGHTS_NAME WEIGHTS_INDEX_NAME WEIGHTS_NAME",
    "doc": "add_code_sample_docstrings add_end_docstrings add_start_docstrings add_start_docstrings_to_model_forward "
    "copy_func replace_return_docstrings",
    "files": "atomic_files atomic_write is_safe_name safe_join",
    "generic": "ContextManagers ExplicitEnum PaddingStrategy TensorType add_model_info_to_auto_map cached_property "
    "can_return_loss find_labels flatten_dict infer_framework strtobool working_or_temp_dir",
    "hub": "EntryNotFoundError HF_MODULES_CACHE HUGGINGFACE_CO_RESOLVE_ENDPOINT PYTORCH_PRETRAINED_BERT_CACHE "
    "PYTORCH_TRANSFORMERS_CACHE PushToHubMixin RepositoryNotFoundError RevisionNotFoundError TRANSFORMERS_CACHE "
    "TRANSFORMERS_DYNAMIC_MODULE_NAME cached_file cached_files convert_file_size_to_int default_cache_path "
    "download_url extract_commit_hash get_checkpoint_shard_files get_file_from_repo get_full_repo_name has_file "
    "http_user_agent is_offline_mode is_remote_url send_example_telemetry try_to_load_from_cache",
    "import_utils": "DummyObject ENV_VARS_TRUE_AND_AUTO_VALUES ENV_VARS_TRUE_VALUES OptionalDependencyNotAvailable "
    "TORCH_FX_REQUIRED_VERSION USE_JAX USE_TF USE_TORCH _LazyModule get_torch_version is_accelerate_available "
    "is_apex_available is_auto_awq_available is_auto_gptq_available is_bitsandbytes_available is_bs4_available "
    "is_ccl_available is_coloredlogs_available is_cv2_available is_cython_available is_datasets_available "
    "is_decord_available is_deepspeed_available is_detectron2_available is_essentia_available is_faiss_available "
    "is_flash_attn_2_available is_flash_attn_available is_flash_attn_greater_or_equal_2_10 is_flax_available "
    "is_fsdp_available is_ftfy_available is_in_notebook is_ipex_available is_jax_available is_jieba_available "
    "is_jinja_available is_jumanpp_available is_kenlm_available is_keras_nlp_available is_levenshtein_available "
    "is_librosa_available is_natten_available is_ninja_available is_nltk_available is_onnx_available "
    "is_onnxruntime_available is_openai_available is_optimum_available is_optimum_neuron_available "
    "is_pandas_available is_peft_available is_phonemizer_available is_pretty_midi_available is_protobuf_available "
    "is_psutil_available is_py3nvml_available is_pyctcdecode_available is_pytesseract_available is_pytest_available "
    "is_pytorch_quantization_available is_rjieba_available is_sacremoses_available is_safetensors_available "
    "is_sagemaker_dp_enabled is_sagemaker_mp_enabled is_scipy_available is_sentencepiece_available "
    "is_seqio_available is_sklearn_available is_soundfile_available is_soundfile_availble is_spacy_available "
    "is_speech_available is_sudachi_available is_tensorflow_probability_available is_tensorflow_text_available "
    "is_tf2onnx_available is_tf_available is_timm_available is_tokenizers_available is_torch_available "
    "is_torch_bf16_available is_torch_bf16_available_on_device is_torch_bf16_cpu_available "
    "is_torch_bf16_gpu_available is_torch_compile_available is_torch_cuda_available "
    "is_torch_fp16_available_on_device is_torch_fx_available is_torch_mps_available is_torch_neuroncore_available "
    "is_torch_npu_available is_torch_sdpa_available is_torch_tensorrt_fx_available is_torch_tf32_available "
    "is_torch_tpu_available is_torch_xpu_available is_torchaudio_available is_torchdistx_available "
    "is_torchdynamo_available is_torchdynamo_compiling is_torchvision_available is_training_run_on_sagemaker "
    "is_vision_available missing_backends requires_backends tf_required torch_only_method torch_required",
    "outputs": "ModelOutput register_pytrees",
    "peft_utils": "check_peft_version find_adapter_config_file",
    "tensors": "expand_dims is_jax_tensor is_numpy_array is_tensor is_tf_symbolic_tensor is_tf_tensor "
    "is_torch_device is_torch_dtype is_torch_fx_proxy is_torch_tensor reshape squeeze tensor_size to_numpy to_py_obj "
    "transpose",
    "versions": "check_min_version require_version require_version_core",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = frozenset({*_NAMES, "logging"})


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    elif name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    elif name == "__version__":
        from .. import __version__ as value
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _CHANGEABLE:
        globals()[name] = value
    return value


# Settings that follow the environment: asked for anew each time.
_CHANGEABLE = frozenset(
    {
        "HF_MODULES_CACHE",
        "HUGGINGFACE_CO_RESOLVE_ENDPOINT",
        "PYTORCH_PRETRAINED_BERT_CACHE",
        "PYTORCH_TRANSFORMERS_CACHE",
        "TRANSFORMERS_CACHE",
        "default_cache_path",
    }
)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
