"""Tokenizer cases: run with the reference by `tests/golden/make_tokenizers.py`, and with isoform by `test_models.py`.

Nothing is imported here, so that both can use it.
"""

# ruff: noqa: RUF001 (odd characters are the point here)
from __future__ import annotations

from typing import Any

TEXTS = [
    "",
    " ",
    "\n",
    "Hello world",
    "  Hello   world  \n\n  again ",
    "It's John's; we're sure I'd say they'll don't. I'VE",
    "naïve café déjà vu, e\u0301 combined",
    "tab\tnewline\ncarriage\r\nend",
    "日本語のテキスト、漢字。",
    "Привет, мир! Съешь ещё",
    "مرحبا بالعالم",
    "🙂 👩‍👩‍👧 emoji🎉",
    "a\u200bb\u00a0c\ufeffd\u3000e\u2003f\u00adg",
    "<|endoftext|>",
    "before<|endoftext|>after <|endoftext|> x",
    "<s> inside </s>x<s>y <unk> z <pad>",
    "12345 67.89 2000-01-01",
    "def f(x):\n    return x  # note\n",
    "ﬁ ligature ① Ａ ｶﾞ",
    "\x00\x07control\x7f",
    "the cat the cat",
    "𝔘𝔫𝔦 mathematical",
    "▁under▁▁ ▁line",
    "Ġbyte ĊĠchars <0x41>",
    "<new>tok <new> [X][X] strip , <NEW> lower",
]

PAIRS = [("Hello world", "how are you"), ("", "second"), ("first", "")]

# A plain text is added as it is; a dictionary holds the options of an AddedToken; special tokens have an API of their
# own.
ADDED = ["<new>", {"content": "[X]", "special": True}, {"content": "strip", "lstrip": True, "rstrip": True}]
# Matched before normalization: how fast tokenizers decode other added tokens depends on the version of `tokenizers`.
ADDED_RAW = [{"content": "<new>", "normalized": False}, {"content": "[X]", "special": True}]

LLAMA = {"legacy": False}

# name -> class, folder, file or files by argument below tests/golden/tokenizers, constructor options, added tokens
CASES: dict[str, dict[str, Any]] = {
    "gpt2": {"cls": "GPT2Tokenizer", "files": "bpe"},
    "gpt2_prefix": {"cls": "GPT2Tokenizer", "files": "bpe", "options": {"add_prefix_space": True}},
    "gpt2_bos": {"cls": "GPT2Tokenizer", "files": "bpe", "options": {"add_bos_token": True}},
    "gpt2_added": {"cls": "GPT2Tokenizer", "files": "bpe", "added": ADDED},
    "gpt2_pad": {"cls": "GPT2Tokenizer", "files": "bpe", "options": {"pad_token": "<pad>", "unk_token": "<unk>"}},
    "gpt2_fast": {"cls": "GPT2TokenizerFast", "files": "bpe"},
    "gpt2_fast_prefix": {"cls": "GPT2TokenizerFast", "files": "bpe", "options": {"add_prefix_space": True}},
    "gpt2_fast_bos": {"cls": "GPT2TokenizerFast", "files": "bpe", "options": {"add_bos_token": True}},
    "gpt2_fast_added": {"cls": "GPT2TokenizerFast", "files": "bpe", "added": ADDED},
    "codegen": {"cls": "CodeGenTokenizer", "files": "bpe", "options": {"add_bos_token": True}},
    "codegen_fast": {"cls": "CodeGenTokenizerFast", "files": "bpe", "added": ADDED},
    "gpt_neox": {"cls": "GPTNeoXTokenizerFast", "files": "tokenizer.json", "options": {"add_prefix_space": True}},
    "ctrl": {"cls": "CTRLTokenizer", "files": "ctrl", "added": ADDED},
    "gpt_sw3": {"cls": "GPTSw3Tokenizer", "files": "unigram.model", "options": {"name_or_path": "x"}, "added": ADDED},
    "gpt_sw3_7b": {"cls": "GPTSw3Tokenizer", "files": "bpe.model", "options": {"name_or_path": "gpt-sw3-7b"}},
    "llama": {"cls": "LlamaTokenizer", "files": "bpe.model", "options": LLAMA},
    "llama_legacy": {"cls": "LlamaTokenizer", "files": "bpe.model", "options": {"legacy": True, "add_eos_token": True}},
    "llama_added": {"cls": "LlamaTokenizer", "files": "bpe.model", "options": LLAMA, "added": ADDED},
    "llama_unigram": {"cls": "LlamaTokenizer", "files": "unigram.model", "options": LLAMA},
    "llama_unigram_legacy": {"cls": "LlamaTokenizer", "files": "unigram.model", "options": {"legacy": True}},
    "llama_fast": {"cls": "LlamaTokenizerFast", "files": "bpe.model", "options": {"add_eos_token": True}},
    "llama_fast_added": {"cls": "LlamaTokenizerFast", "files": "bpe.model", "options": LLAMA, "added": ADDED_RAW},
    "llama_fast_unigram": {"cls": "LlamaTokenizerFast", "files": "unigram.model", "options": {"add_bos_token": False}},
}


def build(library: Any, case: dict[str, Any], folder: str) -> Any:
    """The tokenizer of a case, from the classes of `library` (isoform or the reference)."""
    name = case["files"]
    if isinstance(name, dict):
        files = {key: f"{folder}/{path}" for key, path in name.items()}
    elif name.endswith((".model", ".txt")):
        files = {"vocab_file": f"{folder}/{name}"}
    elif name.endswith(".json"):
        files = {"tokenizer_file": f"{folder}/{name}"}
    else:
        files = {"vocab_file": f"{folder}/{name}/vocab.json", "merges_file": f"{folder}/{name}/merges.txt"}
    tokenizer = getattr(library, case["cls"])(**files, **case.get("options", {}))
    for token in case.get("added", ()):
        options = {"content": token} if isinstance(token, str) else token
        if options.get("special"):
            tokenizer.add_special_tokens({"additional_special_tokens": [options["content"]]})
        else:
            tokenizer.add_tokens(token if isinstance(token, str) else library.AddedToken(**options))
    return tokenizer


def record(tokenizer: Any, text: str) -> dict[str, Any]:
    """What a tokenizer makes of a text. Decoded texts are left out where they equal the text."""
    encoded = tokenizer(text, return_offsets_mapping=True) if tokenizer.is_fast else tokenizer(text)
    ids = encoded["input_ids"]
    result: dict[str, Any] = {"ids": ids}
    tokens = tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False))
    if tokenizer.tokenize(text) != tokens:
        result["tokenize"] = tokenizer.tokenize(text)
    if tokenizer.is_fast:
        result["offsets"] = [bound for span in encoded["offset_mapping"] for bound in span]
    for key, skip in (("decoded", False), ("decoded_skip", True)):
        decoded = tokenizer.decode(ids, skip_special_tokens=skip)
        if decoded != text:
            result[key] = decoded
    return result


def record_rust(tokenizer: Any, text: str) -> dict[str, Any]:
    """What a bare `tokenizers.Tokenizer` makes of a text."""
    encoded = tokenizer.encode(text)
    return {
        "ids": encoded.ids,
        "offsets": [bound for span in encoded.offsets for bound in span],
        "decoded": tokenizer.decode(encoded.ids),
    }


def record_pair(tokenizer: Any, first: str, second: str) -> dict[str, Any]:
    """What a tokenizer makes of two texts."""
    encoded = tokenizer(first, second, return_token_type_ids=True, return_special_tokens_mask=True)
    return {key: encoded[key] for key in ("input_ids", "token_type_ids", "special_tokens_mask")}


def record_properties(tokenizer: Any) -> dict[str, Any]:
    """Sizes, special tokens and settings."""
    names = ("vocab_size", "padding_side", "model_input_names", "all_special_tokens", "all_special_ids", "is_fast")
    result = {name: getattr(tokenizer, name) for name in names}
    result["size"] = len(tokenizer)
    result["special_tokens_map"] = tokenizer.special_tokens_map
    return result


CONVERSATIONS = [
    [("user", "hi ")],
    [("system", "be kind"), ("user", "hi"), ("assistant", " yes"), ("user", "x")],
    [("user", "a"), ("system", "b"), ("user", "c")],
    [("user", "a"), ("tool", "b")],
    [("assistant", "x")],
    [("user", "x"), ("user", "y")],
]
CHAT_CASES = ["gpt2", "gpt_neox", "codegen", "gpt_sw3", "gpt_sw3_7b", "llama", "llama_fast"]


def record_chat(tokenizer: Any, turns: list[tuple[str, str]]) -> str | None:
    """The default chat template applied to a conversation; None where it is refused."""
    try:
        return tokenizer.apply_chat_template([{"role": role, "content": text} for role, text in turns], tokenize=False)
    except Exception:
        return None
