"""Suites of SyntaxGym: formulas mean what they say, and what cannot be read is refused."""

import json

import pytest

from twotower.errors import InputError
from twotower.knowledge.syntaxgym import parse, read_suite

SURPRISALS = {("a", 1): 1.0, ("a", 2): 2.0, ("b", 1): 3.0, ("b", 2): 0.5, ("a", 0): 3.0, ("b", 0): 3.5}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("(1;%a%) < (1;%b%)", True),
        ("(1;%a%) > (1;%b%)", False),
        ("((1;%a%) + (2;%a%)) = (*;%a%)", True),
        ("[(1;%a%) < (1;%b%)] & [(2;%a%) < (2;%b%)]", False),
        ("(1;%a%) < (1;%b%) | (2;%a%) < (2;%b%)", True),
        ("(1;%b%) - (2;%b%) - 1 > (1;%a%)", True),
        ("((*;%b%)-(*;%a%)) < 0.6", True),
    ],
)
def test_formulas(formula, value):
    assert parse(formula)(SURPRISALS) is value


@pytest.mark.parametrize("formula", ["(1;%a%) <", "(1;%a%", "import os", "(1;%a%) (2;%a%)", "", "((1;%a%) < 2"])
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(InputError, match="formula"):
        parse(formula)


def suite(**changed):
    conditions = [
        {
            "condition_name": name,
            "regions": [{"region_number": 1, "content": "the"}, {"region_number": 2, "content": word}],
        }
        for name, word in (("a", "state"), ("b", "union"))
    ]
    whole = {
        "meta": {"name": "letters"},
        "predictions": [{"type": "formula", "formula": "(2;%a%) < (2;%b%)"}],
        "items": [{"item_number": 1, "conditions": conditions}],
    }
    return whole | changed


def test_a_suite_is_read_and_one_that_is_not_as_expected_is_named(tmp_path):
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(suite()))
    read = read_suite(path)
    assert [one.text for one in read.conditions] == ["the state", "the union"] and read.formulas == (
        "(2;%a%) < (2;%b%)",
    )
    bad = [
        "{",
        "[]",
        json.dumps(suite(items=[])),
        json.dumps(suite(meta={})),
        json.dumps(suite(predictions=[{"formula": "(9;%a%) < 1"}])),
    ]
    for text in bad:
        path.write_text(text)
        with pytest.raises(InputError, match=r"suite\.json"):
            read_suite(path)


def test_an_item_without_a_condition_that_a_formula_speaks_of_is_named(tmp_path):
    whole = suite()
    whole["items"].append({"item_number": 7, "conditions": whole["items"][0]["conditions"][:1]})
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(InputError, match=r"suite.json: the formula .* speaks of .*'b', 2.* which item 7 does not have"):
        read_suite(path)
