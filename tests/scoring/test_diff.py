"""Whole comparisons of small models, on real text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import twotower
from launching import torchrun
from small_language_models import QUICK, compared
from twotower import pipeline
from twotower.cli import main
from twotower.config.schema import DiffConfig, PrepareConfig, RunConfig
from twotower.results.diff_results import read_scored
from twotower.runs.stages import DIFF
from twotower.scoring.batches import Batches
from twotower.system.errors import InputError
from twotower.system.processes import Processes

GROUPED = ("token", "class", "token before", "class before", "place")


def results_of(run: twotower.Diff | Path) -> dict:
    """`results.json`, as scripts read it."""
    folder = run if isinstance(run, Path) else run.path
    return json.loads((folder / "results.json").read_text())


@pytest.fixture
def tagged(tagged_diff: Path) -> Path:
    return tagged_diff


@pytest.mark.promise("any two language models are compared: twotower diff")
def test_results_have_what_scripts_read(tagged: Path):
    results = results_of(tagged)
    assert results["unit"] == "token"
    assert [scorer["kind"] for scorer in results["scorers"]] == ["causal", "causal"]
    assert all(0 < scorer["bits_per_character"] < 8 for scorer in results["scorers"])
    assert results["difference"][0]["low"] > 0, "the model that was trained longer predicts better"
    division = results["division"]
    assert division["size"]["low"] > 0
    assert {row["label"] for row in division["labels"]} >= {"type", "class", "previous type", "surprisal"}
    assert division["surplus"] == division["mixing"]
    assert division["control"]["size"]["estimate"] > 0
    assert {"differ", "gain", "verdict"} <= division.keys()
    divergence = results["divergence"][0]
    assert divergence["means"]["kl"]["estimate"] > divergence["means"]["jensen_shannon"]["estimate"] > 0
    assert 0 < divergence["means"]["agreement"]["estimate"] < 1
    groups = {by: {row["name"] for row in divergence["groups"] if row["by"] == by} for by in GROUPED}
    assert groups["class"] >= {"NOUN", "DET"} and groups["class before"] >= {"NOUN", "DET"}
    assert groups["place"] >= {"0–15", "16–63", "64–255"}
    assert all(0 < len(groups[by]) <= 30 for by in ("token", "token before"))


def test_divergence_by_context_is_that_of_the_tokens_in_it(tagged: Path):
    scores, divergence = twotower.Diff(tagged).scores(), results_of(tagged)["divergence"][0]
    row = next(row for row in divergence["groups"] if row["by"] == "token before")
    before = scores.groupby("document")["piece"].shift()
    there = scores[(before == row["name"]) & scores["kl_2"].notna()]
    assert row["means"]["tokens"] == len(there) >= 50
    for name in ("kl", "jensen_shannon", "agreement"):
        assert row["means"][name]["estimate"] == pytest.approx(there[f"{name}_2"].astype(float).mean(), rel=1e-5)
    largest = scores.assign(before=before).dropna(subset="kl_2").groupby("before", observed=True)["jensen_shannon_2"]
    assert largest.mean()[largest.size() >= 50].idxmax() == row["name"]


def test_what_belongs_to_readouts_is_absent(tagged: Path):
    text = (tagged / "results.json").read_text()
    for word in ("readout", "strangers", "converged", '"null"'):
        assert word not in text.replace('"null": {', ""), word
    assert not {name for name in twotower.Diff(tagged).scores() if name.startswith(("readout", "joint", "near"))}


def test_the_columns_of_scores_are_what_the_results_say(tagged: Path):
    run = twotower.Diff(tagged)
    scores, results = run.scores(), results_of(run)
    size = (scores["model_1"].astype(float) - scores["model_2"]).var(ddof=0)
    assert results["division"]["size"]["estimate"] == pytest.approx(size**0.5, rel=1e-3)
    bits = -scores["model_1"].astype(float).sum() / np.log(2) / results["characters"]
    assert results["scorers"][0]["bits_per_character"] == pytest.approx(bits, rel=1e-5)
    together = np.logaddexp(scores["model_1"].astype(float), scores["model_2"]) - np.log(2)
    assert scores["model_together"].to_numpy() == pytest.approx(together.to_numpy(), abs=1e-4)


@pytest.mark.promise("any two language models are compared: twotower diff")
def test_a_comparison_is_a_run_like_any_other(tagged: Path, capsys):
    assert main(["verify", str(tagged)]) == 0
    assert main(["show", str(tagged)]) == 0
    assert "model-gpt-a predicts this text better than model-gpt-short" in capsys.readouterr().out
    assert main(["list", str(tagged), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["state"] == "finished"
    assert main(["diff", "--out", str(tagged)]) == 0
    assert capsys.readouterr().err.count("done before, skipped") == 4


@pytest.mark.promise("any two language models are compared: twotower diff")
def test_the_page_names_the_models_and_has_no_towers(tagged: Path):
    page = (tagged / "report.html").read_text()
    main_part = page[page.index("<main>") : page.index('id="glossary"')]
    assert "gpt-short" in main_part
    assert "tower 1" not in main_part and "readouts" not in main_part
    assert {path.stem for path in (tagged / "figures").iterdir()} >= {"labels", "profile", "types"}


def test_a_model_beside_itself_differs_in_nothing(corpus: Path, language_model, tmp_path: Path):
    run = compared(language_model("gpt-a"), language_model("gpt-a"), corpus=corpus, out=tmp_path / "run")
    results = results_of(run)
    assert results["division"]["size"] == {"estimate": 0, "low": 0, "high": 0}
    assert results["difference"][0]["estimate"] == 0
    assert results["division"]["mixing"]["estimate"] == pytest.approx(0, abs=1e-6)
    assert not results["division"]["contexts"] and results["division"]["router"] is None
    assert all(row["verdict"] in ("no", "not measurable") for row in results["division"]["labels"])
    assert "alike" in run.summary()
    assert "No control was given" in results["division"]["why"]
    assert not {"surplus", "verdict", "gain", "differ"} & results["division"].keys()


def test_models_of_other_tokenizers_are_compared_by_word(corpus: Path, language_model, tmp_path: Path):
    run = compared(language_model("gpt-a"), language_model("llama"), corpus=corpus, out=tmp_path / "run")
    results, scores = results_of(run), run.scores()
    assert results["unit"] == "word" and "divergence" not in results
    assert all(scorer["corrected"] for scorer in results["scorers"])
    assert results["alignment"]["words_not_aligned"] < 0.1 * results["alignment"]["words"]
    lines = scores[["document", "start", "end"]]
    assert (lines["start"] < lines["end"]).all() and len(scores) == results["alignment"]["rows"]
    assert (scores["whole_word"].to_numpy()).mean() > 0.9


def test_more_than_two_models_are_compared_with_their_mean(corpus: Path, language_model, tmp_path: Path):
    models = [language_model(name) for name in ("gpt-a", "gpt-b", "gpt-short")]
    run = compared(*models, corpus=corpus, out=tmp_path / "run", **{"diff.divergence": 0})
    results = results_of(run)
    assert [row["model"] for row in results["difference"]] == ["model-gpt-a", "model-gpt-b", "model-gpt-short"]
    assert sum(row["estimate"] for row in results["difference"]) == pytest.approx(0, abs=1e-6)
    assert "predicts this text best" in run.summary()


def tokens_of(run: twotower.Diff, column: str, texts: list[str]) -> pd.DataFrame:
    """Scores as another tool would write them: each token with the white space before it."""
    scores = run.scores()
    rows = []
    for number, (_, own) in enumerate(scores.groupby("document", sort=False)):
        ends, text = own["end"].tolist(), texts[number]
        begins = [0, *ends[:-1]]
        ends[-1] = len(text)
        rows += [
            {"document": number, "token": text[a:b], "log_prob": value}
            for a, b, value in zip(begins, ends, own[column], strict=True)
        ]
    return pd.DataFrame(rows)


def test_scores_of_another_tool_say_the_same_as_the_models_they_are_of(tagged: Path, tmp_path: Path):
    run = twotower.Diff(tagged)
    texts = pd.read_parquet(tagged / "data" / "documents.parquet")["text"].tolist()
    for name in ("model_1", "model_2"):
        tokens_of(run, name, texts).to_parquet(tmp_path / f"{name}.parquet")
    files = [f"scores:{tmp_path}/{name}.parquet" for name in ("model_1", "model_2")]
    results = results_of(twotower.diff(*files, out=tmp_path / "run", settings=QUICK, quiet=True))
    expected = results_of(run)
    assert results["unit"] == "token"
    assert results["division"]["size"]["estimate"] == pytest.approx(expected["division"]["size"]["estimate"], rel=1e-3)
    other = pd.read_parquet(tmp_path / "model_2.parquet")
    other.loc[3, "token"] = "elsewhere"
    other.to_parquet(tmp_path / "model_2.parquet")
    with pytest.raises(InputError, match="of another text"):
        twotower.diff(*files, out=tmp_path / "other", settings=QUICK, quiet=True)
    assert not (tmp_path / "other" / "scores.parquet").exists()


def test_heads_of_towers_are_models(finished: Path, tmp_path: Path, corpus: Path):
    run = compared(f"{finished}:joint", f"{finished}:readout_1", corpus=corpus, out=tmp_path / "run",
                   **{"diff.window": 0})  # fmt: skip
    results = results_of(run)
    assert [scorer["kind"] for scorer in results["scorers"]] == ["causal", "causal"]
    assert results["unit"] == "token" and results["division"]["size"]["estimate"] > 0


def test_moved_logits_are_found_as_they_were_moved(language_model, tagged: Path, tmp_path: Path):
    """Planted: the logits of a few words are raised, and every log-probability changes by what follows from that."""
    from twotower.scoring.loading import load_model, read_model_files
    from twotower.scoring.log_probs import logits_at, rows_of
    from twotower.scoring.named_models import parse_model
    from twotower.scoring.scorers import Scorer

    table = pd.read_parquet(tagged / "data" / "documents.parquet")
    texts = table["text"].tolist()
    named = parse_model(str(language_model("gpt-a")))
    scorer = Scorer(named, "a", texts, table["name"].tolist())
    scores, _ = scorer.score(DiffConfig(window=32, device="cpu"), None, False, lambda _: None)
    types = twotower.Diff(tagged).preference()
    moved = types[types["upos"] == "DET"]["piece_id"].to_numpy()
    assert len(moved) >= 2
    model, delta = load_model(read_model_files(named), "float32", "cpu"), 1.5
    rows, share = rows_of(read_model_files(named), scorer.encoded, 32, 16), np.zeros(len(scorer.encoded))
    for start in range(0, len(rows.lengths), 64):
        batch = rows.read(np.arange(start, min(start + 64, len(rows.lengths))))
        share[batch.tokens] = logits_at(model, batch).softmax(-1)[:, moved].sum(-1).numpy()
    inside = np.isin(scorer.encoded.ids, moved)
    change = delta * inside - np.log1p(share * np.expm1(delta))  # log of exp(delta) p over 1 + P(S) (exp(delta) - 1)
    run = twotower.Diff(tagged)
    ours = tokens_of(run, "model_1", texts)
    assert ours["log_prob"].to_numpy() == pytest.approx(scores.log_probs, abs=1e-4)
    ours.assign(log_prob=np.minimum(0, ours["log_prob"] + change)).to_parquet(tmp_path / "moved.parquet")
    ours.to_parquet(tmp_path / "ours.parquet")
    diff = twotower.diff(
        f"scores:{tmp_path}/moved.parquet", f"scores:{tmp_path}/ours.parquet", out=tmp_path / "run",
        settings=QUICK | {"prepare.tagger": "auto"}, quiet=True,
    )  # fmt: skip
    results = results_of(diff)
    assert results["difference"][0]["estimate"] == pytest.approx(change.mean(), abs=1e-3)
    assert results["division"]["size"]["estimate"] == pytest.approx(change.std(), rel=1e-2)
    shares = {row["label"]: row for row in results["division"]["labels"] if not row["given"]}
    assert shares["class"]["share"]["estimate"] > 0.3, "a handful of words carries it: no null can exclude so few"
    assert shares["type"]["share"]["estimate"] > 0.8
    largest = diff.preference().nlargest(1, "mean").iloc[0]
    assert largest["mean"] == pytest.approx(change[inside].mean(), abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("models", [("gpt-a", "gpt-b"), ("gpt-a", "llama")])
def test_two_processes_write_the_same_bytes_as_one(corpus: Path, language_model, tmp_path: Path, models: list[str]):
    """Tokens with whole distributions, and words, whose correction needs the probability that a word begins."""
    given = DiffConfig(tuple(str(language_model(name)) for name in models), window=32, device="cpu", divergence=2000)
    prepare = PrepareConfig(corpus=(str(corpus),), tagger="none", heldout_words=100)
    config = RunConfig(preset="diff", threads=1, prepare=prepare, diff=given)
    one, two = tmp_path / "one", tmp_path / "two"
    pipeline.run(config, one, ("prepare", "score"))
    pipeline.run(config, two, ("prepare",))
    done = torchrun(2, "-m", "twotower.cli", "score", "--out", two)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in DIFF["score"].outputs:
        assert (two / name).read_bytes() == (one / name).read_bytes(), name
    assert not (two / "parts").exists()


def test_batches_are_halved_where_memory_runs_out_and_no_row_is_lost_or_done_twice():
    lengths, said, done = np.array([8, 8, 8, 8, 4, 4, 2]), list[str](), list[int]()

    def work(rows: np.ndarray) -> None:
        if lengths[rows].sum() > 16:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        done.extend(rows.tolist())

    batches = Batches(32, said.append)
    share = batches.share(lengths)
    assert [len(batch) for batch in share] == [4, 3]
    yielded = [row for rows in batches.each(share, lengths, work) for row in rows.tolist()]
    assert sorted(done) == sorted(yielded) == list(range(7))
    assert batches.tokens == 16 and said == ["score: memory ran out; going on with batches of 16 tokens"]
    with pytest.raises(torch.OutOfMemoryError):
        list(Batches(4).each([np.array([0])], [40], lambda rows: work(np.array([0, 1, 2]))))


def test_processes_take_turns_at_the_batches_of_a_single_one():
    lengths = np.arange(1, 40)
    whole = Batches(50).share(lengths)
    parts = [Batches(50).share(lengths, Processes(rank, 3)) for rank in range(3)]
    assert [rows.tolist() for rows in whole] == [parts[k % 3][k // 3].tolist() for k in range(len(whole))]


def test_half_precision_changes_little_and_is_told(corpus: Path, language_model, tmp_path: Path):
    digests = {}
    for dtype in ("float32", "bfloat16"):
        given = DiffConfig((str(language_model("gpt-a")),) * 2, window=32, device="cpu", divergence=0, dtype=dtype)
        prepare = PrepareConfig(corpus=(str(corpus),), tagger="none", heldout_words=100)
        config = RunConfig(preset="diff", threads=1, prepare=prepare, diff=given)
        run = pipeline.run(config, tmp_path / dtype, ("prepare", "score"))
        digests[dtype] = pd.read_parquet(run.path / "scores.parquet")["model_1"]
        assert read_scored(run.path).scorers[0].dtype == dtype
    change = (digests["float32"] - digests["bfloat16"]).abs()
    assert 0 < change.mean() < 0.05


BAD = {
    "missing": (["{gpt}", "./nothing"], "does not exist"),
    "a file": (["{gpt}", "{gpt}/config.json"], "is a file"),
    "one model": (["{gpt}"], "two models or more"),
    "a run": (["{gpt}", "{run}"], "name one of its heads"),
    "no such head": (["{run}:joint", "{run}:nothing", "--window", "8"], "there is no 'nothing'"),
    "a tokenizer alone": (["{gpt}", "{tokenizer}"], "tokenizer without its model"),
    "no language model": (["{gpt}", "{vision}"], "not a language model of text"),
    "encoder-decoder": (["{gpt}", "{t5}"], "encoder-decoder"),
    "no head": (["{gpt}", "{headless}"], "lacks weights"),
    "tokens of two tokenizers": (["{gpt}", "{llama}", "--unit", "token"], "into other tokens"),
    "a long window": (["{gpt}", "{gpt}", "--window", "4096"], "is more than"),
    "no such file": (["scores:nothing.parquet", "scores:other.parquet"], "no such file"),
    "settings of towers": (["{gpt}", "{gpt}", "--model.width", "8"], "belongs to towers"),
    "a device": (["{gpt}", "{gpt}", "--device", "abacus"], "diff.device"),
    "a device without values": (["{gpt}", "{gpt}", "--device", "meta"], "diff.device: meta is not possible here"),
    "a dtype": (["{gpt}", "{gpt}", "--dtype", "int4"], "--dtype"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case: str, corpus: Path, language_model, finished: Path, tmp_path: Path, capsys):
    words, said = BAD[case]
    places = {"gpt": language_model("gpt-a"), "llama": language_model("llama"), "run": finished}
    for name in ("tokenizer", "vision", "t5", "headless"):
        places[name] = tmp_path / name
        places[name].mkdir()
        (places[name] / "tokenizer.json").write_bytes((places["gpt"] / "tokenizer.json").read_bytes())
    for name, kind in (("vision", "vit"), ("t5", "t5")):
        (places[name] / "config.json").write_text(json.dumps({"model_type": kind}))
    if "{headless}" in words:
        from safetensors.numpy import save_file
        from transformers import AutoModelForCausalLM

        config = json.loads((places["gpt"] / "config.json").read_text()) | {"tie_word_embeddings": False}
        (places["headless"] / "config.json").write_text(json.dumps(config))
        whole = AutoModelForCausalLM.from_pretrained(places["gpt"]).transformer.state_dict()
        save_file({name: tensor.numpy() for name, tensor in whole.items()}, places["headless"] / "model.safetensors")
    arguments = [word.format(**places) for word in words]
    out = tmp_path / "out" / "run"
    text = [] if words[0].startswith("scores:") else ["--corpus", str(corpus), "--prepare.tagger", "none"]
    short = [] if "--window" in words else ["--window", "32"]
    assert main(["diff", *arguments, *text, *short, "--out", str(out), "--quiet"]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in error, error
    assert not (out / "scores.parquet").exists()


def test_a_corpus_shorter_than_a_window_is_refused(language_model, tmp_path: Path, capsys):
    (tmp_path / "short.txt").write_text("Fellow citizens of the Senate.")
    gpt, out = str(language_model("gpt-a")), tmp_path / "run"
    assert main(["diff", gpt, gpt, "--corpus", str(tmp_path / "short.txt"), "--out", str(out), "--quiet"]) == 2
    assert "fewer than one of its windows" in capsys.readouterr().err


def test_a_comparison_does_not_overwrite_towers(finished: Path, language_model, corpus: Path, capsys):
    gpt = str(language_model("gpt-a"))
    before = (finished / "stages.json").read_bytes()
    assert main(["diff", gpt, gpt, "--corpus", str(corpus), "--out", str(finished), "--overwrite"]) == 2
    assert "belongs to towers" in capsys.readouterr().err and (finished / "stages.json").read_bytes() == before


def test_settings_that_change_nothing_redo_nothing(tagged: Path):
    run = twotower.Diff(tagged)
    from twotower.runs.records import up_to_date

    config = run.config
    assert up_to_date(tagged, replace(config, diff=replace(config.diff, batch=64, device="auto")), "score")
    assert not up_to_date(tagged, replace(config, diff=replace(config.diff, window=16)), "score")
