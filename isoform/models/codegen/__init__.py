"""CodeGen (Nijkamp et al. 2022)."""

from ...registry import Arch

ARCH = Arch(
    "codegen",
    "CodeGen",
    torch="Model ForCausalLM",
    tokenizer=("CodeGenTokenizer", "CodeGenTokenizerFast"),
)
__getattr__, __dir__ = ARCH.attributes(__name__)
