"""Finding files in folders, in the cache and on a server that speaks the Hub's protocol; uploading."""

from __future__ import annotations

import json
import os
import socket

import pytest

from isoform.errors import HubError
from isoform.utils import hub
from isoform.utils.hub import PushToHubMixin, cached_file, cached_files, get_checkpoint_shard_files, has_file
from tests.hub_server import HubServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_right"  # what the server of the tests wants


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Keeps the settings and the cache of the person who runs the tests out of them."""
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setenv("TRANSFORMERS_CACHE", str(tmp_path / "cache"))


FILES = {"config.json": b'{"a": 1}', "sub/deep.txt": b"deep"}


@pytest.fixture
def server(monkeypatch):
    with HubServer() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.add("user/model", FILES)
        yield running


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def downloads(server):
    return [path for method, path, _ in server.requests if method == "GET"]


# -- Folders --


def test_file_of_a_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "config.json").write_text("{}")
    expected = str(tmp_path / "sub" / "config.json")
    assert cached_file(tmp_path, "config.json", subfolder="sub") == expected
    assert cached_file(str(tmp_path), "sub/config.json") == expected
    assert has_file(tmp_path, "sub/config.json") and not has_file(tmp_path, "config.json")


def test_missing_file_of_a_folder_names_what_is_there(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(OSError, match=r"does not appear to have a file named config.json.*vocab.json") as caught:
        cached_file(tmp_path, "config.json")
    assert str(tmp_path) in str(caught.value)
    assert cached_file(tmp_path, "config.json", _raise_exceptions_for_missing_entries=False) is None
    assert hub.get_file_from_repo(tmp_path, "config.json") is None


@pytest.mark.parametrize("name", ["../secret", "a/../../secret", "/etc/passwd", "a\\..\\..\\secret", "C:\\x", ""])
def test_names_never_leave_the_folder(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(OSError, match="leads outside"):
        cached_file(inner, name)
    assert not has_file(inner, name)


def test_subfolder_never_leaves_the_folder(tmp_path):
    with pytest.raises(OSError, match="leads outside"):
        cached_file(tmp_path, "x", subfolder="..")


# -- Downloads --


def test_download_and_cache(server, tmp_path):
    path = cached_file("user/model", "config.json")
    assert read(path) == b'{"a": 1}' and path.startswith(str(tmp_path / "cache"))
    commit = server.repositories["user/model"].commit
    assert hub.extract_commit_hash(path, None) == commit
    assert read(cached_file("user/model", "deep.txt", subfolder="sub")) == b"deep"
    before = len(downloads(server))
    assert cached_file("user/model", "config.json") == path
    assert len(downloads(server)) == before, "the second call must not download again"
    requests = len(server.requests)
    assert cached_file("user/model", "config.json", _commit_hash=commit) == path
    assert len(server.requests) == requests, "a known commit needs no request at all"


def test_cache_dir_argument(server, tmp_path):
    assert cached_file("user/model", "config.json", cache_dir=tmp_path / "mine").startswith(str(tmp_path / "mine"))


def test_revisions(server):
    repository = server.add("user/model", {"config.json": b"old"}, branches=("main", "v1"))
    old = repository.commit
    path = cached_file("user/model", "config.json", revision="v1")
    repository.files["config.json"] = b"new"
    assert read(cached_file("user/model", "config.json", revision="v1")) == b"new", "a branch moves"
    assert cached_file("user/model", "config.json", revision=old) == path and read(path) == b"old", "a commit stays"
    with pytest.raises(HubError, match="user/model has no revision 'v9'"):
        cached_file("user/model", "config.json", revision="v9")


def test_several_files_of_one_commit(server):
    found = cached_files(
        "user/model", ["config.json", "no.json", "sub/deep.txt"], _raise_exceptions_for_missing_entries=False
    )
    assert [read(path) for path in found] == [b'{"a": 1}', b"deep"]
    assert cached_files("user/model", ["no.json"], _raise_exceptions_for_missing_entries=False) is None


def test_missing_file(server):
    with pytest.raises(HubError, match=r"user/model does not appear to have a file named no.json at revision main"):
        cached_file("user/model", "no.json")
    assert cached_file("user/model", "no.json", _raise_exceptions_for_missing_entries=False) is None
    # The cache remembers the absence for this commit.
    commit = server.repositories["user/model"].commit
    requests = len(server.requests)
    with pytest.raises(HubError, match=commit):
        cached_file("user/model", "no.json", _commit_hash=commit)
    assert len(server.requests) == requests
    assert has_file("user/model", "config.json") and not has_file("user/model", "no.json")


def test_missing_repository(server):
    for call in (cached_file, has_file):
        with pytest.raises(HubError, match=r"user/none is not a local folder and not a repository.*log in"):
            call("user/none", "config.json")
    with pytest.raises(HubError, match="neither an existing local folder nor the name of a repository"):
        cached_file("a/b/c", "config.json")


def test_private_and_gated(server, monkeypatch):
    server.add("user/private", {"config.json": b"p"}, token=TOKEN)
    server.add("user/gated", {"config.json": b"g"}, token=TOKEN, gated=True)
    with pytest.raises(HubError, match="not a repository of the Hub that can be seen from here"):
        cached_file("user/private", "config.json")
    with pytest.raises(HubError, match=r"Access to user/gated .* is restricted"):
        cached_file("user/gated", "config.json")
    assert read(cached_file("user/private", "config.json", token=TOKEN)) == b"p"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert read(cached_file("user/gated", "config.json")) == b"g"


def test_use_auth_token_is_deprecated(server):
    server.add("user/private", {"config.json": b"p"}, token=TOKEN)
    with pytest.warns(FutureWarning, match="use_auth_token"):
        assert cached_file("user/private", "config.json", use_auth_token=TOKEN)
    with pytest.raises(ValueError, match="both given"), pytest.warns(FutureWarning):
        cached_file("user/private", "config.json", use_auth_token=TOKEN, token=TOKEN)


def test_token_never_shows(server):
    server.add("user/private", {"config.json": b"p"}, token=TOKEN)
    secret = "hf_wrong_secret"
    with pytest.raises(HubError) as caught:
        cached_file("user/private", "config.json", token=secret)
    assert secret not in str(caught.value)
    assert hub._first_line(RuntimeError(f"bad header Bearer {secret}"), secret) == "bad header Bearer ***"


def test_interrupted_download_continues(server, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 65536)  # whole chunks are kept
    content = bytes(range(256)) * 8192  # 2 MiB
    server.add("user/model", {"big.bin": content})
    server.cuts["big.bin"] = [1_000_000]
    assert read(cached_file("user/model", "big.bin")) == content
    ranges = [
        {key.lower(): value for key, value in headers.items()}.get("range") for _, _, headers in server.asked("big.bin")
    ]
    assert any(wanted and not wanted.startswith("bytes=0-") for wanted in ranges), "the rest alone must be asked for"


def test_failing_server(server):
    path = cached_file("user/model", "config.json")
    server.failing = 503
    assert cached_file("user/model", "config.json") == path, "the cache serves while the Hub is down"
    hub._answering.clear()
    server.failing = 403
    with pytest.raises(HubError, match=r"deep.txt of user/model .* could not be downloaded from http://127"):
        cached_file("user/model", "sub/deep.txt")
    assert cached_file("user/model", "sub/deep.txt", _raise_exceptions_for_connection_errors=False) is None


def test_unreachable(monkeypatch):
    with socket.socket() as free:  # a port that nobody listens to
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(
            HubError, match=r"config.json of user/model .* could not be downloaded from http://127.*ConnectError"
        ):
            cached_file("user/model", "config.json")
        with pytest.raises(HubError, match="could not be downloaded"):
            has_file("user/model", "config.json")
        assert hub.get_file_from_repo("user/model", "config.json") is None


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline(server, monkeypatch, variable):
    path = cached_file("user/model", "config.json")
    monkeypatch.setenv(variable, "1")
    assert hub.is_offline_mode()
    requests = len(server.requests)
    assert cached_file("user/model", "config.json") == path
    assert has_file("user/model", "config.json") and not has_file("user/model", "sub/deep.txt")
    with pytest.raises(HubError, match=rf"is not in the cache, and offline mode .*{variable}"):
        cached_file("user/model", "sub/deep.txt")
    assert len(server.requests) == requests, "offline means no request"


def test_local_files_only(server):
    with pytest.raises(HubError, match="`local_files_only=True` forbids"):
        cached_file("user/model", "config.json", local_files_only=True)
    assert not server.requests


def test_download_url(server):
    with pytest.warns(FutureWarning):
        path = hub.download_url(f"{server.url}/user/model/resolve/main/config.json")
    assert read(path) == b'{"a": 1}'
    os.unlink(path)
    with pytest.raises(HubError, match="cannot download"), pytest.warns(FutureWarning):
        hub.download_url(f"{server.url}/user/model/resolve/main/none")
    with pytest.raises(ValueError, match="expected an http"):
        hub.download_url("file:///etc/passwd")


# -- Shards --


def write_index(folder, weight_map, **more):
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 3}, "weight_map": weight_map, **more}))
    return str(path)


def test_shards_of_a_folder(tmp_path):
    index = write_index(tmp_path, {"b": "two", "a": "one", "c": "two"})
    paths, metadata = get_checkpoint_shard_files(tmp_path, index)
    assert paths == [str(tmp_path / "one"), str(tmp_path / "two")]
    assert metadata == {
        "total_size": 3,
        "all_checkpoint_keys": ["b", "a", "c"],
        "weight_map": {"b": "two", "a": "one", "c": "two"},
    }


def test_shards_of_a_repository(server, tmp_path):
    server.add("user/model", {"one": b"1", "two": b"2"})
    index = write_index(tmp_path, {"a": "one", "b": "two"})
    assert [read(path) for path in get_checkpoint_shard_files("user/model", index)[0]] == [b"1", b"2"]
    with pytest.raises(HubError, match="file named three"):
        get_checkpoint_shard_files("user/model", write_index(tmp_path, {"a": "three"}))


def test_bad_indexes(tmp_path):
    with pytest.raises(OSError, match=r"index.json: the shard '../x' lies outside"):
        get_checkpoint_shard_files(tmp_path, write_index(tmp_path, {"a": "../x"}))
    with pytest.raises(OSError, match="'weight_map'"):
        get_checkpoint_shard_files(tmp_path, write_index(tmp_path, ["a"]))
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(OSError, match=r"broken.json: not valid JSON"):
        get_checkpoint_shard_files(tmp_path, broken)
    with pytest.raises(ValueError, match="Can't find a checkpoint index"):
        get_checkpoint_shard_files(tmp_path, tmp_path / "none.json")


# -- Uploads --


class Thing(PushToHubMixin):
    def __init__(self, files):
        self.files = files

    def save_pretrained(self, folder, **options):
        self.options = options
        os.makedirs(folder, exist_ok=True)
        for name, content in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as stream:
                stream.write(content)


def test_push(server):
    thing = Thing({"config.json": b"{}", "onnx/model.onnx": b"o"})
    answer = thing.push_to_hub("thing", token=TOKEN, private=True, max_shard_size="1MB", commit_description="why")
    assert thing.options == {"max_shard_size": "1MB", "safe_serialization": True}
    assert server.repositories["user/thing"].files == {"config.json": b"{}", "onnx/model.onnx": b"o"}
    assert answer.commit_message == "Upload Thing" and answer.commit_description == "why"
    assert all(f"Bearer {TOKEN}" in headers.values() for _, _, headers in server.asked("/commit/"))


def test_push_uploads_only_what_was_written(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "notes.txt").write_text("mine")
    server.add("user/thing", {}, branches=("main", "dev"))
    branches = []
    monkeypatch.setattr(
        "huggingface_hub.HfApi.create_branch", lambda api, repo, *, branch, **_: branches.append(branch)
    )
    answer = Thing({"config.json": b"{}"}).push_to_hub("thing", token=TOKEN, commit_message="Message", revision="dev")
    assert server.repositories["user/thing"].files == {"config.json": b"{}"}
    assert answer.commit_message == "Message" and branches == ["dev"] and server.asked("/commit/dev")
    assert (tmp_path / "thing" / "config.json").exists(), "an existing folder of that name is the working folder"


def test_push_without_permission(server):
    server.add("user/thing", {}, token=TOKEN)
    with pytest.raises(OSError, match="401"):
        Thing({"a": b""}).push_to_hub("thing", token="hf_wrong")


# -- Small things --


def test_commit_hash_of_a_path():
    assert hub.extract_commit_hash(f"/cache/snapshots/{COMMIT}/config.json", None) == COMMIT
    assert hub.extract_commit_hash("/cache/snapshots/main/config.json", None) is None
    assert hub.extract_commit_hash(None, None) is None
    assert hub.extract_commit_hash("/x", COMMIT) == COMMIT


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GiB", 2**31), ("1KB", 1000), ("5gb", 625_000_000), ("10MB", 10_000_000), (7, 7), ("3TB", 3 * 10**12)],
)
def test_file_sizes(text, size):
    assert hub.convert_file_size_to_int(text) == size


def test_bad_file_size():
    with pytest.raises(ValueError, match="5 apples"):
        hub.convert_file_size_to_int("5 apples")


def test_telemetry_sends_nothing(server):
    hub.send_example_telemetry("run_glue", {"a": 1})
    assert not server.requests


def test_user_agent():
    agent = hub.http_user_agent({"file_type": "model"})
    assert agent.startswith("isoform/") and agent.endswith("; file_type/model")


def test_cache_place_follows_the_environment(monkeypatch):
    from isoform import utils

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setenv("TRANSFORMERS_CACHE", "/somewhere")
    assert utils.TRANSFORMERS_CACHE == "/somewhere"
