"""What tokenizers are asked, in both kinds: `make_tokenizers_base.py` records the reference's answers.

Each function gets `make(**options)`, which makes a toy tokenizer, and returns what JSON can hold.
"""

# ruff: noqa: SIM905 (a sentence is easier to read than a list of its words)
from __future__ import annotations

import copy
import inspect
import json
import logging
import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from . import toy

Make = Callable[..., Any]
A, B, C = "Hello worlds!", "the cat", "The big dog sat on the mat, the bigger cat sat on the dog."


def attempt(function: Callable[[], Any]) -> Any:
    """The result, or the name of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function())
        except Exception as error:
            builtin = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
            return {"error": builtin.__name__}


def plain(value: Any) -> Any:
    """As JSON gives it back; tensors with their kind and type."""
    if isinstance(value, AddedToken):
        return repr(value)
    if hasattr(value, "dtype"):
        return {"tensor": type(value).__name__, "dtype": str(value.dtype), "values": value.tolist()}
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def messages(function: Callable[[], Any]) -> dict[str, Any]:
    """The result with the number of log records and of Python warnings."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger(toy.LIBRARY)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = plain(function())
            except Exception as error:
                result = {"error": type(error).__name__}
    finally:
        logger.removeHandler(handler)
    logged = [record.levelname for record in records]
    return {"result": result, "logged": logged, "warned": [w.category.__name__ for w in caught]}


def calls(make: Make) -> Any:
    t = make()
    return [
        t(A),
        t(A, B),
        t([A, B]),
        t([A, B], [B, C]),
        t([]  # no words are a text
          , is_split_into_words=True) if t.is_fast else None,
        t(["hello", "worlds", "!"], is_split_into_words=True),
        t(["hello", "worlds", "!"], ["the", "cats"], is_split_into_words=True),
        t([["hello", "worlds", "!"], ["cat"]], [["the", "cats"], ["the"]], is_split_into_words=True),
        t([("the", "cat")], is_split_into_words=True),
        t([["hello", "world"], ["the", "cat"]]),
        t((A, B)),
        t(""),
        t(["", A]),
        t(A, "", padding=True),
        t(text=A, text_target=B),
        t(text_target=B),
        t(text_target=[A, B], text_pair_target=[B, C]),
        t([A, B], text_target=[B, C], padding=True),
        t(A, add_special_tokens=False),
        t(A, B, add_special_tokens=False, return_token_type_ids=False),
        t(A, return_attention_mask=False, return_token_type_ids=False),
        t(A, B, return_special_tokens_mask=True, return_length=True),
        t([A, C], return_special_tokens_mask=True, return_length=True, padding=True),
        t.encode(A),
        t.encode(A, B, add_special_tokens=False),
        t.encode(A, padding="max_length", max_length=9, truncation=True),
        t.encode_plus(A, B),
        t.batch_encode_plus([(A, B), A]),
        t.batch_encode_plus([(A, B), (B, C)], padding=True),
        t.tokenize(A),
        t.tokenize(C),
    ]  # fmt: skip


def wrong_calls(make: Make) -> Any:
    t = make()
    no_pad = make(pad_token=None)
    return [
        attempt(call)
        for call in (
            lambda: t(),
            lambda: t(None),
            lambda: t(5),
            lambda: t([1, 2]),
            lambda: t([5.0]),
            lambda: t(A, 5),
            lambda: t([[1, 2], [3]]),
            lambda: t([A, B], [C]),
            lambda: t([A, B], C),
            lambda: t(A, truncation="some"),
            lambda: t(A, padding="some"),
            lambda: t(A, return_tensors="some"),
            lambda: t(A, return_tensors="jax"),
            lambda: t(A, return_tensors="tf"),
            lambda: t([A, C], return_tensors="pt"),
            lambda: t(A, padding=True, truncation=True, max_length=9, pad_to_multiple_of=8),
            lambda: no_pad([A, C], padding=True),
            lambda: no_pad.pad({"input_ids": [[1], [2, 3]]}),
            lambda: t.pad({"ids": [1]}),
            lambda: t.pad({"input_ids": ["a"]}),
            lambda: t.pad({"input_ids": [{}]}),
            lambda: t.pad({"input_ids": [[1], [2]], "more": [[1]]}),
            lambda: t.get_special_tokens_mask([1], [2], already_has_special_tokens=True),
            lambda: t.apply_chat_template([], chat_template="{{ raise_exception('no') }}"),
            lambda: setattr(t, "pad_token", 5),
            lambda: t.add_special_tokens({"odd_token": "x"}),
            lambda: t.add_special_tokens({"additional_special_tokens": "x"}),
            lambda: t.add_special_tokens({"cls_token": 5}),
            lambda: t.add_tokens([5]),
            lambda: make(padding_side="up"),
            lambda: make(truncation_side="up"),
            lambda: make(bos_token=5),
            lambda: make(additional_special_tokens=5),
            lambda: make(additional_special_tokens=[5]),
            lambda: type(t).register_for_auto_class("AutoNothing"),
            lambda: t(A).nothing,
            lambda: t(A)["nothing"],
        )
    ]


def padding_and_truncation(make: Make) -> Any:
    results = []
    for side in ("right", "left"):
        t = make(padding_side=side, truncation_side=side, model_max_length=12)
        results += [
            t([A, C, B], padding=True),
            t([A, C, B], padding="longest", truncation=True, max_length=8, return_special_tokens_mask=True),
            t([A, B], padding="max_length", max_length=8),
            t([A, C], padding="max_length", truncation=True),
            t(A, padding="max_length", max_length=7, pad_to_multiple_of=4),
            t([A, B], padding=True, pad_to_multiple_of=8, return_token_type_ids=False),
            t(A, padding="do_not_pad", max_length=4, truncation=True),
            t([A, B], [C, C], truncation=True, max_length=10),
            t([A, B], [C, C], truncation="longest_first", max_length=9, padding="max_length"),
            t([C, C], [B, B], truncation="only_first", max_length=9),
            attempt(lambda t=t: t(A, C, truncation="only_first", max_length=9)),
            attempt(lambda t=t: t(A, truncation="only_second", max_length=4)),
            t([A, B], [C, C], truncation="only_second", max_length=9),
            t(C, C, truncation=True, max_length=5),
            t(C, C, truncation=True, max_length=3),
            t(C, truncation=True, max_length=2) if t.is_fast else None,
            t(C, truncation=False, max_length=4),
            t(C, truncation=True),
            t([A, C], padding=True, truncation=True, max_length=6, stride=2),
            t(B, padding="max_length", max_length=2),
        ]
    return results


def overflow(make: Make) -> Any:
    results = []
    for side in ("right", "left"):
        t = make(truncation_side=side, padding_side=side)
        results += [
            t(C, truncation=True, max_length=6, stride=1, return_overflowing_tokens=True),
            t([C, B], truncation=True, max_length=6, stride=2, return_overflowing_tokens=True, padding=True),
            t([C, B], [A, A], truncation="only_first", max_length=10, stride=1, return_overflowing_tokens=True),
            t([A, B], [C, A], truncation="only_second", max_length=12, return_overflowing_tokens=True),
            t(C, truncation=True, max_length=6, return_overflowing_tokens=True, return_length=True),
            t(B, truncation=True, max_length=6, return_overflowing_tokens=True),
        ]
    t = make()
    results.append(attempt(lambda: t(A, C, truncation=True, max_length=9, return_overflowing_tokens=True)))
    if t.is_fast:
        results.append(
            t(C, truncation=True, max_length=6, return_overflowing_tokens=True, return_offsets_mapping=True, stride=1)
        )
        results.append(t([A, B], [B, A], return_offsets_mapping=True))
    return results


def tensors(make: Make) -> Any:
    t = make()
    return [
        attempt(call)
        for call in (
            lambda: t(A, return_tensors="pt"),
            lambda: t(A, return_tensors="np"),
            lambda: t([A, C], padding=True, return_tensors="pt"),
            lambda: t([A, C], padding=True, return_tensors="np"),
            lambda: t([A], return_tensors="np")["input_ids"],
            lambda: t.encode(A, return_tensors="pt"),
            lambda: t(
                C, truncation=True, max_length=6, padding=True, return_overflowing_tokens=True, return_tensors="pt"
            ),
            lambda: len(t([A, C], return_tensors="np")["input_ids"]),
            lambda: toy.base.BatchEncoding({"x": [1, 2]}, tensor_type="pt", prepend_batch_axis=True),
            lambda: toy.base.BatchEncoding({"x": [1.5, 2]}, tensor_type="pt"),
            lambda: toy.base.BatchEncoding({"x": [1.5, 2]}, tensor_type="np"),
            lambda: toy.base.BatchEncoding({"x": [True, False]}, tensor_type="pt"),
            lambda: toy.base.BatchEncoding({"x": [[1, 2], [3]]}, tensor_type="pt"),
            lambda: toy.base.BatchEncoding({"overflowing_tokens": [[1, 2], [3]]}, tensor_type="pt"),
            lambda: t(A, return_tensors="pt").to("cpu"),
        )
    ]


def pad(make: Make) -> Any:
    import numpy as np
    import torch

    t, left = make(), make(padding_side="left")
    rows = [{"input_ids": [5, 6], "attention_mask": [1, 0]}, {"input_ids": [7], "attention_mask": [1]}]
    return [
        attempt(call)
        for call in (
            lambda: t.pad({"input_ids": [[5, 6], [7]]}),
            lambda: left.pad({"input_ids": [[5, 6], [7]]}, return_attention_mask=False),
            lambda: t.pad({"input_ids": [5, 6]}, padding="max_length", max_length=4),
            lambda: t.pad({"input_ids": [5, 6]}),
            lambda: t.pad({"input_ids": []}),
            lambda: t.pad({"input_ids": []}, return_attention_mask=True),
            lambda: t.pad({"input_ids": [[], [5]]}),
            lambda: t.pad(copy.deepcopy(rows)),
            lambda: left.pad(copy.deepcopy(rows), padding="max_length", max_length=3, return_tensors="np"),
            lambda: t.pad([{**row, "labels": i} for i, row in enumerate(rows)], return_tensors="pt"),
            lambda: t.pad([{**row, "labels": row["input_ids"]} for row in rows], return_tensors="pt"),
            lambda: t.pad({"input_ids": [[5], [6, 7]], "token_type_ids": [[1], [1, 1]]}),
            lambda: t.pad({"input_ids": [[5], [6, 7]], "special_tokens_mask": [[0], [0, 1]]}),
            lambda: t.pad({"input_ids": [[5, 6, 7]]}, padding="max_length", max_length=2),
            lambda: t.pad({"input_ids": [[5], [6, 7]]}, padding=False),
            lambda: t.pad({"input_ids": [[5], [6, 7]]}, pad_to_multiple_of=8),
            lambda: t.pad({"input_ids": [np.array([5, 6]), np.array([7])]}),
            lambda: t.pad([{"input_ids": torch.tensor([5, 6])}, {"input_ids": torch.tensor([7])}]),
            lambda: t.pad({"input_ids": torch.tensor([[5, 6]])}, padding="max_length", max_length=3),
            lambda: t.pad([t(A), t(C)]),
            lambda: t.pad(t([A, C])),
        )
    ]  # fmt: skip


def prepare(make: Make) -> Any:
    t, left = make(), make(truncation_side="left")
    results = []
    for x in (t, left):
        results += [
            attempt(call)
            for call in (
                lambda x=x: x.truncate_sequences([1, 2, 3, 4], [5, 6], num_tokens_to_remove=3),
                lambda x=x: x.truncate_sequences([1, 2], [3, 4], num_tokens_to_remove=1),
                lambda x=x: x.truncate_sequences([1, 2, 3, 4], num_tokens_to_remove=2, stride=1),
                lambda x=x: x.truncate_sequences([1, 2, 3, 4], [5, 6], 3, "only_first", 1),
                lambda x=x: x.truncate_sequences([1, 2], [3, 4, 5], 2, "only_second", 9),
                lambda x=x: x.truncate_sequences([1, 2], [3, 4], 3, "only_second"),
                lambda x=x: x.truncate_sequences([1, 2], None, 1, "only_second"),
                lambda x=x: x.truncate_sequences([1, 2], None, 5),
                lambda x=x: x.truncate_sequences([1, 2], None, 0),
                lambda x=x: x.truncate_sequences([1, 2], None, 1, "do_not_truncate"),
                lambda x=x: x.truncate_sequences([1, 2], None, 1, "odd"),
                lambda x=x: x.prepare_for_model([5, 6, 7], [8, 9]),
                lambda x=x: x.prepare_for_model([5, 6, 7], [8, 9], truncation="only_first", max_length=7),
                lambda x=x: x.prepare_for_model([5, 6, 7], padding="max_length", max_length=7, return_length=True),
                lambda x=x: x.prepare_for_model([5, 6, 7], [8], add_special_tokens=False),
                lambda x=x: x.prepare_for_model([5, 6], add_special_tokens=False, return_token_type_ids=True),
                lambda x=x: x.prepare_for_model([5, 6], return_tensors="np", prepend_batch_axis=True),
                lambda x=x: x.prepare_for_model([], []),
                lambda x=x: x.build_inputs_with_special_tokens([5], [6]),
                lambda x=x: x.create_token_type_ids_from_sequences([5], [6]),
                lambda x=x: x.get_special_tokens_mask([2, 5, 3], already_has_special_tokens=True),
                lambda x=x: x.get_special_tokens_mask([5], [6]),
                lambda x=x: x.num_special_tokens_to_add(),
                lambda x=x: x.num_special_tokens_to_add(pair=True),
            )
        ]
    return results


def logs(make: Make) -> Any:
    def fresh(call: Callable[[Any], Any], **options: Any) -> dict[str, Any]:
        t = make(**options)
        return messages(lambda: call(t))

    short = {"model_max_length": 4}
    return [
        fresh(lambda t: t(A, truncation=True)),
        fresh(lambda t: t(A, padding="max_length")),
        fresh(lambda t: t(C, max_length=6)),
        fresh(lambda t: [t(C, max_length=6) for _ in range(3)]),
        fresh(lambda t: t(A, padding=True, max_length=6)),
        fresh(lambda t: t(A, padding=True, max_length=6, verbose=False)),
        fresh(lambda t: t(C), **short),
        fresh(lambda t: t([B, C]), **short),
        fresh(lambda t: t(C, verbose=False), **short),
        fresh(lambda t: t(C, max_length=20, truncation=True), **short),
        fresh(lambda t: t(B, pad_to_max_length=True, max_length=6)),
        fresh(lambda t: t(C, truncation_strategy="longest_first", max_length=6, padding=True)),
        fresh(lambda t: t.bos_token, verbose=True),
        fresh(lambda t: t.bos_token_id, verbose=True),
        fresh(lambda t: t.bos_token),
        fresh(lambda t: t.pad(t([A, B]))),
        fresh(lambda t: t.sanitize_special_tokens()),
    ]


def _in_target_mode(t: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with t.as_target_tokenizer():
            return t(A)


def special_tokens(make: Make) -> Any:
    results: list[Any] = []

    def state(t: Any) -> Any:
        return plain(
            [
                t.special_tokens_map,
                t.all_special_tokens,
                t.all_special_ids,
                t.additional_special_tokens,
                t.additional_special_tokens_ids,
                len(t),
                t.added_tokens_encoder,
            ]
        )

    t = make()
    results += [state(t), t.pad_token_id, t.bos_token, t.bos_token_id, t.pad_token_type_id]
    results += [t.add_special_tokens({"bos_token": "<bos>", "additional_special_tokens": ["<x>", "<y>"]}), state(t)]
    results += [t.add_special_tokens({"additional_special_tokens": ["<z>"]}, replace_additional_special_tokens=False)]
    results += [state(t), t.add_special_tokens({"additional_special_tokens": ["<w>"]}), state(t)]
    results += [
        t.add_special_tokens({"cls_token": AddedToken("<cls>", lstrip=True)}),
        state(t),
        t("hello  <cls> world"),
    ]
    results += [t.add_special_tokens({}), t.add_tokens([]), t.add_tokens("")]
    t.eos_token = "world"
    results += [t.eos_token_id, state(t)]
    t.sep_token = None
    t.mask_token_id = 6
    t.additional_special_tokens_ids = [5, 6]
    results += [t.sep_token, t.sep_token_id, t.mask_token, state(t)]
    t.additional_special_tokens = None
    results += [t.additional_special_tokens, attempt(lambda: t.special_tokens_map)]
    t = make(bos_token="<b>", additional_special_tokens=["<q>", AddedToken("<r>", rstrip=True)], model_max_length=7)
    results += [state(t), t.model_max_length, t.max_len_single_sentence, t.max_len_sentences_pair]
    results += [plain(t.added_tokens_decoder), t("hello <r>  world <q> <b>")["input_ids"]]
    results += [make(max_len=9).model_max_length, plain(t.special_tokens_map_extended)]
    return results


def added_tokens(make: Make) -> Any:
    results: list[Any] = []
    t = make()
    tokens = [
        AddedToken("foo", lstrip=True, rstrip=True),
        AddedToken("bar", single_word=True),
        AddedToken("Low", normalized=True),
        AddedToken("RAW", normalized=False),
        "plain",
        "cat",
        "foo",
    ]
    results += [
        t.add_tokens(tokens),
        t.add_tokens("plain"),
        t.add_tokens(["spec"], special_tokens=True),
        len(t),
        t.vocab_size,
    ]
    for text in (
        "hello foo world",
        "hellofoo  foo [MASK]  the",
        "hello bar bar!",
        "barcat xbar",
        "foofoo",
        "low RAW [MASKX",
        "hello spec plainer the cat cats",
        "foo",
        " foo ",
        "[MASK][MASK] ! [mask]",
    ):
        ids = t(text)["input_ids"]
        results += [t.tokenize(text) if not t.is_fast else None, ids]
    known = ["foo", "bar", "plain", "spec", "nothing", "cat", "[MASK]"]
    results += [t.convert_tokens_to_ids(known), t.convert_tokens_to_ids("foo"), t.convert_tokens_to_ids("nothing")]
    results += [t.convert_ids_to_tokens([2, 5, 19, 20, 3]), t.convert_ids_to_tokens(20), t.convert_tokens_to_ids([])]
    results += [t.convert_ids_to_tokens([2, 5, 3], skip_special_tokens=True), t.convert_tokens_to_ids(None)]
    results += [sorted(t.get_vocab().items()), sorted(t.get_added_vocab().items()), plain(t.added_tokens_decoder)]
    results += [repr(t) == repr(t), len(repr(t)) > 500]
    return results  # fmt: skip


def decoding(make: Make) -> Any:
    import numpy as np
    import torch

    t, raw = make(), make(clean_up_tokenization_spaces=False)
    t.add_tokens([AddedToken("new", normalized=False)])
    t.add_special_tokens({"additional_special_tokens": ["<x>"]})
    new = t.convert_tokens_to_ids("new")
    ids = [2, 5, 6, 7, 10, 3, 23, 22, 21, 11, 4]
    return [
        t.decode(ids),
        t.decode(ids, skip_special_tokens=True),
        t.decode(ids, clean_up_tokenization_spaces=False),
        raw.decode(ids),
        raw.decode(ids, clean_up_tokenization_spaces=True),
        t.decode([5]),
        t.decode([]),
        t.decode(np.array(ids)),
        t.decode(torch.tensor(ids)),
        t.batch_decode([[5, 6], [7]]),
        t.batch_decode(torch.tensor([[5, 6], [7, 3]]), skip_special_tokens=True),
        t.batch_decode([torch.tensor([5, 6]), torch.tensor([7])]),
        t.batch_decode([[5, 10]], clean_up_tokenization_spaces=False),
        t.batch_decode([]),
        t.decode([5, t.convert_tokens_to_ids("<x>"), 6]),
        t.decode([new, 5, new + 1], skip_special_tokens=True),
        t.clean_up_tokenization("a . b ? c ! d , e ' f do n't I 'm it 's we 've they 're"),
    ]


def alignment(make: Make) -> Any:
    t = make()
    batch = t([A, "the mat"], ["hello", "bigger"])
    results: list[Any] = [
        batch.is_fast,
        list(batch.keys()),
        len(batch),
        "input_ids" in batch,
        dict(batch).keys() == batch.keys(),
    ]
    results += [batch.input_ids, [list(pair) for pair in batch.items()][:1], list(batch.values())[:1]]
    for method, *arguments in (
        ["tokens"],
        ["tokens", 1],
        ["word_ids", 0],
        ["words", 1],
        ["sequence_ids", 1],
        *(["token_to_sequence", i] for i in range(4)),
        *(["token_to_sequence", 1, i] for i in range(7)),
        *(["token_to_word", 0, i] for i in range(8)),
        ["token_to_word", 2],
        *(["word_to_tokens", 0, i] for i in range(4)),
        ["word_to_tokens", 1],
        ["word_to_tokens", 1, 0, 1],
        *(["token_to_chars", 1, i] for i in range(7)),
        ["token_to_chars", 3],
        *(["char_to_token", 0, i] for i in range(14)),
        ["char_to_token", 3],
        ["char_to_token", 1, 4, 1],
        ["word_to_chars", 0, 1],
        ["word_to_chars", 1],
        ["word_to_chars", 1, 0, 1],
        *(["char_to_word", 0, i] for i in range(14)),
        ["char_to_word", 1, 1, 1],
        ["tokens", 5],
    ):
        results.append(attempt(lambda method=method, arguments=arguments: getattr(batch, method)(*arguments)))
    if t.is_fast:
        results += [batch.n_sequences, t(A).n_sequences, batch[0].ids, [e.ids for e in batch.encodings], len(batch[:1])]
    else:
        results += [attempt(lambda: batch[0]), batch[:1], batch.encodings]
    return results  # fmt: skip


def copies(make: Make) -> Any:
    t = make(additional_special_tokens=["<x>"], padding_side="left")
    t.add_tokens(["new"])
    results: list[Any] = []
    for twin in (pickle.loads(pickle.dumps(t)), copy.deepcopy(t)):
        results += [twin([A, C], padding=True), len(twin), twin.all_special_tokens, twin("hello new <x>")]
    batch = t([A, B], padding=True)
    again = pickle.loads(pickle.dumps(batch))
    return [*results, dict(again), again.is_fast, again == batch]


def targets(make: Make) -> Any:
    t = make()
    return [_in_target_mode(t), attempt(lambda: t.prepare_seq2seq_batch([A, C], [B, A], max_length=8))]


def chat(make: Make) -> Any:
    talk = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "the cat"}]
    t = make(chat_template="{% for m in messages %}\n    {{ m.role }}: {{ m['content'] + sep_token }}\n{% endfor %}")
    plain_chat = make()
    return [
        t.apply_chat_template(talk, tokenize=False),
        t.apply_chat_template(talk),
        t.apply_chat_template(talk, padding=True, max_length=30, truncation=True),
        t.apply_chat_template(talk, padding="max_length", max_length=16),
        t.apply_chat_template(talk, truncation=True, max_length=5),
        plain(t.apply_chat_template(talk, return_tensors="np")),
        t.apply_chat_template(talk, "{{ messages[-1].content }}{{ add_generation_prompt }}", True, tokenize=False),
        plain_chat.apply_chat_template(talk, tokenize=False),
        plain_chat.apply_chat_template(talk, tokenize=False, add_generation_prompt=True),
        t.chat_template,
        plain_chat.chat_template,
        *(plain_chat.apply_chat_template(talk, template, tokenize=False) for template in TEMPLATES),
    ]  # fmt: skip


TEMPLATES = [
    "{% set first = messages[0] %}{% for m in messages[1:] %}{{ loop.index ~ '/' ~ loop.length }} {{ m.content|trim }}"
    "{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}{{ first['role'] | upper }}",
    "{% macro turn(m, mark='>') %}{{ mark }}{{ m.role }}: {{ m.content }}{% endmacro %}"
    "{% for m in messages %}{{ turn(m) }}{{ turn(m, mark='#') ~ '!' }}\n{% endfor %}",
    "{% set ns = namespace(text='', count=0) %}{% for m in messages %}{% set ns.text = ns.text + m.content + '|' %}"
    "{% set ns.count = ns.count + 1 %}{% endfor %}{{ ns.text }}{{ ns.count * 2 }}{{ '-' * 3 }}{{ 7 % 4 }}{{ 2 ** 5 }}",
    "{% set block %}  {{ messages|length }} of {{ messages|map(attribute='role')|join(', ') }}{% endset %}{{ block }}",
    "{{ messages|tojson }}\n{{ messages[0]|tojson(indent=2) }}{{ messages|selectattr('role', 'eq', 'user')|list }}",
    "{{ '%s says %5s' % (messages[0].role, messages[0].content) }}{{ '{:>8}{}'.format('x', 5) }}{{ 'a-b'.split('-') }}",
    "{% for key, value in messages[0].items() %}{{ key }}={{ value.replace('l', 'L') | indent(2) }};{% endfor %}",
    "{% for m in messages if m.role != 'user' %}{{ m.content.strip().upper() | center(12) }}{% endfor %}"
    "{{ missing is defined }}{{ missing | default('none') }}{{ bos_token is none }}{{ unk_token }}",
    "{%- for m in messages -%}\n  {{- m.content -}}\n  {% if loop.first %}\n    first\n  {% endif %}\n{%- endfor -%}\n",
    "{% for i in range(3) %}{{ i }}{% endfor %}{{ [1, 2] + [3] }}{{ {'a': 1}.get('b', 2) }}{{ 'x' in 'xyz' }}",
]


def saved_files(make: Make) -> Any:
    results: list[Any] = []
    for options in (
        {},
        {"bos_token": AddedToken("<b>", lstrip=True), "model_max_length": 9, "chat_template": "{{ 1 }}"},
    ):
        t = make(**options)
        if options:
            t.add_tokens(["new", AddedToken("raw", normalized=False)])
            t.add_special_tokens({"additional_special_tokens": ["<x>"]})
        for legacy in (None, True, False):
            with tempfile.TemporaryDirectory() as folder:
                paths = attempt(
                    lambda t=t, folder=folder, legacy=legacy: t.save_pretrained(folder, legacy_format=legacy)
                )
                if isinstance(paths, dict):
                    results.append(paths)
                    continue
                results.append([Path(path).name for path in paths])
                files = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())}
                results.append(sorted(files))
                results += [
                    json.loads(text) for name, text in files.items() if name not in ("vocab.txt", "tokenizer.json")
                ]
                twin = type(t).from_pretrained(folder, padding_side="left")
                results += [twin([A, C, "hello new raw <x> <b>"], padding=True), len(twin), twin.special_tokens_map]
                results += [plain(twin.added_tokens_decoder), twin.model_max_length, twin.chat_template]
                other = type(t).from_pretrained(folder, cls_token="<start>", additional_special_tokens=["<q>"])
                results += [other.special_tokens_map, len(other), other("hello <q> <start>")["input_ids"]]
        with tempfile.TemporaryDirectory() as folder:
            paths = t.save_pretrained(folder, filename_prefix="my")
            results.append([Path(path).name for path in paths])
    return results


def old_files(make: Make) -> Any:
    """Checkpoints from before `added_tokens_decoder`."""
    t = make()
    results: list[Any] = []
    flags = {"rstrip": False, "single_word": False, "normalized": False}
    special = {
        "cls_token": "[CLS]",
        "bos_token": {"content": "<b>", "lstrip": True, **flags},
        "additional_special_tokens": ["<x>", {"content": "<y>", "lstrip": False, **flags}],
    }
    added = {"<b>": 23, "<x>": 24, "<y>": 25, "new": 26}
    for config in ({"model_max_length": 11, "additional_special_tokens": ["<x>"]}, None):
        with tempfile.TemporaryDirectory() as folder:
            toy.write_vocab(folder)
            for name, content in (
                ("special_tokens_map", special),
                ("added_tokens", added),
                ("tokenizer_config", config),
            ):
                if content is not None:
                    (Path(folder) / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
            if t.is_fast:
                continue
            old = toy.ToyTokenizer.from_pretrained(folder)
            results += [old("hello  <b> new <x> <y> cat"), len(old), old.special_tokens_map, old.model_max_length]
            results += [plain(old.added_tokens_decoder)]
    return results


def backends(make: Make) -> Any:
    t = make()
    if not t.is_fast:
        return None
    fast = toy._fast.PreTrainedTokenizerFast
    stored = toy.backend(toy.VOCAB)
    stored.enable_truncation(6, stride=1, direction="left")
    stored.enable_padding(direction="left", pad_id=0, pad_token="[PAD]", length=5)
    adopted = fast(tokenizer_object=stored)
    results: list[Any] = [
        type(t.backend_tokenizer).__name__,
        type(t.decoder).__name__,
        t.can_save_slow_tokenizer,
        adopted.padding_side,
        adopted.truncation_side,
        adopted.pad_token,
        {
            key: adopted.init_kwargs[key]
            for key in ("max_length", "stride", "truncation_strategy", "pad_to_multiple_of")
        },
        adopted([A, C]),
        fast(tokenizer_object=stored, pad_token="[PAD]")([A, C], padding=True),
        attempt(lambda: fast()),
        attempt(lambda: fast(tokenizer_object=stored, from_slow=True)),
        t(A, truncation=True, max_length=4),
        t.backend_tokenizer.truncation,
        t(A),
        t.backend_tokenizer.truncation,
        t(A, padding="max_length", max_length=9, pad_to_multiple_of=8),
        t.backend_tokenizer.padding,
        t([A, B], padding=True),
        t.backend_tokenizer.padding,
    ]
    return results  # fmt: skip


def training(make: Make) -> Any:
    t = make()
    if not t.is_fast:
        return None
    texts = ["the cats sat on the mats", "a dog sat", "dogs and cats and mats"] * 3
    options: dict[str, Any] = {"show_progress": False}
    same = t.train_new_from_iterator(iter(texts), 40, **options)
    renamed = t.train_new_from_iterator(
        texts, 45, new_special_tokens=["<n>"], special_tokens_map={"[MASK]": "<mask>", "[CLS]": "<cls>"}, **options
    )
    results: list[Any] = []
    for new in (same, renamed):
        results += [len(new), new.special_tokens_map, new.all_special_ids, new("the cats sat [MASK] <n>", "dogs")]
        results += [new.decode(new("the cats sat")["input_ids"], skip_special_tokens=True)]
    return results


def tries(make: Make) -> Any:
    kind = toy._python.Trie
    results = []
    for words, text in (
        (["[CLS]", "extra_id_1", "extra_id_100"], "[CLS] This is a extra_id_100"),
        (["A"], "ABC"),
        (["AB", "B", "C"], "ABC"),
        (["ABC", "B", "CD"], "ABCD"),
        (["TOKEN]", "[SPECIAL_TOKEN]"], "This is something [SPECIAL_TOKEN]"),
        (["A", "P", "[SPECIAL_TOKEN]"], "This is something [SPECIAL_TOKEN]"),
        (["ab", "abc", "bcd"], "xabcdx abx"),
        (["a", "aa"], "aaaaa"),
        (["", "x"], "axb"),
        ([], "nothing"),
        (["q"], ""),
    ):
        trie = kind()
        for word in words:
            trie.add(word)
        results.append(trie.split(text))
    trie = kind()
    trie.add("Hello")
    return [*results, trie.data, trie.cut_text("ABC", [0, 0, 2, 1, 2, 3])]


def characters(make: Make) -> Any:
    module = toy._python
    names = ("_is_whitespace", "_is_control", "_is_punctuation", "_is_end_of_word", "_is_start_of_word")
    signs = [chr(code) for code in (*range(0x250), 0x2003, 0x2028, 0x200B, 0x3000, 0xFEFF, 0xE000, 0x1F642)]
    ordered = ["a", "c"]
    for token in ("b", "a", "d", "0"):
        module._insert_one_token_to_ordered_list(ordered, token)
    return [["".join("01"[bool(getattr(module, name)(sign))] for sign in signs) for name in names], ordered]


def file_versions(make: Make) -> Any:
    choose = toy.base.get_fast_tokenizer_file
    return [
        choose([]),
        choose(["tokenizer.json"]),
        choose(["tokenizer.json", "tokenizer.4.0.0.json"]),
        choose(["tokenizer.4.0.0.json", "tokenizer.4.9.0.json", "tokenizer.99.0.0.json", "tokenizer.json"]),
        choose(["tokenizer.99.0.0.json"]),
    ]


def signatures(make: Make) -> Any:
    """Names and defaults of the arguments of public methods."""
    result = {}
    kinds = [toy.base.PreTrainedTokenizerBase, toy.base.SpecialTokensMixin, toy.base.BatchEncoding]
    for kind in [*kinds, toy._python.PreTrainedTokenizer, toy._fast.PreTrainedTokenizerFast]:
        for name in sorted(PUBLIC):
            method = inspect.getattr_static(kind, name, None)
            method = getattr(method, "__func__", method)
            if inspect.isfunction(method):
                parameters = inspect.signature(method).parameters.values()
                result[f"{kind.__name__}.{name}"] = [
                    [p.name, None if p.default is p.empty else str(p.default)] for p in parameters
                ]
    return result


PUBLIC = (
    "__call__ add_special_tokens add_tokens apply_chat_template as_target_tokenizer batch_decode batch_encode_plus "
    "build_inputs_with_special_tokens char_to_token char_to_word clean_up_tokenization convert_added_tokens "
    "convert_ids_to_tokens convert_to_tensors convert_tokens_to_ids convert_tokens_to_string "
    "create_token_type_ids_from_sequences decode encode encode_plus from_pretrained get_added_vocab "
    "get_special_tokens_mask get_vocab items keys num_special_tokens_to_add pad prepare_for_model "
    "prepare_for_tokenization prepare_seq2seq_batch push_to_hub register_for_auto_class sanitize_special_tokens "
    "save_pretrained save_vocabulary sequence_ids set_truncation_and_padding to token_to_chars token_to_sequence "
    "token_to_word tokenize tokens train_new_from_iterator truncate_sequences values word_ids word_to_chars "
    "word_to_tokens words"
).split()

CASES: dict[str, Callable[[Make], Any]] = {
    case.__name__: case
    for case in (
        calls, wrong_calls, padding_and_truncation, overflow, tensors, pad, prepare, logs, special_tokens, added_tokens,
        decoding, alignment, copies, targets, chat, saved_files, old_files, backends, training, tries, characters,
        file_versions, signatures,
    )
}  # fmt: skip
