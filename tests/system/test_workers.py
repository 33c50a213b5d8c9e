"""Processes that answer questions: one after the other, several at a time, and after one has died."""

import os
import signal
import subprocess
import sys

import pytest

from twotower.system.workers import Worker, WorkerEndedError, Workers

ECHO = """
import os, sys
from twotower.system.workers import answer_questions

def answer(question):
    print("this is for people")
    if question == "end":
        os._exit(3)
    return [question, os.getpid(), os.environ.get("GREETING")]

answer_questions(answer)
"""


@pytest.fixture
def echo(tmp_path, monkeypatch):
    (tmp_path / "echo_worker.py").write_text(ECHO)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return "echo_worker"


def test_a_worker_answers_each_question_in_its_own_environment(echo):
    with Workers(echo, 1, {"GREETING": "grüße"}) as workers:
        answers = [workers.ask(question) for question in ("one", ["zwei", "drei"], {"четыре": 4})]
    assert [question for question, _, _ in answers] == ["one", ["zwei", "drei"], {"четыре": 4}]
    assert len({process for _, process, _ in answers}) == 1 and {greeting for _, _, greeting in answers} == {"grüße"}


def test_a_worker_that_ends_says_how_and_the_next_question_has_a_new_one(echo):
    worker = Worker(echo, {})
    try:
        _, first, _ = worker.ask(1)
        with pytest.raises(WorkerEndedError, match="3") as end:
            worker.ask("end")
        assert end.value.code == 3
        _, second, _ = worker.ask(2)
        os.kill(second, signal.SIGKILL)
        with pytest.raises(WorkerEndedError) as end:
            worker.ask("end")
        assert end.value.code in (3, -signal.SIGKILL)
        assert first != second
    finally:
        worker.close()


def test_workers_end_with_those_who_ask(echo):
    workers = Workers(echo, 2)
    _, process, _ = workers.ask("")
    os.kill(process, 0)
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_worker_whose_asker_was_killed_ends_without_a_word(echo):
    command = [sys.executable, "-m", echo]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    worker.stdout.close()
    _, said = worker.communicate('"one"\n')
    assert worker.returncode == 0 and "Traceback" not in said and "BrokenPipe" not in said
