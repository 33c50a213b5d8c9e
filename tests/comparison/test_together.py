"""Parts of a comparison on all cores."""

import threading
import time
from functools import partial

import pytest

from twotower.comparison import together as module
from twotower.comparison.together import together
from twotower.system.errors import InputError


def test_each_part_has_its_answer_whichever_is_done_first(monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    other = threading.Event()
    parts = {"first": partial(other.wait, 10), "second": other.set, ("a", 1): lambda: 7}
    assert together(parts) == {"first": True, "second": None, ("a", 1): 7}
    assert list(together({number: partial(int, number) for number in range(9)})) == list(range(9))


def test_after_an_error_no_part_begins(monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    begun = []

    def fails():
        begun.append("fails")
        raise InputError("not this one")

    def lasts():
        begun.append("lasts")
        time.sleep(0.05)

    with pytest.raises(InputError, match="not this one"):
        together({"one": fails, **dict.fromkeys(range(100), lasts)})
    assert len(begun) < 100
