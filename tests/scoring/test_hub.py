"""Names on the hub, through a server here that speaks the hub's protocol: nothing else is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ASK = """
import json, sys
from twotower.scoring.loading import load_model, read_model_files
from twotower.scoring.named_models import parse_model
from twotower.system.errors import InputError

for name in sys.argv[1:]:
    try:
        model = load_model(read_model_files(parse_model(name)), "float32", "cpu")
        print(json.dumps([name, type(model).__name__]))
    except InputError as error:
        print(json.dumps([name, str(error)]))
"""
REVISIONS = {"main": "a" * 40, "v1": "b" * 40, "a" * 40: "a" * 40, "b" * 40: "b" * 40}


@pytest.fixture
def hub(language_model) -> Iterator[tuple[str, list[str]]]:
    """The address of a hub with the model `lab/small`, and one that is gated; and the paths that it was asked for."""
    folder, asked = language_model("gpt-a"), list[str]()

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            asked.append(self.path)
            parts = self.path.partition("?")[0].strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                return self.describe(parts[2:])
            if parts[:2] == ["lab", "gated"]:
                return self.refuse(403, "GatedRepo")
            if parts[:2] != ["lab", "small"] or len(parts) < 5:
                return self.refuse(404, "RepoNotFound" if parts[:2] != ["lab", "small"] else "EntryNotFound")
            if parts[3] not in REVISIONS:
                return self.refuse(404, "RevisionNotFound")
            path = folder / parts[4]
            if not path.is_file():
                return self.refuse(404, "EntryNotFound")
            self.give(path.read_bytes(), REVISIONS[parts[3]], parts[4])

        def describe(self, parts: list[str]) -> None:
            """What the hub tells of a model: its commit and its files, or the files alone (`tree`)."""
            if parts[:2] == ["lab", "gated"]:
                return self.refuse(403, "GatedRepo")
            if parts[:2] != ["lab", "small"]:
                return self.refuse(404, "RepoNotFound")
            revision = parts[3] if len(parts) > 3 else "main"
            if revision not in REVISIONS:
                return self.refuse(404, "RevisionNotFound")
            files = sorted(path for path in folder.iterdir() if path.is_file())
            found: object = {
                "id": "lab/small", "sha": REVISIONS[revision], "siblings": [{"rfilename": path.name} for path in files],
            }  # fmt: skip
            if parts[2:3] == ["tree"]:
                found = [{"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0"} for path in files]
            self.give(json.dumps(found).encode(), REVISIONS[revision], "api")

        def give(self, content: bytes, commit: str, tag: str) -> None:
            self.send_response(200)
            self.send_header("X-Repo-Commit", commit)
            self.send_header("ETag", f'"{tag}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def ask(endpoint: str, cache: Path, *names: str, **environment: str) -> dict[str, str]:
    given = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *names], capture_output=True, text=True, check=True, cwd=cache,
        env=os.environ | given | environment,
    )  # fmt: skip
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


def test_names_are_downloaded_once_and_errors_are_one_line(hub, tmp_path: Path):
    endpoint, asked = hub
    output = ask(endpoint, tmp_path, "lab/small", "lab/small@v1", "lab/small@v9", "lab/missing", "lab/gated")
    assert output["lab/small"] == output["lab/small@v1"] == "GPT2LMHeadModel"
    assert "no revision 'v9'" in output["lab/small@v9"]
    assert "the hub has no model of this name" in output["lab/missing"]
    assert "accepted its terms" in output["lab/gated"]
    assert all("\n" not in line for line in output.values())
    assert any(f"/resolve/{revision}/" in path for path in asked for revision in ("v1", REVISIONS["v1"]))
    asked.clear()
    again = ask("http://127.0.0.1:9", tmp_path, "lab/small", HF_HUB_OFFLINE="1")
    assert again["lab/small"] == "GPT2LMHeadModel" and not asked, "what is in the cache needs no network"
    nobody = ask("http://127.0.0.1:9", tmp_path, "lab/other", HF_HUB_OFFLINE="1")
    assert "check the name and the network" in nobody["lab/other"] or "no model of this name" in nobody["lab/other"]
