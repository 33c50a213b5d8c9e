"""A small hub for tests that speaks what `huggingface_hub` uploads with: repositories, commits, large files."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0" * 40


class SmallHub:
    """What was sent: `private` by repository, and `files` by repository and path."""

    def __init__(self) -> None:
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self.refuses = False
        self.endpoint = ""
        self.tokens: set[str] = set()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        """The status and the JSON that the hub answers with."""
        if self.refuses:
            return 403, {"error": "you may not write here"}
        if (method, path) == ("POST", "/api/repos/create"):
            request = json.loads(body)
            name = f"{request.get('organization') or 'someone'}/{request['name']}"
            self.private.setdefault(name, request.get("private") or request.get("visibility") == "private")
            self.files.setdefault(name, {})
            return 200, {"url": f"{self.endpoint}/{name}", "name": name}
        if path.endswith("/info/lfs/objects/batch"):
            return 200, {"transfer": "basic", "objects": [
                file | {"actions": {"upload": {"href": f"{self.endpoint}/store/{file['oid']}"}}}
                for file in json.loads(body)["objects"]
            ]}  # fmt: skip
        if method == "PUT" and path.startswith("/store/"):
            self.objects[path.rpartition("/")[2]] = body
            return 200, {}
        name = "/".join(path.split("/")[3:5])
        if path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            modes = [
                {"path": file["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if file["path"].endswith((".safetensors", ".parquet", ".pdf")) else "regular"}
                for file in files
            ]  # fmt: skip
            return 200, {"files": modes}
        if path.endswith("/commit/main"):
            for line in map(json.loads, body.decode().splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.files[name][value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    content = self.objects[value["oid"]]
                    assert hashlib.sha256(content).hexdigest() == value["oid"]
                    self.files[name][value["path"]] = content
            return 200, {"success": True, "commitOid": COMMIT, "commitUrl": f"{self.endpoint}/{name}/commit/{COMMIT}"}
        if method == "GET" and path.startswith(f"/api/models/{name}"):
            return 200, {"id": name, "sha": COMMIT, "private": self.private[name], "siblings": [], "tags": []}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        return 404, {"error": f"{method} {path} is not spoken here"}


@contextmanager
def small_hub() -> Iterator[SmallHub]:
    """A hub that answers until the end of the block."""
    hub = SmallHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self._body()
            hub.tokens.add(self.headers.get("authorization", ""))
            status, said = hub.answer(self.command, self.path.partition("?")[0], body)
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        do_GET = do_POST = do_PUT = do_HEAD = _answer  # noqa: N815 (names of the standard library)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
