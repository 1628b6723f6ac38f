"""Broken files, broken servers, full disks and killed processes: errors that help, and checkpoints that stay whole."""

from __future__ import annotations

import json
import os
import pickle
import random
import resource
import shutil
import signal
import socket
import struct
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from isoform import GPTNeoXConfig, GPTNeoXForCausalLM
from isoform.checkpoints import transaction
from isoform.checkpoints.transaction import JOURNAL, committed_path, replace_files
from isoform.errors import CheckpointError
from tests.checkpoint_models import same_weights, tiny
from tests.hub_server import HubServer
from tests.test_checkpoints import files_of, no_settings  # noqa: F401 (a fixture for each test)

WEIGHTS = "model.safetensors"


@pytest.fixture
def saved(tmp_path):
    """A folder with a checkpoint."""
    folder = tmp_path / "model"
    tiny().save_pretrained(folder)
    return folder


@pytest.fixture
def sharded(tmp_path):
    folder = tmp_path / "model"
    tiny().save_pretrained(folder, max_shard_size=6000)
    return folder


def load(folder, **arguments):
    return GPTNeoXForCausalLM.from_pretrained(folder, **arguments)


def refused(folder, *words, kind=CheckpointError):
    """Loading raises an error of this kind that names these things."""
    with pytest.raises(kind) as caught:
        load(folder)
    for word in words:
        assert word in str(caught.value), str(caught.value)


# -- Broken weight files --


def with_header(change):
    """A change to the header of a safetensors file, its data left alone."""

    def apply(content):
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        text = json.dumps(change(header) or header).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return apply


def set_field(field, value):
    def change(header):
        header["embed_out.weight"][field] = value

    return with_header(change)


BROKEN = {
    "empty": lambda c: b"",
    "three bytes": lambda c: c[:3],
    "truncated in the header": lambda c: c[:100],
    "truncated in the data": lambda c: c[:-100],
    "one byte short": lambda c: c[:-1],
    "longer than the header says": lambda c: c + b"x",
    "random": lambda c: random.Random(0).randbytes(len(c)),
    "text": lambda c: b"<html>not the file that you are looking for</html>" * 20,
    "header too long": lambda c: struct.pack("<Q", 2**40) + c[8:],
    "header length wraps": lambda c: struct.pack("<Q", 2**64 - 1) + c[8:],
    "header is no JSON": lambda c: c[:9] + b"!" + c[10:],
    "shape too large": set_field("shape", [10**6, 10**6]),
    "shape overflows": set_field("shape", [2**62, 8]),
    "shape too small": set_field("shape", [1, 16]),
    "negative shape": set_field("shape", [-11, 16]),
    "offsets outside": set_field("data_offsets", [0, 10**12]),
    "offsets reversed": set_field("data_offsets", [704, 0]),
    "unknown dtype": set_field("dtype", "F17"),
    "no dtype": with_header(lambda h: h["embed_out.weight"].pop("dtype") and None),
    "header is a list": with_header(lambda h: [1, 2]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_safetensors(saved, kind):
    path = saved / WEIGHTS
    path.write_bytes(BROKEN[kind](path.read_bytes()))
    refused(saved, str(path), "again")


def test_safetensors_of_another_framework(saved):
    save_file(load_file(saved / WEIGHTS), saved / WEIGHTS, metadata={"format": "tf"})
    refused(saved, str(saved / WEIGHTS), "'tf'", "'pt'")


def test_pointer_of_git_lfs(saved):
    (saved / WEIGHTS).unlink()
    (saved / "pytorch_model.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    refused(saved, "pytorch_model.bin", "git lfs pull")


def test_wrong_shapes(saved):
    state = load_file(saved / WEIGHTS)
    state["embed_out.weight"] = torch.zeros(12, 16)
    save_file(state, saved / WEIGHTS)
    refused(saved, "embed_out.weight", "(12, 16)", "(11, 16)", "ignore_mismatched_sizes", kind=RuntimeError)


class Bomb:
    """What a malicious file holds: unpickling it runs a command."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("old_format", [True, False])
@pytest.mark.parametrize("place", ["whole", "inside", "raw pickle"])
def test_malicious_bin_does_not_execute(saved, tmp_path, place, old_format):
    mark = tmp_path / "executed"
    (saved / WEIGHTS).unlink()
    path = saved / "pytorch_model.bin"
    bomb = Bomb(mark) if place != "inside" else {"embed_out.weight": torch.zeros(11, 16), "x": Bomb(mark)}
    if place == "raw pickle":
        path.write_bytes(pickle.dumps(bomb, protocol=2))
    else:
        torch.save(bomb, path, _use_new_zipfile_serialization=not old_format)
    refused(saved, str(path), "execute code")
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))  # the bomb is a real one
    assert mark.exists()


@pytest.mark.parametrize("cut", [0, 10, 2000, -1])
def test_broken_bin(saved, cut):
    (saved / WEIGHTS).unlink()
    path = saved / "pytorch_model.bin"
    torch.save(tiny().state_dict(), path)
    path.write_bytes(path.read_bytes()[:cut])
    refused(saved, str(path), "again")


def test_bin_that_holds_no_dictionary(saved):
    (saved / WEIGHTS).unlink()
    torch.save([torch.zeros(2)], saved / "pytorch_model.bin")
    refused(saved, "pytorch_model.bin", "dictionary", "list")


# -- Broken indexes --


def change_index(folder, change):
    path = folder / f"{WEIGHTS}.index.json"
    index = json.loads(path.read_text())
    path.write_text(json.dumps(change(index) or index))
    return path


def test_missing_shard(sharded):
    name = next(name for name in os.listdir(sharded) if "00002-of" in name)
    (sharded / name).unlink()
    refused(sharded, name, "index.json", "incomplete")


def test_broken_shard(sharded):
    name = next(name for name in os.listdir(sharded) if "00002-of" in name)
    (sharded / name).write_bytes((sharded / name).read_bytes()[:-1])
    refused(sharded, str(sharded / name), "again")


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/passwd", "a/../../outside.safetensors", "..\\outside.safetensors"]
)
def test_index_that_leads_outside(sharded, name):
    shutil.copy(sharded / "model-00001-of-00004.safetensors", sharded.parent / "outside.safetensors")
    path = change_index(sharded, lambda i: i["weight_map"].update({"embed_out.weight": name}))
    refused(sharded, str(path), repr(name), kind=OSError)


def test_index_that_lists_what_the_shard_lacks(sharded):
    change_index(sharded, lambda i: i["weight_map"].update({"gpt_neox.more": "model-00001-of-00004.safetensors"}))
    refused(sharded, "gpt_neox.more", "model-00001-of-00004.safetensors")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}', "\xff"])
def test_index_that_is_no_index(sharded, content):
    path = sharded / f"{WEIGHTS}.index.json"
    path.write_bytes(content.encode("latin-1"))
    refused(sharded, str(path))


def test_no_weights(saved):
    (saved / WEIGHTS).unlink()
    refused(saved, str(saved), "model.safetensors", "pytorch_model.bin", "config.json", kind=OSError)
    (saved / "tf_model.h5").write_text("")
    refused(saved, "TensorFlow", kind=OSError)


# -- Saves that end early --

SAVES = {
    "single": {},
    "shards": {"max_shard_size": 6000},
    "other shards": {"max_shard_size": 9000},
    "bin": {"safe_serialization": False},
}
OLD_VOCABULARY, NEW_VOCABULARY = 11, 13


def version_of(folder):
    """Which of the two checkpoints a folder holds, checked whole: configuration, weights, every value."""
    loaded, info = load(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    for vocabulary, seed in ((OLD_VOCABULARY, 1), (NEW_VOCABULARY, 2)):
        if loaded.config.vocab_size == vocabulary:
            assert same_weights(loaded, tiny(vocabulary, seed))
            return vocabulary
    raise AssertionError(loaded.config.vocab_size)


def in_child(action):
    """Runs `action` in a forked process and returns how that ended: its exit code, or minus the signal."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(step, folder):
    """Kills this process at the `step`-th access to a file below `folder`."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event.split(".")[0] in ("open", "os", "shutil", "tempfile") and str(folder) in str(arguments):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("old", "new"), [("single", "shards"), ("shards", "single"), ("shards", "bin")])
def test_killed_at_every_step_of_a_save(tmp_path, old, new):
    before = tmp_path / "before"
    tiny(OLD_VOCABULARY, 1).save_pretrained(before, **SAVES[old])
    replacement = tiny(NEW_VOCABULARY, 2)
    folder = tmp_path / "model"
    seen = []
    for step in range(1, 400):
        shutil.copytree(before, folder)

        def save(step=step):
            die_at(step, folder)
            replacement.save_pretrained(folder, **SAVES[new])

        code = in_child(save)
        seen.append(version_of(folder))
        # The next save puts everything in order, and leaves nothing behind.
        if step % 5 == 0 or code == 0:
            replacement.save_pretrained(folder, **SAVES[new])
            assert version_of(folder) == NEW_VOCABULARY
            assert not [name for name in os.listdir(folder) if name.startswith(".")]
        shutil.rmtree(folder)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert len(seen) > 15 and seen == sorted(seen), "first the old checkpoint, then the new one"
    assert seen[0] == OLD_VOCABULARY and seen[-1] == NEW_VOCABULARY and seen[-2] == NEW_VOCABULARY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_moments(tmp_path):
    models = {vocabulary: tiny(vocabulary, seed) for vocabulary, seed in ((OLD_VOCABULARY, 1), (NEW_VOCABULARY, 2))}
    models[OLD_VOCABULARY].save_pretrained(tmp_path)
    moments = random.Random(0)
    for _ in range(25):
        pid = os.fork()
        if pid == 0:
            while True:
                for number, model in enumerate(models.values()):
                    model.save_pretrained(tmp_path, **SAVES["shards" if number else "single"])
        time.sleep(moments.uniform(0.005, 0.08))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        version_of(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("new", SAVES)
@pytest.mark.parametrize("limit", [100, 5000, 20_000])
def test_disk_that_takes_no_more(tmp_path, new, limit):
    tiny(OLD_VOCABULARY, 1).save_pretrained(tmp_path)
    before = files_of(tmp_path)
    replacement = tiny(NEW_VOCABULARY, 2, intermediate_size=400)

    def save():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, as it does on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            replacement.save_pretrained(tmp_path, **SAVES[new])
        except OSError as error:
            os._exit(3 if str(tmp_path) in str(error) else 4)

    assert in_child(save) == 3  # an OSError that names the place
    assert files_of(tmp_path) == before


def test_error_while_writing_leaves_the_old(saved):
    before = files_of(saved)

    def write_half(tensors, path):
        with open(path, "wb") as stream:
            stream.write(b"half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        tiny(13).save_pretrained(saved, safe_serialization=False, save_function=write_half)
    assert files_of(saved) == before


def test_leftovers_of_dead_processes_only_are_removed(saved):
    host = transaction._host()
    dead, alive, elsewhere = f".saving-{host}-999999999-x", f".saving-{host}-{os.getppid()}-x", ".saving-another-1-x"
    for name in (dead, alive, elsewhere):
        (saved / name).mkdir()
    tiny().save_pretrained(saved)
    assert {alive, elsewhere} <= set(os.listdir(saved)) and dead not in os.listdir(saved)


@pytest.mark.parametrize(
    "journal",
    [
        {"stage": "../elsewhere", "files": [WEIGHTS], "remove": []},
        {"stage": ".saving-x", "files": ["../" + WEIGHTS], "remove": []},
        {"stage": ".saving-x", "files": [], "remove": ["/etc/passwd"]},
    ],
)
def test_journal_that_leads_outside(saved, journal):
    (saved / JOURNAL).write_text(json.dumps(journal))
    refused(saved, JOURNAL, "outside", kind=OSError)
    with pytest.raises(OSError, match="outside"):
        tiny().save_pretrained(saved)


def test_journal_that_is_none(saved):
    (saved / JOURNAL).write_text("{")
    assert same_weights(load(saved), tiny())


def test_replace_files(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("old")
    with replace_files(tmp_path, stale=lambda written: {"c", *written}) as stage:
        (stage / "a").write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert {name: (tmp_path / name).read_text() for name in os.listdir(tmp_path)} == {"a": "new", "b": "old"}
    assert committed_path(tmp_path, "sub/x") == os.path.join(tmp_path, "sub", "x")


# -- The Hub --


@pytest.fixture
def hub(monkeypatch, saved):
    with HubServer() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.add("user/model", files_of(saved))
        yield running


@pytest.fixture
def no_waiting(monkeypatch):
    """The transport does not wait between its attempts."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def test_interrupted_download_continues(hub, monkeypatch, no_waiting):
    monkeypatch.setattr(
        "huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000
    )  # what has arrived is kept in such pieces
    size = len(hub.repositories["user/model"].files[WEIGHTS])
    hub.cuts[WEIGHTS] = [size // 3, size // 3]
    try:
        model = load("user/model")
    except OSError:  # the transport may leave trying again to the caller
        model = load("user/model")
    assert same_weights(model, tiny())
    starts = [headers.get("Range") for method, path, headers in hub.asked("cdn") if method == "GET"]
    assert any(start and not start.startswith("bytes=0-") for start in starts), "it goes on where it stopped"


def test_download_that_never_completes_leaves_no_broken_file(hub, no_waiting):
    hub.cuts[WEIGHTS] = [50] * 50
    with pytest.raises(OSError, match=r"(?s)model.safetensors.*user/model"):
        load("user/model")
    hub.cuts.clear()
    assert same_weights(load("user/model"), tiny())


def test_shards_from_the_hub_interrupted(hub, tmp_path, no_waiting):
    tiny().save_pretrained(tmp_path / "s", max_shard_size=10_000)
    files = files_of(tmp_path / "s")
    hub.add("user/shards", files)
    hub.cuts["model-00002-of-00002.safetensors"] = [10, 10, 10]
    try:
        model = load("user/shards")
    except OSError:
        model = load("user/shards")
    assert same_weights(model, tiny())


def test_slow_server(hub):
    hub.delay = 0.1
    assert same_weights(load("user/model"), tiny())


def test_missing_repository(hub):
    for name in ("user/nothing", "nothing-at-all"):
        with pytest.raises(OSError, match=rf"{name} is not a local folder.*private.*token"):
            load(name)


def test_private_repository(hub, saved):
    hub.add("user/private", files_of(saved), token="hf_right")
    with pytest.raises(OSError, match=r"user/private.*token"):
        load("user/private", token="hf_wrong")
    assert same_weights(load("user/private", token="hf_right"), tiny())


def test_gated_repository(hub, saved):
    hub.add("user/gated", files_of(saved), token="hf_right", gated=True)
    with pytest.raises(OSError, match=r"user/gated.*permission"):
        load("user/gated")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_failing_server(hub, status, no_waiting):
    hub.failing = status
    with pytest.raises(OSError, match="user/model"):
        load("user/model")


def test_failing_server_after_a_download(hub, no_waiting):
    load("user/model")
    hub.failing = 503
    assert same_weights(load("user/model"), tiny())


def test_unreachable_server(monkeypatch, no_waiting):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(OSError, match=r"user/model.*could not be downloaded.*Check the connection"):
            load("user/model")


def test_offline(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match=r"not in the cache.*offline mode"):
        load("user/model")
    assert hub.requests == []


def test_offline_without_the_weights(hub, monkeypatch):
    GPTNeoXConfig.from_pretrained("user/model")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match=r"model.safetensors of user/model.*not in the cache.*offline mode"):
        load("user/model")


def test_broken_download_is_named(hub):
    hub.repositories["user/model"].files[WEIGHTS] = b"x" * 20_000
    with pytest.raises(CheckpointError, match=r"model.safetensors: not a valid safetensors file"):
        load("user/model")


def test_broken_generation_config(saved):
    (saved / "generation_config.json").write_text("{")
    refused(saved, "generation_config.json", kind=OSError)
    (saved / "generation_config.json").unlink()
    assert load(saved).generation_config.eos_token_id == tiny().config.eos_token_id


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_broken_adapter_config(saved, content, monkeypatch):
    monkeypatch.setattr("isoform.utils.import_utils.is_peft_available", lambda: True)
    (saved / "adapter_config.json").write_text(content)
    refused(saved, "adapter_config.json", "base_model_name_or_path")
