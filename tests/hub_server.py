"""A local server that speaks enough of the Hub's protocol for downloads and uploads, and can misbehave on purpose.

    with HubServer() as hub:
        hub.add("user/model", {"config.json": b"{}"})
        ...  # with HF_ENDPOINT=hub.url

It knows model information, listings, `resolve` with redirects for large files, ETags and range requests, the error
codes of the Hub, and commits of regular (not LFS) files. `hub.requests` lists what was asked: (method, path, headers).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 10_000
"""Files of this many bytes or more are redirected to another address, as LFS files are."""


class Repository:
    """Files of one commit, and who may see them."""

    def __init__(self, files: dict[str, bytes], token: str | None, gated: bool, branches: tuple[str, ...]) -> None:
        self.files, self.token, self.gated, self.branches = dict(files), token, gated, branches

    @property
    def commit(self) -> str:
        digest = hashlib.sha1()
        for name in sorted(self.files):
            digest.update(name.encode() + self.files[name])
        return digest.hexdigest()


class HubServer:
    """The server; use it as a context manager.

    Attributes:
        url: Its address, for HF_ENDPOINT.
        requests: What was asked so far.
        delay: Seconds to wait before each reply.
        failing: HTTP status of every reply, or None.
        cuts: File name -> numbers of bytes after which its next downloads break off, one download each.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.delay = 0.0
        self.failing: int | None = None
        self.cuts: dict[str, list[int]] = {}
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(
        self,
        repo_id: str,
        files: dict[str, bytes],
        token: str | None = None,
        gated: bool = False,
        branches: tuple[str, ...] = ("main",),
    ) -> Repository:
        """Puts a repository on the server; with `token` only for requests that carry it."""
        self.repositories[repo_id] = Repository(files, token, gated, branches)
        return self.repositories[repo_id]

    def asked(self, fragment: str) -> list[tuple[str, str, dict[str, str]]]:
        """Requests whose path contains `fragment`."""
        return [request for request in self.requests if fragment in request[1]]

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Refusal(Exception):
    """A reply with an error: status, code of the Hub, message."""


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(self._get)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._serve(self._post)

    def _serve(self, answer: Any) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, dict(self.headers)))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.hub.delay)
        try:
            if self.hub.failing:
                raise _Refusal(self.hub.failing, None, "the server was told to fail")
            answer(path, body)
        except _Refusal as refusal:
            status, code, message = refusal.args
            headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
            self._reply(status, json.dumps({"error": message}).encode(), headers)

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any) -> None:
        self._reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    # Downloads

    def _get(self, path: str, body: bytes) -> None:
        if found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path):
            self._resolve(*found.groups())
        elif found := re.fullmatch(r"/cdn/(.+?)/([0-9a-f]{40})/(.+)", path):
            self._content(self.hub.repositories[found[1]].files[found[3]], found[3], {"X-Repo-Commit": found[2]})
        elif found := re.fullmatch(r"/api/models/(.+?)/tree/([^/]+)", path):
            repository = self._repository(found[1], found[2])
            self._json(
                [{"type": "file", "path": n, "size": len(f), "oid": _etag(f)} for n, f in repository.files.items()]
            )
        elif found := re.fullmatch(r"/api/models/(.+?)(?:/revision/([^/]+))?", path):
            repository = self._repository(found[1], found[2] or "main")
            siblings = [{"rfilename": name} for name in repository.files]
            self._json(
                {"id": found[1], "modelId": found[1], "sha": repository.commit, "siblings": siblings, "tags": []}
            )
        elif path == "/api/whoami-v2":
            self._json({"name": "user", "type": "user", "orgs": []})
        else:
            raise _Refusal(404, None, f"no such address: {path}")

    def _repository(self, repo_id: str, revision: str) -> Repository:
        repository = self.hub.repositories.get(repo_id)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if repository is None or (repository.token and not repository.gated and token != repository.token):
            raise _Refusal(401, "RepoNotFound", "Repository not found")
        if repository.gated and token != repository.token:
            raise _Refusal(403 if token else 401, "GatedRepo", "Access to this model is restricted")
        if revision not in (*repository.branches, repository.commit):
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository

    def _resolve(self, repo_id: str, revision: str, name: str) -> None:
        repository = self._repository(repo_id, revision)
        commit = {"X-Repo-Commit": repository.commit}
        if name not in repository.files:
            self._reply(404, b"", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", **commit})
            return
        content = repository.files[name]
        if len(content) < LARGE:
            self._content(content, name, commit)
            return
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{_etag(content)}"'}
        self._reply(
            302, b"", {"Location": f"{self.hub.url}/cdn/{repo_id}/{repository.commit}/{name}", **linked, **commit}
        )

    def _content(self, content: bytes, name: str, headers: dict[str, str]) -> None:
        status, part = 200, content
        headers = {**headers, "ETag": f'"{_etag(content)}"', "Accept-Ranges": "bytes"}
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(found[1]), int(found[2] or len(content) - 1)
            status, part = 206, content[start : end + 1]
            headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        cuts = self.hub.cuts.get(name)
        if self.command == "HEAD" or not cuts:
            self._reply(status, part, headers)
            return
        # Promise everything, send a part, hang up.
        self.send_response(status)
        for key, value in {"Content-Length": str(len(part)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(part[: cuts.pop(0)])
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    # Uploads

    def _post(self, path: str, body: bytes) -> None:
        if path == "/api/repos/create":
            wanted = json.loads(body)
            repo_id = f"{wanted.get('organization') or 'user'}/{wanted['name']}"
            self.hub.repositories.setdefault(repo_id, Repository({}, None, False, ("main",)))
            self._json({"url": f"{self.hub.url}/{repo_id}", "name": repo_id})
        elif found := re.fullmatch(r"/api/models/(.+?)/preupload/([^/]+)", path):
            files = json.loads(body)["files"]
            self._json({"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]})
        elif found := re.fullmatch(r"/api/models/(.+?)/commit/([^/]+)", path):
            repository = self._repository(found[1], found[2])
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    repository.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            commit = repository.commit
            self._json(
                {"commitUrl": f"{self.hub.url}/{found[1]}/commit/{commit}", "commitOid": commit, "success": True}
            )
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        else:
            raise _Refusal(404, None, f"no such address: {path}")


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
