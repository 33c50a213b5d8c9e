"""A run with a tokenizer of each kind goes through all stages, in a language with a treebank and its gold words."""

from dataclasses import replace

import numpy as np
import pytest

import twotower
from small_tokenizers import byte_level, unigram
from twotower.data.heldout import PreparedText


@pytest.fixture(scope="module")
def treebank(shared_data):
    return shared_data / "ud-other" / "de_gsd-ud-dev.conllu"


@pytest.fixture(scope="module")
def tokenizers(treebank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    lines = treebank.read_text(encoding="utf-8").splitlines()
    texts = [line.removeprefix("# text = ") for line in lines if line.startswith("# text = ")]
    byte_level(texts, 2000).save(str(folder / "bytes.json"))
    unigram(texts, 2000).save(str(folder / "unigram.json"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gpt", "bert"])
@pytest.mark.parametrize("kind", ["bytes", "unigram"])
def test_a_whole_run(with_settings, treebank, tokenizers, tmp_path, kind, family):
    config = with_settings(
        prepare={"corpus": (str(treebank),), "tokenizer": str(tokenizers / f"{kind}.json"), "section_words": 200}
    )
    config = replace(config, model=replace(config.model, family=family))
    run = twotower.run(config, tmp_path / "run")
    assert (run.path / "report.html").stat().st_size > 10_000
    text, scores = PreparedText(run.path), run.scores()
    assert len(text.begins) == len(text.train) and text.begins.mean() > 0.4
    words = scores["word"].astype(str).to_numpy()
    assert (words == "").mean() < 0.05, "pieces without a word"  # line breaks between sentences, of 14 words each
    whole = scores[scores["whole_word"]]
    assert len(whole) > 0.2 * len(scores) and whole["begins"].mean() > 0.99  # a treebank's words may part `!)`
    spelled = whole["piece"].astype(str).str.removeprefix("##")
    assert (spelled == whole["word"].astype(str)).mean() > 0.95
    assert np.isfinite(scores["joint"]).all()
