"""Files that nobody meant: mutated, and made up. A clear error or a correct result; never another exception or a hang.

`make test-rest` tries a fixed set of examples for each target, `make test-exhaustive` 2,000 new ones. Each may take ten
seconds of the processor at most, and all of a target's together may not raise the process's memory by more than a
gibibyte.
"""

import contextlib
import io
import json
import resource
import signal
from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS, seeds
from twotower import cli
from twotower.config.schema import RunConfig
from twotower.config.settings import to_dict
from twotower.system.errors import InputError

SEEDS = seeds()
SHORT, LONG = 60, 2_000
LIMIT = 1 << 20  # KiB
USUAL = {
    "deadline": None, "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
}  # fmt: skip
ODD = st.sampled_from(
    [b"\t", b"\n", b"\r", b"\0", b",", b'"', b"\xff", b"-1", b"0", b"99999999999999999999", b"1e400", b"nan", b"[]",
     b"{}", b"null", b"=", b"\xef\xbb\xbf", b"\xed\xa0\x80", b".", b"-", b"1-99999999", b"_", "²".encode(), b"../../x"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["sotu", "gpt", "../../x", "/", "=1+1", 10**30, -1, [], {}]),
)  # fmt: skip
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw, name):
    """A whole example with some spans removed, repeated, replaced or exchanged for odd bytes."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.just(b""), ODD, st.binary(max_size=6), st.just(data[start:end] * 3)))
        data = data[:start] + new + data[end:]
    return data


def _replaced(value, path, new):
    if not path:
        return new
    if isinstance(value, dict) and value:
        key = sorted(value)[path[0] % len(value)]
        return value | {key: _replaced(value[key], path[1:], new)}
    return new


def nested(value):
    """A nested value with one of its parts replaced by anything."""
    return st.builds(_replaced, st.just(value), st.lists(st.integers(0, 50), min_size=1, max_size=5), PLAIN)


def examples(name):
    strategies = [st.binary(max_size=200), mutated(name)]
    if name in ("records", "tokenizer", "checkpoint"):
        strategies.append(nested(json.loads(SEEDS[name][0])).map(lambda value: json.dumps(value).encode()))
    if name == "configuration":
        strategies.append(nested(to_dict(RunConfig())).map(lambda value: yaml.safe_dump(value).encode()))
        strategies.append(st.builds(lambda value: yaml.safe_dump(value).encode(), PLAIN))
    return st.one_of(strategies)


@contextlib.contextmanager
def ten_seconds():
    """Of the processor, not of a clock that other processes hold up."""

    def late(*_):
        raise TimeoutError("more than ten seconds of the processor")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def tried(name, count, folder, derandomize):
    """How many examples were read or refused as they should be."""
    number = 0
    for data in SEEDS[name]:  # what is imported on the way is not the examples' memory
        with contextlib.suppress(InputError):
            TARGETS[name](data, folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    place = folder / "place"
    place.mkdir()
    there = set(folder.iterdir())

    @settings(max_examples=count, derandomize=derandomize, **USUAL)
    @given(examples(name))
    def attempt(data):
        nonlocal number
        try:
            with ten_seconds():
                TARGETS[name](data, place)
        except InputError as error:
            assert str(error).strip() and "Traceback" not in str(error)
        number += 1

    attempt()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LIMIT
    assert set(folder.iterdir()) == there  # nothing was written elsewhere
    return number


@pytest.mark.parametrize("name", TARGETS)
def test_a_file_that_nobody_meant_is_read_or_refused(tmp_path, name):
    assert tried(name, SHORT, tmp_path, derandomize=True) == SHORT


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_two_thousand_of_them_are(tmp_path, name):
    assert tried(name, LONG, tmp_path, derandomize=False) == LONG


@pytest.mark.parametrize("name", TARGETS)
def test_the_whole_examples_are_what_they_should_be(tmp_path, name):
    """Otherwise their mutations would test one refusal."""
    accepted = 0
    for data in SEEDS[name]:
        try:
            TARGETS[name](data, tmp_path)
            accepted += 1
        except InputError:
            pass
    assert accepted


def flags(kind, prefix="--"):
    """Every flag of the configuration, with dots."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        name = prefix + field.name.replace("_", "-")
        if is_dataclass(hints[field.name]):
            yield from flags(hints[field.name], name + ".")
        else:
            yield name


WORDS = st.lists(
    st.tuples(
        st.sampled_from([*flags(RunConfig), "--corpus", "--tokens", "--family", "--minutes"]),
        st.one_of(st.text(max_size=10), st.integers().map(str), st.floats().map(str), st.sampled_from(
            ["4M", "1e9", "1e99", "inf", "-1", "sotu", "hf:llama", "hf:", "\0", "\x1b[31m", "a" * 5000, "=1+1", "None"]
        )),
    ).map(list),
    min_size=1, max_size=3,
).map(lambda pairs: [word for pair in pairs for word in pair])  # fmt: skip


def is_answered(words):
    """Whether `plan`, which reads a configuration as every command does and writes nothing, is done or says in one line
    why it is not."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["plan", *words])
    lines = [line for line in err.getvalue().splitlines() if line.strip()]
    in_one_line = len(lines) == 1 and lines[0].startswith("twotower: ") and "\x1b" not in lines[0]
    return code == 0 or (code == 2 and in_one_line)


@settings(max_examples=40, **USUAL)
@given(WORDS)
def test_a_command_line_that_nobody_meant_gets_one_line(words):
    assert is_answered(words)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@settings(max_examples=LONG, **USUAL)
@given(WORDS)
def test_two_thousand_of_them_do(words):
    assert is_answered(words)
