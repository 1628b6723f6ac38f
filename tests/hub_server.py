"""A server on this machine that speaks as much of the Hub's protocol as downloads and uploads need.

    with HubServer() as hub:
        hub.add("user/model", {"config.json": b"{}"})
        ...                                    # HF_ENDPOINT points to hub.url

Faults are asked for by attributes: `fail_with`, `cut_after`, `delay`. All requests are kept in `hub.requests`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

TOKEN = "hf_" + "x" * 34  # what a private or gated repository wants; not a real one


@dataclass
class Repository:
    """A repository: the files of each revision."""

    revisions: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit(self, revision: str) -> str:
        """A hash that depends on what the revision holds."""
        files = self.revisions[revision]
        digest = hashlib.sha1()
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + files[name] + b"\0")
        return digest.hexdigest()

    def resolve(self, revision: str) -> str | None:
        """The name of a revision that is given by name or by hash."""
        if revision in self.revisions:
            return revision
        return next((name for name in self.revisions if self.commit(name) == revision), None)


class HubServer:
    """The server; a context manager that also points `HF_ENDPOINT` to itself."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.commits: list[dict[str, Any]] = []  # messages, descriptions and files of uploads
        self.fail_with: int | None = None  # status of every answer
        self.cut_after: int | None = None  # closes the connection after so many bytes of a file, once
        self.delay = 0.0  # seconds before every answer
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(
        self,
        name: str,
        files: dict[str, bytes],
        revision: str = "main",
        private: bool = False,
        gated: bool = False,
    ) -> Repository:
        """Puts files into a revision of a repository; returns the repository."""
        repository = self.repositories.setdefault(name, Repository())
        repository.private, repository.gated = private, gated
        repository.revisions.setdefault(revision, {}).update(files)
        return repository

    def add_folder(self, name: str, folder: str | os.PathLike[str], **options: Any) -> Repository:
        """Puts all files of a folder into a repository."""
        files = {}
        for root, _, names in os.walk(folder):
            for file in names:
                path = os.path.join(root, file)
                with open(path, "rb") as stream:
                    files[os.path.relpath(path, folder).replace(os.sep, "/")] = stream.read()
        return self.add(name, files, **options)

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._former = os.environ.get("HF_ENDPOINT")
        os.environ["HF_ENDPOINT"] = self.url
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._former is None:
            os.environ.pop("HF_ENDPOINT", None)
        else:
            os.environ["HF_ENDPOINT"] = self._former


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None: ...

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        payload = self.rfile.read(length) if length else self._read_chunks()
        if not self._begin():
            return
        path = unquote(urlparse(self.path).path)
        if path == "/api/repos/create":
            self._create(json.loads(payload))
        elif found := re.fullmatch(r"/api/models/(.+)/preupload/(.+)", path):
            files = json.loads(payload)["files"]
            answer = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            self._json(200, {"files": answer})
        elif found := re.fullmatch(r"/api/models/(.+)/branch/(.+)", path):
            repository = self.hub.repositories[found[1]]
            if found[2] in repository.revisions:
                self._error(409, "Conflict")
                return
            repository.revisions[found[2]] = dict(repository.revisions.get("main", {}))
            self._json(200, {})
        elif found := re.fullmatch(r"/api/models/(.+)/commit/(.+)", path):
            self._commit(found[1], found[2], payload)
        else:
            self._error(404, "EntryNotFound")

    # -- Parts --

    def _read_chunks(self) -> bytes:
        """The body of a request that is sent in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _begin(self) -> bool:
        """Records the request; False if it has been answered with the fault that was asked for."""
        self.hub.requests.append((self.command, self.path, dict(self.headers.items())))
        time.sleep(self.hub.delay)
        if self.hub.fail_with is not None:
            self._error(self.hub.fail_with)
            return False
        return True

    def _is_authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _serve(self, body: bool) -> None:
        if not self._begin():
            return
        path = unquote(urlparse(self.path).path)
        if path == "/api/whoami-v2":
            self._json(200, {"name": "user", "type": "user", "orgs": []})
            return
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        information = re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/revision/([^/]+))?", path)
        name, revision = (found or information or [None, "", "main"])[1:3]
        repository = self.hub.repositories.get(name or "")
        if repository is None or (repository.private and not self._is_authorized()):
            # As the Hub does: it does not tell whether there is a private one.
            self._error(401, "RepoNotFound", "Repository not found")
            return
        if repository.gated and not self._is_authorized():
            self._error(401, "GatedRepo", "Access to this repository is restricted")
            return
        actual = repository.resolve(revision or "main")
        if actual is None:
            self._error(404, "RevisionNotFound", "Invalid rev id")
            return
        if information is not None:
            siblings = [{"rfilename": file} for file in sorted(repository.revisions[actual])]
            self._json(200, {"id": name, "sha": repository.commit(actual), "siblings": siblings})
            return
        content = repository.revisions[actual].get(found[3]) if found else None
        if content is None:
            self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": repository.commit(actual)})
            return
        self._file(content, repository.commit(actual), body)

    def _file(self, content: bytes, commit: str, body: bool) -> None:
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted:
            start = int(wanted[1])
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if not body:
            return
        content = content[start:]
        if self.hub.cut_after is not None and len(content) > self.hub.cut_after:
            content, self.hub.cut_after = content[: self.hub.cut_after], None
            self.close_connection = True
        self.wfile.write(content)

    def _create(self, request: dict[str, Any]) -> None:
        name = f"{request.get('organization') or 'user'}/{request['name']}"
        if not self._is_authorized():
            self._error(401, message="Invalid username or password")
        elif name in self.hub.repositories:
            self._json(409, {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"})
        else:
            self.hub.add(name, {}, private=bool(request.get("private")))
            self._json(200, {"url": f"{self.hub.url}/{name}"})

    def _commit(self, name: str, revision: str, payload: bytes) -> None:
        lines = [json.loads(line) for line in payload.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        files = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines if line["key"] == "file"
        }
        self.hub.repositories[name].revisions.setdefault(revision, {}).update(files)
        self.hub.commits.append({"revision": revision, "files": files, **header})
        sha = self.hub.repositories[name].commit(revision)
        answer = {"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha, "hookOutput": ""}
        if "create_pr=1" in self.path:
            answer["pullRequestUrl"] = f"{self.hub.url}/{name}/discussions/1"
        self._json(200, answer)

    def _json(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str = "", message: str = "", headers: dict[str, str] | None = None) -> None:
        more = {"X-Error-Code": code} if code else {}
        if message:
            more["X-Error-Message"] = message
        self._json(status, {"error": message or f"status {status}"}, {**more, **(headers or {})})
