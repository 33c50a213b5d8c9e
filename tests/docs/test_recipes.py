"""The recipes of docs/architecture.md, followed to the letter in a copy of the package, make what they promise."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEP = re.compile(
    r'^<!-- not run: (?:the file (?P<file>\S+)|in (?P<into>\S+), behind "(?P<line>[^\n]*)") -->\n'
    r"```\w+\n(?P<text>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)


def follow_recipes(checkout: Path) -> None:
    """Make each file that the recipes name, and put each of their lines behind the one line that they name."""
    for step in STEP.finditer(PAGE):
        if step["file"]:
            assert not (checkout / step["file"]).exists()
            (checkout / step["file"]).write_text(step["text"], encoding="utf-8")
            continue
        path = checkout / step["into"]
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        assert lines.count(step["line"] + "\n") == 1, f"{step['into']} has no such line, or several: {step['line']}"
        place = lines.index(step["line"] + "\n") + 1
        path.write_text("".join([*lines[:place], step["text"], *lines[place:]]), encoding="utf-8")


@pytest.fixture(scope="module")
def twotower_with(tmp_path_factory):
    """Runs the command line of a copy of the package in which all recipes were followed."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "src", checkout / "src", ignore=shutil.ignore_patterns("__pycache__"))
    follow_recipes(checkout)

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "twotower", *words], env={**os.environ, "PYTHONPATH": str(checkout / "src")},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


def test_every_kind_of_thing_has_a_recipe_that_says_how_many_files_it_touches():
    parts = dict(re.findall(r"^### (.*?)\n(.*?)(?=^##)", PAGE, flags=re.MULTILINE | re.DOTALL))
    assert list(parts) == ["A statistic of one run", "An instrument", "A format of text", "A command", "Others"]
    steps = {name: [*STEP.finditer(text)] for name, text in parts.items()}
    assert sum(map(len, steps.values())) == len(re.findall("^<!-- not run: (?:the file|in) ", PAGE, re.MULTILINE))
    for name in [*parts][:-1]:
        new, changed = ({step[kind] for step in steps[name]} - {None} for kind in ("file", "into"))
        assert f"Files: {len(new)} new, {len(changed)} changed." in parts[name], name


def test_a_command_is_listed_and_runs(twotower_with, finished):
    assert "The vocabulary of a run." in twotower_with("--help")
    assert "[SEP]" in twotower_with("pieces", str(finished)).splitlines()


def test_a_format_is_read(twotower_with, corpus, tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    for path in corpus.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        text = "".join(f"[00:{number % 60:02d}.00]{line}" for number, line in enumerate(lines))
        (folder / path.with_suffix(".lrc").name).write_text(text, encoding="utf-8")
    output = twotower_with("prepare", "--dry", "--corpus", str(folder), "--prepare.vocabulary", "512", "--json")
    assert json.loads(output)["documents"] == len(list(folder.iterdir()))


@pytest.mark.slow
def test_a_statistic_is_in_the_results_and_an_instrument_on_the_page(twotower_with, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    assert "pieces occur in the training text." in twotower_with("know", str(run), "--only", "coverage")
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert 0 < results["tokens_won"] < 1
    assert 0 < results["knowledge"]["coverage"]["occurring"] <= results["knowledge"]["coverage"]["pieces"]
    assert "Coverage" in (run / "report.html").read_text(encoding="utf-8")
    assert (run / "knowledge" / "coverage" / "results.json").is_file()
    twotower_with("verify", str(run))
