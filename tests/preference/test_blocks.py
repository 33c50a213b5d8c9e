"""Very many documents are resampled in blocks of neighbours; few are resampled one by one, as they were."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planted import planted
from twotower.preference.clusters import by_cluster
from twotower.preference.types import types_table
from twotower.report.summary import sentences
from twotower.results.analysis import analyze_measured
from twotower.results.results import results_in
from twotower.scoring.score_table import ScoreColumns
from twotower.statistics import blocks
from twotower.statistics.blocks import blocks_of


def test_blocks_are_neighbours_and_of_one_size(monkeypatch):
    assert blocks_of(blocks.MOST).tolist() == list(range(blocks.MOST))
    monkeypatch.setattr(blocks, "MOST", 7)
    numbers = blocks_of(100)
    assert (np.diff(numbers) >= 0).all() and set(numbers.tolist()) == set(range(7))
    assert set(np.bincount(numbers).tolist()) <= {14, 15}
    assert blocks_of(0).tolist() == []


def test_intervals_from_blocks_are_as_wide_as_from_documents(monkeypatch):
    """Documents are independent here, so that blocks of six give the same standard errors, but for their own error."""
    truth = {"documents": 600, "tokens": 24_000, "types": 60}
    whole = types_table(planted(0, {"NOUN": 0.3}, **truth))
    monkeypatch.setattr(blocks, "MOST", 100)
    measured = planted(0, {"NOUN": 0.3}, **truth)
    parts = types_table(measured)
    assert measured.blocks == 100 and measured.tally(measured.difference(measured.contrasts[0])).documents == 100
    for name in ("count", "documents", "joint", "mean", "under_second"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)
    frequent = whole["count"] >= 100
    ratio = (parts["standard_error"] / whole["standard_error"])[frequent]
    assert len(ratio) > 20 and abs(ratio.mean() - 1) < 0.05 and ratio.std() < 0.15


def test_every_statistic_is_found_in_blocks_too(monkeypatch):
    measured = planted(1, {"NOUN": 0.4}, documents=200)
    whole = analyze_measured(measured)[1]
    monkeypatch.setattr(blocks, "MOST", 40)
    parts = analyze_measured(replace(measured))[1]
    assert parts["reliability"].estimate == pytest.approx(whole["reliability"].estimate, abs=0.05)
    assert parts["preference"].sd == pytest.approx(whole["preference"].sd, abs=0.05)
    explained = parts["word_classes"].upos.explained
    assert explained.low < whole["word_classes"].upos.explained.estimate < explained.high
    assert parts["within_types"] == whole["within_types"], "a regression keeps documents: it costs no more for many"


def test_topics_and_halves_of_the_text_cut_through_blocks(monkeypatch):
    """A block that holds documents of both sides counts for each with those of its documents that belong there."""
    measured = planted(2, {"NOUN": 0.5}, documents=90)
    names = [f"{'even' if number % 2 else 'odd'}.txt#{number}" for number in range(90)]

    def found():
        again = replace(measured)
        again.__dict__["document_names"] = names  # without a prepared text they are numbers
        return by_cluster(again)

    whole = found()
    monkeypatch.setattr(blocks, "MOST", 30)
    parts = found()
    for name in ("order", "source", "topic"):
        part = getattr(parts, name)
        assert part.estimate == pytest.approx(getattr(whole, name).estimate, abs=1e-12), name
        assert part.low < part.estimate < part.high
    assert parts.source.clusters == 2


def test_results_and_report_say_that_blocks_were_resampled(finished):
    results = results_in(finished / "results.json", finished)
    assert results.corpus.heldout_blocks is None and "blocks" not in " ".join(sentences(results))
    results = replace(results, corpus=replace(results.corpus, heldout_documents=50_000, heldout_blocks=2_000))
    assert "The 50,000 held-out documents are resampled in 2,000 blocks" in " ".join(sentences(results))


@pytest.mark.parametrize("part", [slice(0, 3), slice(2, 3), slice(3, 8), slice(0, 10), slice(4, 4), slice(9, 10)])
def test_a_part_of_the_scores_is_a_slice_of_them(tmp_path, part):
    """Row groups of three, which parts cut, join and leave out."""
    table = pd.DataFrame({"a": np.arange(10), "b": np.arange(10) / 2})
    table.to_parquet(tmp_path / "scores.parquet", row_group_size=3)
    whole = ScoreColumns(tmp_path / "scores.parquet")
    share = whole.part(part)
    assert len(share) == part.stop - part.start
    for name in table:
        np.testing.assert_array_equal(share[name], table[name][part])
        np.testing.assert_array_equal(whole[name], table[name])
