"""Sentences of a reader's own, words, documents and what else a run tells from Python."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import twotower
from twotower.preference.measured import SETS

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def run(finished):
    return twotower.Run.load(finished)


def test_a_sentence_is_scored_as_transformers_scores_it(run):
    import torch

    text = "The United States are at peace."
    scored = run.score([text, "Peace."])
    assert scored["text"].unique().tolist() == [0, 1]
    np.testing.assert_allclose(scored["preference"], scored["readout_1"] - scored["readout_2"], atol=1e-5)
    first = scored[scored["text"] == 0]
    tokenizer = run.tokenizer()
    ids = [tokenizer.sep_token_id, *first["piece_id"]]
    assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) == ids[1:]
    with torch.no_grad():
        logits = run.model(head="joint")(torch.tensor([ids])).logits[0, :-1]
    known = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)
    np.testing.assert_allclose(first["joint"], known, atol=1e-4)
    with pytest.raises(twotower.InputError, match=r"text 1 has .* pieces, and the towers read at most"):
        run.score(["short", "long " * 200])


def test_a_tower_alone_is_the_mean_over_sets_of_readouts(run):
    import torch

    scored = run.score("the state of the union")
    ids = torch.tensor([[run.tokenizer().sep_token_id, *scored["piece_id"]]])
    each = []
    for name in SETS[: run.config.readout.replicates]:
        with torch.no_grad():
            logits = run.model(head=f"{name}_2")(ids).logits[0, :-1]
        each.append(torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None]).squeeze(1))
    np.testing.assert_allclose(scored["readout_2"], torch.stack(each).mean(dim=0), atol=1e-4)


@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_the_likeliest_next_pieces_are_sorted_and_probable(run, family, family_runs):
    run_of_family = run if family == "gpt" else twotower.Run(family_runs(family))
    predictions = run_of_family.predict("the united", top=4)
    assert predictions.groupby("head")["rank"].apply(list).tolist() == [[1, 2, 3, 4]] * 3
    assert set(predictions["head"]) == {"joint", "readout_1", "readout_2"}
    for _, rows in predictions.groupby("head"):
        assert rows["log_prob"].is_monotonic_decreasing and np.exp(rows["log_prob"]).sum() <= 1
    with pytest.raises(twotower.InputError, match="top is 0"):
        run_of_family.predict("the", top=0)


def test_the_next_piece_of_a_beginning_is_scored_as_it_is_predicted(run):
    best = run.predict("the united", top=1).set_index("head").loc["joint"]
    if not best["piece"].startswith("##"):
        scored = run.score(f"the united {best['piece']}")
        assert scored["joint"].iloc[-1] == pytest.approx(best["log_prob"], abs=1e-4)


def test_words_and_documents_add_up_to_the_scores(run):
    scores, words, documents = run.scores(), run.words(), run.documents()
    sets = SETS[: run.config.readout.replicates]
    whole = scores[scores["whole_word"]]
    assert words["count"].sum() == len(whole) and words["word"].is_unique
    difference = pd.DataFrame({name: whole[f"{name}_1"] - whole[f"{name}_2"] for name in sets}).astype(float)
    expected = difference.mean(axis=1).groupby(whole["piece"].astype(str)).mean()
    np.testing.assert_allclose(words.set_index("word")["mean"], expected.loc[words["word"]], atol=1e-5)
    np.testing.assert_allclose(words["readout_1"] - words["readout_2"], words["mean"], atol=1e-5)
    assert documents["tokens"].sum() == len(scores) and documents["name"].str.endswith(".txt").all()
    weighted = (documents["preference"] * documents["tokens"]).sum() / len(scores)
    every = pd.DataFrame({name: scores[f"{name}_1"] - scores[f"{name}_2"] for name in sets}).astype(float)
    assert weighted == pytest.approx(every.mean(axis=1).mean(), abs=1e-5)


def test_every_figure_draws_on_axes_of_ones_own(run):
    for name in ("labels", "preference", "profile", "towers", "context", "shares", "training"):
        figure = Figure()
        axes = figure.subplots()
        assert getattr(run.plot, name)(ax=axes) is axes
        assert axes.has_data() and len(figure.axes) == 1, name


def test_runs_are_listed_and_verified(run, finished):
    listed = twotower.list(finished)
    assert listed["run"].tolist() == [str(finished)] and listed["state"].tolist() == ["finished"]
    assert listed["surplus"].iloc[0] == run.results().division.surplus.estimate
    assert twotower.list(finished / "figures").empty
    assert twotower.verify(run).faults == () and twotower.verify(finished).whole > 10
    assert run.strangers is None


def test_a_single_argument_too_many_by_position_is_refused(small, finished):
    with pytest.raises(TypeError):
        twotower.run(small, finished, ("prepare",))
    with pytest.raises(twotower.InputError, match="is not an instrument"):
        twotower.Run(finished).know("nonsense")
