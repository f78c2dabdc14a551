"""A small hub on 127.0.0.1: the few addresses of the Hugging Face hub that huggingface_hub asks for data sets."""

import contextlib
import dataclasses
import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclasses.dataclass
class Repository:
    """A data set's repository: from a branch to its files, and whom it is open to ("", "gated" or "private")."""

    branches: dict[str, dict[str, bytes]]
    closed: str = ""

    def files(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit of a branch, or of itself, and its files."""
        for branch, files in self.branches.items():
            if revision in (branch, self.commit(branch)):
                return self.commit(branch), files
        return None

    def commit(self, branch: str) -> str:
        content = json.dumps([[path, hashlib.sha256(data).hexdigest()] for path, data in self.branches[branch].items()])
        return hashlib.sha1(content.encode()).hexdigest()


class Hub:
    """The repositories by name, which may be changed while the server runs, and what was asked."""

    def __init__(self):
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.damage: dict[str, bytes] = {}  # from a file's path to what is given in its stead
        self.url = ""

    def downloads(self) -> list[str]:
        """The paths of the files that were given."""
        return [
            line.partition("/resolve/")[2].partition("/")[2] for line in self.asked if line.startswith("GET /datasets")
        ]


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """Runs a hub for as long as the context lasts."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer()

        def do_HEAD(self):
            self.answer()

        def log_message(self, *_):
            pass

        def answer(self):
            path = urllib.parse.urlsplit(self.path).path
            hub.asked.append(f"{self.command} {urllib.parse.unquote(path)}")
            parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
            if parts[:2] == ["api", "datasets"]:
                self.describe("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
            elif parts[0] == "datasets" and parts[3] == "resolve":
                self.give("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
            else:
                self.send(404, b"{}")

        def opened(self, name, revision):
            repository = hub.repositories.get(name)
            if not repository or repository.closed == "private":
                self.send(401, b'{"error": "Invalid username or password."}', {"X-Error-Code": "RepoNotFound"})
            elif not repository.files(revision):
                self.send(404, b'{"error": "Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
            else:
                return repository.files(revision)
            return None

        def describe(self, name, revision):
            if found := self.opened(name, revision):
                commit, files = found
                siblings = [
                    {
                        "rfilename": path,
                        "size": len(data),
                        "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
                        "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
                        if path.endswith(".parquet")
                        else None,
                    }
                    for path, data in files.items()
                ]
                body = {"id": name, "sha": commit, "private": False, "tags": [], "siblings": siblings}
                self.send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

        def give(self, name, revision, path):
            repository = hub.repositories.get(name)
            if repository and repository.closed == "gated":
                self.send(403, b'{"error": "Access is restricted."}', {"X-Error-Code": "GatedRepo"})
                return
            if found := self.opened(name, revision):
                commit, files = found
                if path not in files:
                    self.send(404, b'{"error": "Entry not found"}', {"X-Error-Code": "EntryNotFound"})
                    return
                etag = f'"{hashlib.sha256(files[path]).hexdigest()}"'
                headers = {"ETag": etag, "X-Repo-Commit": commit, "Content-Type": "application/octet-stream"}
                self.send(200, hub.damage.get(path, files[path]), headers)

        def send(self, status, body, headers=()):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Who asks only whether a file can be had hangs up before it was given."""

    with Server(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
