"""The README and what it links to: make targets, pages, figures. Its examples are run by tests/docs."""

import gzip
import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_make_target_and_every_link_exists():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"^make ([\w-]+)", README, flags=re.MULTILINE)) == {"demo", "test"} <= set(targets)
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "research").rglob("*.md"),
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_links_to_a_heading_of_the_research_pages_lead_to_one():
    """The documentation's own are checked when its site is built."""

    def headings(page: Path) -> set[str]:
        titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in titles}

    for page in (ROOT / "research").rglob("*.md"):
        for target, heading in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text(encoding="utf-8")):
            assert heading in headings((page.parent / target) if target else page), f"{page.name}: {target}#{heading}"


def test_the_data_of_research_can_be_read_and_each_file_is_cited():
    pages = "".join(
        page.read_text(encoding="utf-8") for page in [*ROOT.glob("docs/*.md"), *(ROOT / "research").rglob("*.md")]
    )
    files = sorted((ROOT / "research" / "data").iterdir())
    assert files
    for file in files:
        assert f"data/{file.name}" in pages, f"{file.name} is cited nowhere"
        assert json.loads(gzip.decompress(file.read_bytes()))


def test_continuous_integration_runs_the_readmes_own_test_command():
    script = (ROOT / ".ci" / "run").read_text()
    commands = re.findall(r"^make ([\w-]+)(?: SIMULATIONS=200)? \|\| failed=1$", script, flags=re.MULTILINE)
    assert commands == ["test", "test-rest", "lint", "docs", "audit", "test-simulations"]


def test_the_tests_run_in_parts_that_leave_none_out():
    parts = re.search(r"^PARTS := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[1]
    named = set(re.findall(r"tests/([\w.*]+)", parts))
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert named == folders | {"test_*.py"}


def test_every_module_is_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [path.name for path in (ROOT / "src").rglob("*.py") if path.name not in ("__init__.py",)]
    assert [name for name in modules if f"`{name}`" not in text and name not in text] == []


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").rglob("*.py")), ids=lambda path: path.stem)
def test_every_benchmark_can_be_imported(monkeypatch, path):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    name = ".".join(path.relative_to(ROOT / "benchmarks").with_suffix("").parts)
    assert importlib.import_module(name).__doc__, "what does it measure?"


def test_the_documented_figures_are_those_of_the_benchmarks_that_are_kept(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from speed.measure import Row
    from speed.table import markdown

    machines = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in machines]
    table = markdown({each["machine"]["processor"]: [Row(**row) for row in each["rows"]] for each in kept})
    assert table in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), "python benchmarks/bench.py --table"
