"""`twotower export`: a folder that the hub takes as a model and a paper as a supplement, without the corpus."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import yaml

import twotower
from small_hub import small_hub
from twotower import cli
from twotower.preference.contexts import ContextOfType
from twotower.report.card import markdown
from twotower.report.contents import Contents, read_contents
from twotower.report.page import render
from twotower.report.passages import WordInSentences


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "towers"
    assert cli.main(["export", str(finished), str(folder)]) == 0
    return folder


def test_an_export_is_read_back_as_the_run_it_was(exported, finished):
    shared, run = twotower.Run.load(exported), twotower.Run.load(finished)
    assert shared.state == "finished" and shared.headline() == run.headline() and shared.config == run.config
    pd.testing.assert_frame_equal(shared.preference(), run.preference())
    pd.testing.assert_frame_equal(shared.training(), run.training())
    sentence = "the state of the union"
    pd.testing.assert_frame_equal(shared.score(sentence), run.score(sentence))
    assert twotower.verify(exported).faults == ()
    with pytest.raises(twotower.InputError, match=r"is an export without scores\.parquet"):
        shared.scores()


def test_the_field_reads_it_as_a_model(exported):
    from transformers import AutoTokenizer

    model = twotower.load_model(exported, head="readout_2")
    tokenizer = AutoTokenizer.from_pretrained(exported)
    logits = model(**tokenizer("the united states", return_tensors="pt")).logits
    assert logits.shape[-1] == model.config.vocab_size


def test_the_card_tells_what_was_found_and_how_to_repeat_it(exported, finished):
    text = (exported / "README.md").read_text(encoding="utf-8")
    metadata = yaml.safe_load(text.split("---")[1])
    assert metadata["library_name"] == "transformers" and metadata["pipeline_tag"] == "text-generation"
    results = twotower.Run(finished).results()
    assert markdown(twotower.Run(finished).headline()) in text and results.corpus.digest in text
    assert "**None.** The run has no strangers" in text and "twotower run --config config.yaml" in text
    named = re.findall(r"^\| ([\w., /]+) \|", text.split("## What is in this folder")[1], flags=re.MULTILINE)
    files = {name.strip().rstrip("/") for names in named for name in names.split(",")} - {"file"}
    assert files == {path.name for path in exported.iterdir()} - {"README.md", "tokenizer_config.json"}


def running_text(finished) -> list[str]:
    """Stretches of eight pieces of the held-out text, as a page that sets each apart shows them, and as people read."""
    pieces = twotower.Run(finished).scores()["piece"].astype(str).tolist()
    each = [pieces[start : start + 8] for start in range(0, len(pieces) - 8, 3)]
    apart = [" ".join(piece.removeprefix("##") for piece in stretch) for stretch in each]
    return [*apart, *(" ".join(stretch).replace(" ##", "") for stretch in each)]


def shown(path) -> str:
    """The words of a file, tags and case left out."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", path.read_text(encoding="utf-8", errors="replace")))
    return " ".join(text.split()).lower()


def test_no_running_text_goes_along_unless_it_is_asked_for(exported, finished, tmp_path):
    stretches = running_text(finished)
    assert any(stretch in shown(finished / "report.html") for stretch in stretches)  # the page of the run has passages
    for path in (path for path in exported.rglob("*") if path.suffix in (".html", ".json", ".md", ".svg", ".yaml")):
        text = shown(path)
        assert not [stretch for stretch in stretches if stretch in text], path
    assert not (exported / "scores.parquet").exists() and not (exported / "data").exists()
    assert cli.main(["export", str(finished), str(tmp_path / "all"), "--with-text"]) == 0
    assert any(stretch in shown(tmp_path / "all" / "report.html") for stretch in stretches)
    pd.testing.assert_frame_equal(twotower.Run(tmp_path / "all").scores(), twotower.Run(finished).scores())
    with pytest.raises(twotower.InputError, match="an export without data"):
        twotower.Run(tmp_path / "all").documents()
    assert "held-out part is in `scores.parquet`" in (tmp_path / "all" / "README.md").read_text()


def test_every_part_of_the_page_that_quotes_the_text_is_left_out(finished):
    run = twotower.Run(finished)
    contents = read_contents(run.config, finished)
    (quoted, *_) = contents.passages
    row = ContextOfType(1, "states", "united", 0.5, 0.1, (0.5, 0.1), 9)
    contents = replace(contents, in_sentences=[WordInSentences(row, [quoted], [quoted])])
    names = [name for name, hint in Contents.__annotations__.items() if "Passage" in hint or "Sentences" in hint]
    assert len(names) == 2 and all(getattr(contents, name) for name in names)
    kept = contents.without_text()
    assert not any(getattr(kept, name) for name in names)
    assert "in its sentences" not in render(kept) and "In these passages" not in render(kept)
    assert "in its sentences" in render(contents)


def test_damage_is_noticed(exported, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(exported, copy)
    (copy / "model.safetensors").write_bytes(b"other")
    assert cli.main(["verify", str(copy)]) == 2
    assert "model.safetensors is damaged" in capsys.readouterr().err
    with pytest.raises(twotower.InputError, match=r"model\.safetensors is damaged"):
        twotower.Run(copy).model()
    assert twotower.list(copy)["state"].tolist() == ["damaged"]
    (copy / "exported.json").write_text(json.dumps({"files": {"../../secret": "0"}}))
    with pytest.raises(twotower.InputError, match="names a file outside its folder"):
        twotower.Run(copy).results()


def test_what_cannot_be_exported_says_so_and_leaves_nothing(exported, finished, prepared, tmp_path, capsys):
    def refused(*words):
        assert cli.main(["export", *map(str, words)]) == 2
        return capsys.readouterr().err

    assert "give the folder of a run and a folder to write" in refused()
    assert "exists; give a folder that does not" in refused(finished, finished)
    assert "is an export already" in refused(exported, tmp_path / "twice")
    assert "is not a run folder" in refused(tmp_path, tmp_path / "none")
    shutil.copytree(prepared, tmp_path / "begun")
    assert "does not exist yet; make it with" in refused(tmp_path / "begun", tmp_path / "early")
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]


def push(hub, finished, folder, name="lab/towers"):
    """The command, with the hub's older way of taking large files, which a small server can speak."""
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_of_a_test", "HF_HUB_DISABLE_XET": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | settings
    command = [sys.executable, "-m", "twotower", "export", str(finished), str(folder), "--push", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_hub_gets_every_file_of_a_private_model(finished, tmp_path):
    with small_hub() as hub:
        sent = push(hub, finished, tmp_path / "towers")
        assert sent.returncode == 0, sent.stderr
        assert f"{hub.endpoint}/lab/towers" in sent.stdout and hub.private == {"lab/towers": True}
        assert "Bearer hf_of_a_test" in hub.tokens
        files = {path.relative_to(tmp_path / "towers").as_posix(): path for path in (tmp_path / "towers").rglob("*")}
        assert hub.files["lab/towers"] == {name: path.read_bytes() for name, path in files.items() if path.is_file()}


def test_a_hub_that_refuses_is_one_line_and_the_folder_stays(finished, tmp_path):
    with small_hub() as hub:
        hub.refuses = True
        sent = push(hub, finished, tmp_path / "towers")
        assert sent.returncode == 2 and "Traceback" not in sent.stderr
        assert "the hub did not take lab/towers" in sent.stderr.splitlines()[-1]
        assert twotower.verify(tmp_path / "towers").faults == ()
        assert "is not the name of a model" in push(hub, finished, tmp_path / "other", "a//b").stderr
