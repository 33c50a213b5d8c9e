"""Probes, decoding and perturbed masking on real runs and real trees."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from twotower.knowledge.findings.decoding import DecodedTask
from twotower.knowledge.subject import Subject
from twotower.knowledge.syntax.decoding import decoding
from twotower.knowledge.syntax.perturbed_masking import perturbed_masking
from twotower.knowledge.syntax.probe import probe
from twotower.knowledge.syntax.treebank import choose_sentences
from twotower.runs.records import load_config
from twotower.system.errors import InputError


def subject_of(run, out, **settings) -> Subject:
    config = load_config(run)
    return Subject(replace(config, know=replace(config.know, **settings)), run, out)


@pytest.fixture(scope="session")
def treebank(shared_data) -> str:
    return str(shared_data / "ud-ewt" / "en_ewt-ud-dev.conllu")


def within(found) -> bool:
    return found.low <= found.estimate <= found.high


def test_sentences_are_split_by_document_and_counted(finished, treebank, tmp_path):
    subject = subject_of(finished, tmp_path, treebank=treebank)
    chosen = choose_sentences(subject, 200, "probe")
    counts = chosen.sentences_used
    assert counts["unit"] == "document" and counts["total"] == 2001 and counts["too_long"] > 500
    assert counts["train"] + counts["dev"] + counts["test"] == len(chosen.trees) <= 200
    parts = {name: {tree.document for tree, part in zip(chosen.trees, chosen.part, strict=True) if part == name}
             for name in range(3)}  # fmt: skip
    assert all(parts[one] and not parts[one] & parts[other] for one in parts for other in parts if one != other)
    words = chosen.words_used
    assert words["total"] == chosen.starts[-1] and words["of_several_pieces"] > words["in_multiword_tokens"] > 0
    again = choose_sentences(subject, 200, "probe")
    assert [tree.name for tree in again.trees] == [tree.name for tree in chosen.trees]


def test_probes_of_a_run(finished, treebank, tmp_path):
    subject = subject_of(finished, tmp_path, treebank=treebank, probe_sentences=120)
    figures = probe(subject).found
    assert [view.view for view in figures.views] == [
        f"{prefix}{name}" for prefix in ("", "untrained ")
        for name in ("tower 1, layer 0", "tower 1, layer 1", "tower 2, layer 0", "tower 2, layer 1",
                     "towers together", "embedding")
    ]  # fmt: skip
    for one in [*figures.views, figures.linear_order]:
        assert all(0 <= getattr(one, measure).estimate <= 1 for measure in ("uuas", "root"))
        assert all(within(getattr(one, measure)) for measure in ("uuas", "root", "dspr", "nspr"))
    table = pd.read_parquet(tmp_path / "probe.parquet")
    mine = table[table["view"] == "tower 1, layer 1"]
    assert figures.views[1].uuas.estimate == pytest.approx(mine["correct"].sum() / mine["edges"].sum())
    assert figures.chosen[0].uuas.layer in (0, 1)
    assert set(figures.chosen[0].uuas.null) == {"untrained", "embedding", "linear_order"}
    assert [one.layer for one in figures.differences] == [0, 1, "chosen"]


def test_decoding_of_a_run(finished, treebank, tmp_path):
    subject = subject_of(finished, tmp_path, treebank=treebank, decoding_sentences=150)
    decoded = decoding(subject)
    upos = decoded.tasks["upos"]
    views = {view.view: view for view in upos.views}
    assert views["embedding"].accuracy.estimate > upos.majority.accuracy.estimate + 0.1
    assert views["embedding"].compression.estimate > upos.majority.compression.estimate
    for task in decoded.tasks.values():
        if isinstance(task, DecodedTask):
            assert all(within(view.accuracy) for view in task.views) and task.words.test > 0
            assert set(task.chosen[0].null) == {"untrained", "embedding", "majority"}


def test_perturbed_masking_needs_a_masked_tower(finished, treebank, tmp_path):
    subject = subject_of(finished, tmp_path, treebank=treebank)
    assert "causal" in perturbed_masking(subject).left_out
    with pytest.raises(InputError, match="--treebank"):
        perturbed_masking(subject_of(finished, tmp_path))


def test_perturbed_masking_of_a_run(family_runs, treebank, tmp_path):
    subject = subject_of(family_runs("bert"), tmp_path, treebank=treebank, perturbed_sentences=60)
    figures = perturbed_masking(subject).found
    assert [view.view for view in figures.views] == ["tower 1", "tower 2", "joint"]
    base = figures.baselines
    assert base["right_branching"].uuas == base["left_branching"].uuas
    assert base["right_branching"].uas.estimate < base["left_branching"].uas.estimate  # English
    assert base["random"].uuas.estimate < base["right_branching"].uuas.estimate
    for view in figures.views:
        assert within(view.uuas) and view.uas.estimate <= view.uuas.estimate
        assert view.over_right_branching.uuas.estimate == pytest.approx(
            view.uuas.estimate - base["right_branching"].uuas.estimate
        )
    assert np.isfinite(figures.differences[0].uuas.estimate)


@pytest.mark.parametrize("instrument", [probe, decoding])
def test_unusable_treebanks_are_refused(finished, tmp_path, instrument):
    with pytest.raises(InputError, match="--treebank"):
        instrument(subject_of(finished, tmp_path))
    line = "{0}\t{1}\t_\tNOUN\t_\t_\t{2}\tdep\t_\t_\n"
    few, foreign = tmp_path / "few.conllu", tmp_path / "foreign.conllu"
    sentence = "".join(line.format(place, "word", place - 1) for place in (1, 2, 3)) + "\n"
    few.write_text(sentence * 10, encoding="utf-8")
    with pytest.raises(InputError, match=r"10 of the 10 sentences .* probes need 60"):
        instrument(subject_of(finished, tmp_path, treebank=str(few)))
    foreign.write_text(sentence.replace("word", "слово") * 80, encoding="utf-8")
    with pytest.raises(InputError, match=r"words of .* are \[UNK\]"):
        instrument(subject_of(finished, tmp_path, treebank=str(foreign)))
