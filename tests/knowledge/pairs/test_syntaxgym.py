"""Suites of SyntaxGym: formulas mean what they say, and what cannot be read is refused."""

import json

import pytest

from twotower.knowledge.pairs.suites import regions_of_pieces
from twotower.knowledge.pairs.syntaxgym import Condition, parse, read_suite
from twotower.system.errors import InputError

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
    assert [condition.text for condition in read.conditions] == ["the state", "the union"] and read.formulas == (
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


def tokenizers():
    """Word pieces, byte-level pairs and a unigram model, each trained on a few sentences."""
    import tokenizers as t

    text = ["the state of the union , don't you know ?", "ein Müller — größer als 東京 !"] * 20
    for model, trainer, pre, post in (
        (t.models.WordPiece(unk_token="[UNK]"), t.trainers.WordPieceTrainer(vocab_size=80, special_tokens=["[UNK]"]),
         t.pre_tokenizers.BertPreTokenizer(), None),
        (t.models.BPE(), t.trainers.BpeTrainer(vocab_size=300,
                                               initial_alphabet=t.pre_tokenizers.ByteLevel.alphabet()),
         t.pre_tokenizers.ByteLevel(add_prefix_space=False), t.processors.ByteLevel(trim_offsets=False)),
        (t.models.Unigram(), t.trainers.UnigramTrainer(vocab_size=80, unk_token="<unk>", special_tokens=["<unk>"]),
         t.pre_tokenizers.Metaspace(), None),
    ):  # fmt: skip
        made = t.Tokenizer(model)
        made.pre_tokenizer = pre
        made.train_from_iterator(text, trainer)
        if post is not None:
            made.post_processor = post
        yield made


def test_each_piece_is_in_the_region_that_it_stands_in_under_any_tokenizer():
    conditions = [
        Condition(1, "a", ("the state", "", "of the union", ", don't", "?"), (1, 2, 3, 4, 5)),
        Condition(1, "b", ("ein Müller", "—", "größer", "als 東京!"), (1, 2, 3, 4)),
    ]
    for tokenizer in tokenizers():
        for condition, regions in zip(conditions, regions_of_pieces(tokenizer, conditions), strict=True):
            filled = [number for number, text in zip(condition.numbers, condition.regions, strict=True) if text]
            assert sorted(set(regions)) == filled and regions == sorted(regions)
            for number, (start, end) in zip(regions, tokenizer.encode(condition.text).offsets, strict=True):
                piece = condition.text[start:end].strip()
                assert piece in condition.regions[condition.numbers.index(number)]
