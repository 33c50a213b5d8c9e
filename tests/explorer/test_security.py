"""The explorer answers this machine's own page, and nobody else."""

import pytest

pytest.importorskip("starlette", reason="needs twotower[explore]")
from starlette.testclient import TestClient

from twotower.explorer.explored import ExploredRun
from twotower.explorer.page import files
from twotower.explorer.server import LARGEST_BODY, explorer

HOST, TOKEN = "127.0.0.1:4567", "a-token"


@pytest.fixture(scope="module")
def client(finished):
    guarded = explorer([ExploredRun(finished)], TOKEN, frozenset({HOST}))
    return TestClient(guarded, base_url=f"http://{HOST}", raise_server_exceptions=False)


def test_the_page_and_its_files_are_there_and_bring_their_policy(client):
    for name in ("", *files(live=True)):
        answer = client.get(f"/{TOKEN}/{name}")
        assert answer.status_code == 200, name
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/api/types", "/wrong-token/api/types", "/a-toke/", "/a-token2/", "//a-token"])
def test_without_the_token_there_is_nothing(client, path):
    answer = client.get(path)
    assert answer.status_code in (403, 404)
    assert "piece" not in answer.text and "<script" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "evil.example:4567", "[::1]:4567", ""])
def test_a_foreign_host_is_refused(client, host):
    """DNS rebinding: a name of another site's that leads to this machine."""
    assert client.get(f"/{TOKEN}/api/runs", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:4567", "http://127.0.0.1"])
def test_a_foreign_origin_is_refused(client, origin):
    assert client.get(f"/{TOKEN}/api/runs", headers={"origin": origin}).status_code == 403
    sent = client.post(f"/{TOKEN}/api/sentence", json={"text": "the people"}, headers={"origin": origin})
    assert sent.status_code == 403
    assert client.get(f"/{TOKEN}/api/runs", headers={"origin": f"http://{HOST}"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["../config.yaml", "..%2fconfig.yaml", "%2e%2e/config.yaml", "....//config.yaml", "/etc/passwd", "%2fetc%2fpasswd",
     "data/../../config.yaml", "__init__.py", "api/../../config.yaml", "api/..%2fconfig.yaml", "index.html%00.js"],
)  # fmt: skip
def test_no_path_leads_to_another_file(client, path):
    answer = client.get(f"/{TOKEN}/{path}")
    assert answer.status_code in (400, 403, 404)
    assert "preset" not in answer.text and "root:" not in answer.text


@pytest.mark.parametrize(
    "query",
    ["concordance", "concordance?query=%2F(%2F", "concordance?query=the&since=-1", "concordance?query=the&until=²",
     "concordance?query=the&since=1e3", "types?in=no-such-document", "passage?document=100000",
     "passage?document=0&length=999999", "types?run=1", "types?run=-1", "nothing"],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_reason(client, query):
    answer = client.get(f"/{TOKEN}/api/{query}")
    assert answer.status_code == 400 and answer.json()["error"]


def test_a_sentence_is_json_of_limited_size(client):
    path = f"/{TOKEN}/api/sentence"
    plain = {"content-type": "text/plain"}  # what a form of another site's could send without being asked first
    assert client.post(path, content='{"text": "a"}', headers=plain).status_code == 415
    assert client.post(path, json={"text": "a" * LARGEST_BODY}).status_code == 413
    json = {"content-type": "application/json"}
    for body in ("", "[" * 30_000, '"a"', '{"text": 3}', '{"text": "a", "run": true}', '{"text": "a", "context": 0}'):
        assert client.post(path, content=body, headers=json).status_code == 400, body[:20]
    assert client.get(path).status_code == 405
