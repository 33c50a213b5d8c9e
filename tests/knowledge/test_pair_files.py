"""Ready pairs are read as they are handed on; anything else is refused with its line."""

import json
from pathlib import Path

import pytest

from twotower.errors import InputError
from twotower.knowledge.pair_files import MEANING, OTHER, SYNTAX, is_broken, read_pairs

BLIMP = {"sentence_good": "A man ran.", "sentence_bad": "A man run.", "UID": "agreement", "field": "morphology"}


def read(folder: Path, name: str, text: str):
    (folder / name).write_text(text, encoding="utf-8")
    return read_pairs(str(folder / name))


def test_blimp_and_zorro_and_tables_are_told_by_their_endings(tmp_path):
    [pair] = read(tmp_path, "a.jsonl", json.dumps(BLIMP) + "\n")
    assert (pair.paradigm, pair.kind, pair.good, pair.bad) == ("agreement", SYNTAX, "A man ran.", "A man run.")
    first, second = read(tmp_path, "npi_licensing-x.txt", "bad one .\ngood one .\nbad two .\ngood two .\n")
    assert (first.good, first.bad, first.kind) == ("good one .", "bad one .", OTHER)
    assert second.source == "npi_licensing-x.txt:3"
    [pair] = read(tmp_path, "a.csv", 'better,worse\n"She ate bread, and slept","She ate sand, and slept"\n')
    assert (pair.good, pair.bad, pair.kind) == ("She ate bread, and slept", "She ate sand, and slept", MEANING)
    [pair] = read(tmp_path, "b.tsv", "kind\tbad\tgood\nsyntax\tthey runs\tthey run\n")
    assert (pair.good, pair.kind) == ("they run", SYNTAX)
    [pair] = read(tmp_path, "c.csv", "item,Sentence,Plausibility\n1,worse,Implausible\n1,better,Plausible\n")
    assert (pair.good, pair.bad) == ("better", "worse")
    assert len(read_pairs(str(tmp_path))) == 6


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.jsonl", json.dumps(BLIMP) + "\n{}\n", "line 2"),
        ("a.jsonl", "[1]\n", "line 1"),
        ("a.txt", "bad .\ngood .\nalone .\n", "line 3 stands alone"),
        ("a.txt", "bad .\n\n", "line 2 is empty"),
        ("a.csv", "x,y,z\n1,2,3\n", "which columns"),
        ("a.csv", "good,bad\nonly\n", "line 2 has 1 columns"),
        ("a.csv", 'good,bad\n"a,b\n', "line"),
        ("a.csv", "kind,good,bad\nlexis,a,b\n", "lexis"),
        ("a.csv", "item,Sentence,Plausibility\n1,a,Plausible\n", "stands alone"),
        ("a.csv", "item,Sentence,Plausibility\n1,a,maybe\n", "maybe"),
        ("a.csv", "", "empty"),
        ("a.doc", "x", "ends in none"),
    ],
)
def test_what_is_no_file_of_pairs_is_refused_with_its_line(tmp_path, name, text, fault):
    with pytest.raises(InputError, match=fault) as caught:
        read(tmp_path, name, text)
    assert str(tmp_path / name) in str(caught.value)


def test_missing_places_and_empty_folders_are_named(tmp_path):
    for place in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(InputError, match=str(place)):
            read_pairs(str(place))


def test_items_of_blimp_that_are_reported_broken_are_known(tmp_path):
    row = BLIMP | {
        "UID": "determiner_noun_agreement_with_adjective_1",
        "sentence_good": "He did that out in the open senator.",
    }
    broken, whole = read(tmp_path, "a.jsonl", json.dumps(row) + "\n" + json.dumps(BLIMP) + "\n")
    assert is_broken(broken) and not is_broken(whole)


def test_data_sets_of_the_hub_are_read_by_their_columns_and_refused_in_one_line(tmp_path, monkeypatch):
    import datasets

    rows = datasets.Dataset.from_list([BLIMP, BLIMP | {"field": "semantics"}])
    monkeypatch.setattr(datasets, "load_dataset", lambda name, configuration, split: rows)
    first, second = read_pairs("hf:someone/blimp:agreement")
    assert (first.set, first.paradigm, first.good, first.kind) == ("blimp", "agreement", "A man ran.", SYNTAX)
    assert second.kind == OTHER and second.source == "hf:someone/blimp:agreement:2"
    other = datasets.Dataset.from_list([{"text": "x"}])
    monkeypatch.setattr(datasets, "load_dataset", lambda name, configuration, split: other)
    for place, fault in (("hf:someone/text", "sentence_good"), ("hf:a:b:c:d", "of the form"), ("hf:", "of the form")):
        with pytest.raises(InputError, match=fault):
            read_pairs(place)
