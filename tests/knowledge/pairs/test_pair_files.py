"""Ready pairs are read as they are handed on, whatever the order of their columns; anything else is refused."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twotower.knowledge.pairs.minimal_pair import MEANING, OTHER, SYNTAX, tell
from twotower.knowledge.pairs.pair_columns import BETTER, WORSE
from twotower.knowledge.pairs.pair_files import is_broken, read_files, suite_paths
from twotower.system.errors import InputError

BLIMP = {"sentence_good": "A man ran.", "sentence_bad": "A man run.", "UID": "agreement", "field": "morphology"}


def read_pairs(place):
    return [pair for file in read_files(place) for pair in file.pairs]


def read(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    return read_pairs(str(folder / name))


def test_blimp_and_zorro_and_tables_are_told_by_their_endings(tmp_path):
    [pair] = read(tmp_path, "a.jsonl", json.dumps(BLIMP) + "\n")
    assert (pair.paradigm, pair.kind, pair.good, pair.bad) == ("agreement", SYNTAX, "A man ran.", "A man run.")
    first, second = read(tmp_path, "npi_licensing-x.txt", "bad one .\ngood one .\nbad two .\ngood two .\n")
    assert (first.good, first.bad, first.kind) == ("good one .", "bad one .", OTHER)
    assert second.source == "npi_licensing-x.txt:3"
    [pair] = read(tmp_path, "a.csv", 'implausible,plausible\n"She ate sand, and slept","She ate bread, and slept"\n,\n')
    assert (pair.good, pair.bad, pair.kind) == ("She ate bread, and slept", "She ate sand, and slept", MEANING)
    [pair] = read(tmp_path, "b.TSV", "kind\tbad\tgood\nother\tthey runs\tthey run\n")
    assert (pair.good, pair.kind) == ("they run", OTHER)
    [pair] = read(tmp_path, "c.csv", "item;Sentence;Plausibility\n1;worse;Implausible\n1;better;Plausible\n")
    assert (pair.good, pair.bad, pair.kind) == ("better", "worse", MEANING)
    [pair] = read(tmp_path, "d.json", json.dumps([BLIMP]))
    assert pair.good == "A man ran."
    assert len(read_pairs(str(tmp_path))) == 7


@pytest.mark.parametrize(
    ("headings", "kind"),
    [
        (("grammatical", "ungrammatical"), SYNTAX),
        (("Grammatical sentence", "Ungrammatical sentence"), SYNTAX),
        (("sentence_good", "sentence_bad"), SYNTAX),
        (("good_sentence", "bad_sentence"), SYNTAX),
        (("goodSentence", "badSentence"), SYNTAX),
        (("source_sentence", "target_sentence"), SYNTAX),
        (("sen", "wrong_sen"), SYNTAX),
        (("correct", "wrong"), SYNTAX),
        (("True", "False"), SYNTAX),
        (("plausible", "implausible"), MEANING),
    ],
)
def test_headings_decide_whatever_the_order_of_the_columns(tmp_path, headings, kind):
    for name, mark in (("a.csv", ","), ("a.tsv", "\t"), ("b.csv", ";")):
        for order in (headings, headings[::-1]):
            cells = {headings[0]: "they run", headings[1]: "they runs"}
            text = f"id{mark}{mark.join(order)}\n7{mark}{mark.join(cells[heading] for heading in order)}\n"
            [pair] = read(tmp_path, name, text)
            assert (pair.good, pair.bad, pair.kind) == ("they run", "they runs", kind)


@pytest.mark.parametrize("text", ["True\tthey run\nFalse\tthey runs\nFalse\the run\nTrue\the runs\n"])
def test_labels_decide_whatever_the_order_of_the_lines(tmp_path, text):
    as_table = "id,sentence,acceptability\n" + "".join(
        f"{number},{line.split(chr(9))[1]},{int(line.startswith('True'))}\n"
        for number, line in enumerate(text.splitlines())
    )
    for name, content in (("a.txt", text), ("a.csv", as_table)):
        pairs = read(tmp_path, name, content)
        assert [(pair.good, pair.bad) for pair in pairs] == [("they run", "they runs"), ("he runs", "he run")]
        assert {pair.kind for pair in pairs} == {SYNTAX}


SENTENCE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
USUAL = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=60, **USUAL)
@given(
    st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=5), st.sampled_from(sorted(BETTER)),
    st.permutations(range(4)), st.sampled_from([("csv", ","), ("tsv", "\t"), ("csv", ";"), ("jsonl", "")]),
)  # fmt: skip
def test_any_sentences_come_back_from_any_table_in_any_order(tmp_path, sentences, word, order, how):
    ending, mark = how
    headings = [("number", f"{word}_sentence", f"{WORSE[word][0]}_sentence", "note")[place] for place in order]
    rows = [dict(zip(("number", f"{word}_sentence", f"{WORSE[word][0]}_sentence", "note"), (str(n), *pair, "x"),
                     strict=True)) for n, pair in enumerate(sentences)]  # fmt: skip
    out = io.StringIO()
    if mark:
        writer = csv.DictWriter(out, headings, delimiter=mark)
        writer.writeheader()
        writer.writerows(rows)
    else:
        out.writelines(json.dumps({name: row[name] for name in headings}) + "\n" for row in rows)
    pairs = read(tmp_path, f"a.{ending}", out.getvalue())
    assert [(pair.good, pair.bad) for pair in pairs] == sentences and {pair.kind for pair in pairs} == {BETTER[word]}


def test_what_lies_beside_pairs_is_none_and_folders_are_read_to_their_bottom(tmp_path):
    (tmp_path / "en" / "x").mkdir(parents=True)
    (tmp_path / "en" / "x" / "a.txt").write_text("they runs\nthey run\n\n\n")
    (tmp_path / "en" / "README.txt").write_text("These are pairs.\nThe first is wrong.\n")
    (tmp_path / "en" / ".hidden.csv").write_text("x")
    (tmp_path / "LICENSE").write_text("MIT")
    [pair] = read_pairs(str(tmp_path))
    assert (pair.set, pair.paradigm, pair.good) == (f"{tmp_path.name}/en/x", "a", "they run")


def test_half_an_emoji_is_replaced_and_said(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(BLIMP | {"sentence_good": "we go \ud83d"}) + "\n")
    [file] = read_files(str(path))
    assert file.pairs[0].good == "we go \ufffd" and file.replaced == 1
    [line] = tell([file])
    assert "sentence_good" in line and "replaced: 1" in line


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before,after\nthey run,they runs\n")
    for named, expected in (("before,after", ("they run", "they runs")), ("after,before", ("they runs", "they run"))):
        [pair] = read_pairs(f"{path}#{named}")
        assert (pair.good, pair.bad) == expected
    assert len(read_pairs(f"{path}#1,2")) == 2  # by number: a table without headings, read whole
    for named, fault in (("before,x", "no column 'x'"), ("before", "name two")):
        with pytest.raises(InputError, match=fault):
            read_pairs(f"{path}#{named}")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.jsonl", json.dumps(BLIMP) + "\n{}\n", "line 2"),
        ("a.jsonl", "[1]\n", "line 1"),
        ("a.jsonl", json.dumps(BLIMP | {"sentence_bad": 3}), "line 1 has no sentence under 'sentence_bad'"),
        ("a.txt", "bad .\ngood .\nalone .\n", "line 3 stands alone"),
        ("a.txt", "bad .\n\ngood .\n", "line 2 is empty"),
        ("a.txt", "These are notes.\nNothing more was said.\n", "share too few words"),
        ("a.txt", "True\ta b\nTrue\ta c\n", "line 1 is not one half of a pair"),
        ("a.csv", "x,y,z\n1,2,3\n", "no two columns say which sentence is better"),
        ("a.csv", "The cat sleeps.,The cat sleep.\nA dog runs.,A dog run.\n", "no two columns say which"),
        ("a.csv", "good,bad1,bad2\na,b,c\n", "several columns may hold the pairs"),
        ("a.csv", "good,bad\nonly\n", "line 2 has 1 columns"),
        ("a.csv", "good,bad\n", "nothing below"),
        ("a.csv", 'good,bad\n"a,b\n', "line"),
        ("a.csv", "kind,good,bad\nlexis,a,b\n", "lexis"),
        ("a.csv", "item,Sentence,Plausibility\n1,a,Plausible\n", "line 2 is not one half of a pair"),
        ("a.csv", "item,Sentence,Plausibility\n1,a,maybe\n1,b,Plausible\n", "maybe"),
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


def test_suites_are_no_pairs(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text(json.dumps([BLIMP]))
    assert suite_paths(str(tmp_path)) == [tmp_path / "a.json"] and len(read_pairs(str(tmp_path))) == 1


def test_items_of_blimp_that_are_reported_broken_are_known(tmp_path):
    row = BLIMP | {
        "UID": "determiner_noun_agreement_with_adjective_1",
        "sentence_good": "He did that out in the open senator.",
    }
    broken, whole = read(tmp_path, "a.jsonl", json.dumps(row) + "\n" + json.dumps(BLIMP) + "\n")
    assert is_broken(broken) and not is_broken(whole)


def test_data_sets_of_the_hub_are_read_by_their_columns_and_refused_in_one_line(monkeypatch):
    import datasets

    rows = datasets.Dataset.from_list([BLIMP, BLIMP | {"field": "semantics"}])
    monkeypatch.setattr(datasets, "load_dataset", lambda name, configuration, split: rows)
    first, second = read_pairs("hf:someone/blimp:agreement")
    assert (first.set, first.paradigm, first.good, first.kind) == ("blimp", "agreement", "A man ran.", SYNTAX)
    assert second.kind == OTHER and second.source == "hf:someone/blimp:agreement:2"
    [swapped, _] = read_pairs("hf:someone/blimp#sentence_bad,sentence_good")
    assert swapped.good == "A man run."
    other = datasets.Dataset.from_list([{"text": "x"}])
    monkeypatch.setattr(datasets, "load_dataset", lambda name, configuration, split: other)
    for place, fault in (("hf:someone/text", "sentence_good"), ("hf:a:b:c:d", "of the form"), ("hf:", "of the form")):
        with pytest.raises(InputError, match=fault):
            read_pairs(place)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "files", "pairs", "first"),
    [
        ("zorro", 23, 46_000, "look at this purple thing ."),
        ("blimp-sample", 12, 12_000, "Susan revealed herself."),
        ("pairs-other/rublimp", 2, 2_000, "Для человека не такие дома строят."),
        ("pairs-other/sling", 2, 2_000, "七名女兽医返回过她们。"),
        ("plausibility/dtfit.csv", 1, 395, "The actor won the award."),
    ],
)
def test_published_sets_of_three_languages(shared_data, place, files, pairs, first):
    found = read_files(str(shared_data / place))
    assert (len(found), sum(len(file.pairs) for file in found)) == (files, pairs)
    assert found[0].pairs[0].good == first


def test_quotes_of_speech_and_keys_that_come_twice(tmp_path):
    speech = tmp_path / "a.tsv"
    speech.write_text('sentence_good\tsentence_bad\n"Go," he said.\t"Went," he said.\n')
    assert [(pair.good, pair.bad) for pair in read_files(str(speech))[0].pairs] == [
        ('"Go," he said.', '"Went," he said.')
    ]
    twice = tmp_path / "a.jsonl"
    twice.write_text('{"sentence_good": "a b", "sentence_good": "z", "sentence_bad": "a c"}\n')
    with pytest.raises(InputError, match=r"line 1 is not JSON .the key 'sentence_good' comes twice"):
        read_files(str(twice))
