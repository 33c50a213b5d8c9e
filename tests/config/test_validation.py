"""Settings that cannot be: every number has its range beside it, and is refused outside of it by its name."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from twotower.config.presets import PRESETS
from twotower.config.ranges import Range, ranges_of
from twotower.config.schema import RunConfig
from twotower.config.settings import by_name, to_dict, with_settings
from twotower.config.validation import validate
from twotower.system.errors import InputError

RANGES = ranges_of(RunConfig)


def outside(allowed: Range) -> list[float]:
    outside = [allowed.most + 1] if allowed.below is None else [allowed.below]
    return [*outside, allowed.least - 1 if allowed.above is None else allowed.above]


@pytest.mark.parametrize("name", RANGES)
def test_a_number_outside_of_its_range_is_refused_by_its_name(name):
    pair = name == "train.betas"
    for value in outside(RANGES[name]):
        with pytest.raises(InputError, match=f"^{name}: .* is not possible; allowed: "):
            validate(with_settings(RunConfig(), {name: [0.5, value] if pair else value}, "test"))
    if isinstance(by_name(RunConfig())[name], float):
        for value in (math.nan, math.inf, -math.inf):
            with pytest.raises(InputError, match=f"^{name}: "):
                validate(with_settings(RunConfig(), {name: value}, "test"))


def test_every_number_of_the_configuration_has_a_range():
    numbers = {
        name for name, value in by_name(RunConfig()).items()
        if any(isinstance(part, (int, float)) and not isinstance(part, bool)
               for part in (value if isinstance(value, list) else [value]))
    }  # fmt: skip
    assert numbers - RANGES.keys() == {"readout.replicates"}  # one of a few: a Literal
    assert RANGES.keys() - numbers == {"train.minutes"}  # None by default


def test_a_number_without_a_range_is_named():
    @dataclass
    class Careless:
        size: Annotated[int, "no range"] = 3

    with pytest.raises(TypeError, match=r"Careless\.size: a number needs its range"):
        ranges_of(Careless)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_possible_and_read_back_from_what_is_written(name):
    preset = replace(PRESETS[name], preset=name)
    validate(preset)
    assert with_settings(RunConfig(), to_dict(preset), "test") == preset


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (Range(1), "1 or more"),
        (Range(1, 8), "1 to 8"),
        (Range(0, 2**31 - 1), "0 to 2147483647"),
        (Range(0, zero="all"), "0 (all) or more"),
        (Range(0, below=1), "0 or more, less than 1"),
        (Range(above=0), "more than 0"),
        (Range(above=0, most=0.5), "more than 0, at most 0.5"),
        (Range(above=0, below=1), "more than 0, less than 1"),
    ],
)
def test_a_range_says_what_it_allows(allowed, said):
    assert str(allowed) == said
