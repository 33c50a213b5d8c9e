"""Text that nobody would call a corpus goes through all stages, and is shown as text."""

import json
import random

import pandas as pd
import pytest
import yaml

import twotower

ODD = [
    "<script>alert('x')</script> & </style><b>bold</b><img src=x onerror=alert(1)> =1+1 \u2028 [MASK] [SEP] end.\n",
    "😀 😃 emoji, and שלום עולם، مرحبا بالعالم right to left.\n",
    "!!! ??? ... --- ;;; ,,, (((\n",
    "the word " + "w" * 10_000 + " is long.\n",
]


@pytest.fixture(scope="module")
def odd(small, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / 'a<b>&"c"'
    folder.mkdir()
    for number, path in enumerate(sorted(corpus.glob("*.txt"))):
        text = path.read_text(encoding="utf-8")[:1500]
        (folder / f"{number}<i>.txt").write_text((ODD[number % len(ODD)] * 5) + text + ODD[0], encoding="utf-8")
    return folder


def test_odd_text_is_measured_and_escaped(with_settings, odd, tmp_path):
    config = with_settings(prepare={"corpus": (str(odd),), "vocabulary": 800})
    run = twotower.run(config, tmp_path / "run")
    page = (run.path / "report.html").read_text(encoding="utf-8")
    markup = ("<script>alert", "<b>bold", "<img src=x", 'a<b>&"c"', "<i>.txt")
    assert not [piece for piece in markup if piece in page]
    assert yaml.safe_load((run.path / "config.yaml").read_text())["prepare"]["corpus"] == [str(odd)]
    assert json.loads((run.path / "results.json").read_text())["preference"]["types"] > 0
    words = run.scores()["word"].astype(str)
    assert words.str.contains("שלום").any() and (words.str.len() <= 200).all()


@pytest.mark.slow
def test_a_line_of_many_megabytes_is_cut_into_sections(with_settings, corpus, tmp_path):
    """All of the text on one line, twenty times over."""
    texts = [" ".join(path.read_text(encoding="utf-8").split()) for path in sorted(corpus.glob("*.txt"))]
    (tmp_path / "line.txt").write_text(" ".join(texts) * 20, encoding="utf-8")
    config = with_settings(prepare={"corpus": (str(tmp_path / "line.txt"),), "section_words": 20_000})
    run = twotower.run(config, tmp_path / "run", stages=("prepare",))
    documents = pd.read_parquet(run.path / "data" / "documents.parquet")
    assert len(documents) > 20 and documents.heldout.sum() >= 4
    assert documents.characters.sum() == len((tmp_path / "line.txt").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_corpus_of_punctuation_alone_has_no_classes_and_says_so(with_settings, tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.txt").write_text(" ".join(random.Random(number).choices("!?.,;", k=300)))
    config = with_settings(prepare={"corpus": (str(folder),), "vocabulary": 64})
    results = twotower.run(config, tmp_path / "run").results()
    assert results.word_classes.upos is None
