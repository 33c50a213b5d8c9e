"""The explorer of a comparison of models: its names, its figures, and nothing of towers and readouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("starlette", reason="needs twotower[explore]")
from starlette.testclient import TestClient

from browsers import chromium
from explorer_runs import TOKEN, served
from twotower.explorer.concordance import concordance
from twotower.explorer.explored import ExploredRun
from twotower.explorer.export import export
from twotower.explorer.live_models import LiveModels
from twotower.explorer.plain import to_json
from twotower.explorer.server import explorer
from twotower.system.errors import InputError

HOST = "127.0.0.1:4567"


@pytest.fixture(scope="module")
def explored(tagged_diff: Path) -> ExploredRun:
    return ExploredRun(tagged_diff)


def test_what_is_shown_is_what_the_comparison_measured(explored: ExploredRun):
    scores, summary = explored.run.scores(), explored.summary()
    difference = scores["model_1"].astype(float) - scores["model_2"]
    assert summary["sides"] == ["model-gpt-a", "model-gpt-short"] and summary["heads"] == ["model_1", "model_2"]
    assert summary["contrasts"][0]["name"] == "model-gpt-a minus model-gpt-short"
    assert summary["mean"][""] == pytest.approx(difference.mean(), abs=1e-4)
    documents = explored.documents()
    assert documents["preference"] == pytest.approx(difference.groupby(scores["document"]).mean().tolist(), abs=1e-3)
    every = np.ones(len(explored.bounds) - 1, dtype=bool)
    answer = concordance(explored, "the", False, every)
    assert answer["total"] > 10 and set(answer["measures"]) == {"preference", "model_1", "model_2"}
    some = every & (np.arange(len(every)) < 5)
    assert len(explored.types_in(some)["piece"]) < len(explored.types_table()["piece"])
    text = to_json([summary, explored.types_table(), explored.passage(0, 0, 20)])
    text = text.replace('"towers":', "").replace('"tower":', "")
    assert "readout" not in text and "tower" not in text


def test_a_sentence_has_the_log_probabilities_of_each_model(explored: ExploredRun):
    """Of a document that fits into a window, those that the stage `score` gave its beginning."""
    scores, table = explored.run.scores(), pd.read_parquet(explored.run.path / "data" / "documents.parquet")
    own = scores[scores["document"] == scores["document"].iloc[0]].head(20)
    typed = table["text"].iloc[0][: int(own["end"].iloc[-1])]
    answer = LiveModels(explored).read(typed, None)
    assert answer["piece_id"] == own["piece_id"].tolist()
    for head in ("model_1", "model_2"):
        assert answer["log_probs"][head] == pytest.approx(own[head].tolist(), abs=1e-3)
        assert all(len(best) == 8 for best in answer["top"][head])
    assert answer["preference"][""] == pytest.approx((own["model_1"] - own["model_2"]).tolist(), abs=1e-3)
    with pytest.raises(InputError, match="reads at most 32"):
        LiveModels(explored).read("a word " * 80, None)
    with pytest.raises(InputError, match="type a sentence"):
        LiveModels(explored).read("  ", None)


def test_the_server_has_no_data_of_towers(explored: ExploredRun):
    page = TestClient(explorer([explored], TOKEN, frozenset({HOST})), base_url=f"http://{HOST}")
    assert page.get(f"/{TOKEN}/api/types?run=0").status_code == 200
    assert page.get(f"/{TOKEN}/api/emerged?run=0").status_code == 400
    answer = page.post(f"/{TOKEN}/api/sentence", json={"text": "the people of the States"})
    assert answer.status_code == 200 and set(answer.json()["log_probs"]) == {"model_1", "model_2"}


def test_pages_name_the_models_and_hide_what_only_towers_have(tagged_diff: Path, tmp_path: Path):
    export([ExploredRun(tagged_diff)], tmp_path / "page", 10**6)
    assert not list((tmp_path / "page" / "data").glob("emerged*"))
    with chromium() as browser, served(tagged_diff) as address:
        page = browser.new_page()
        wrong = list[str]()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for view in ("words", "concordance?query=the", "text", "sentence", "compare"):
            page.goto(f"{address}#{view}")
            page.wait_for_selector(f"#view[data-shown={view.partition('?')[0]}]", timeout=60_000)
            body = page.inner_text("body")
            assert "model-gpt-short" in body
            assert "tower" not in body.replace("twotower", "") and "readout" not in body
        tabs = page.inner_text("#tabs")
        assert "Training" not in tabs and "Instruments" not in tabs
        assert not wrong
