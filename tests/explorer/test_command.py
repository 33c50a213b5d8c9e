"""`twotower explore` at the command line."""

import builtins
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from twotower.cli import main


def test_without_its_packages_it_names_what_to_install(finished, monkeypatch, capsys):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith(("starlette", "uvicorn")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["explore", str(finished)]) == 2
    error = capsys.readouterr().err
    assert "pip install 'twotower[explore]'" in error and error.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["a", "b", "c"], ["nowhere"], ["nowhere", "--port", "70000"]])
def test_bad_input_is_one_line(words, capsys):
    pytest.importorskip("starlette", reason="needs twotower[explore]")
    assert main(["explore", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_in_use_is_named(finished, capsys):
    pytest.importorskip("starlette", reason="needs twotower[explore]")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["explore", str(finished), "--port", str(port), "--no-browse"]) == 2
    assert f"--port: {port}" in capsys.readouterr().err


@pytest.mark.slow
def test_it_serves_this_machine_until_it_is_interrupted(finished):
    pytest.importorskip("starlette", reason="needs twotower[explore]")
    command = [sys.executable, "-m", "twotower", "explore", str(finished), "--no-browse"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's job in the background ignores it
    ) as one:  # fmt: skip
        address = one.stdout.readline().split()[-1]
        assert address.startswith("http://127.0.0.1:") and len(address.rstrip("/").rsplit("/", 1)[1]) >= 32
        with urllib.request.urlopen(address) as answer:
            assert b"twotower explorer" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.rstrip("/").rsplit("/", 1)[0] + "/")
        one.send_signal(signal.SIGINT)
        assert one.wait(60) == 0
        assert "ended" in one.stdout.read()
