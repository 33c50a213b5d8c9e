"""Records to plain data and back: what is missing, unknown, inlined, left out, or one of two."""

import json
import math
from dataclasses import dataclass, field

import pytest

from twotower.config.conversion import INLINED, OMITTED, as_json, keyed, plain, record_from
from twotower.system.errors import InputError


@dataclass(frozen=True)
class Small:
    low: float


@dataclass(frozen=True)
class Large:
    low: float
    high: float


@dataclass(frozen=True)
class Whole:
    name: str = field(metadata=keyed("class"))
    part: Small | Large
    layer: int | str
    inner: Large = field(metadata=INLINED)
    note: str | None = field(default=None, metadata=OMITTED)


def test_records_survive_the_way_through_json():
    for part, layer, note in ((Small(1.0), "chosen", None), (Large(1.0, 2.0), 3, "so")):
        whole = Whole("NOUN", part, layer, Large(0.5, 0.75), note)
        assert record_from(Whole, json.loads(as_json(whole)), "here") == whole
    assert plain(whole) == {
        "class": "NOUN", "part": {"low": 1.0, "high": 2.0}, "layer": 3, "low": 0.5, "high": 0.75, "note": "so"
    }  # fmt: skip
    assert "note" not in plain(Whole("NOUN", Small(1.0), 1, Large(0.5, 0.75)))


def test_a_figure_that_cannot_be_computed_is_null_and_comes_back_as_nan():
    assert as_json(Small(math.nan)) == '{\n  "low": null\n}\n'
    assert math.isnan(record_from(Small, {"low": None}, "here").low)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"low": 1.0}, "here: high is missing"), ({"low": 1.0, "high": 2.0, "mid": 1.5}, "here: 'mid' is not known"),
        ({"low": "much", "high": 2.0}, "here: low: expected a number, found 'much'"),
        ([1.0], "here: expected an object"),
    ],
)  # fmt: skip
def test_what_is_no_such_record_is_named(values, message):
    with pytest.raises(InputError, match=message):
        record_from(Large, values, "here")
