"""What names the version says the same, and the changelog has the form that it claims."""

import re
from pathlib import Path

import twotower

ROOT = Path(__file__).resolve().parents[1]
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _found(path: str, pattern: str) -> list[str]:
    return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_version_is_the_same_everywhere():
    found = {
        "pyproject.toml": _found("pyproject.toml", r'^version = "(.*)"$'),
        "CITATION.cff": _found("CITATION.cff", r"^version: (.*)$"),
        "docs/citation.md": _found("docs/citation.md", r"^ *version = \{(.*)\},$"),
    }
    assert found == {path: [twotower.__version__] for path in found}
    assert re.fullmatch(r"\d+\.\d+\.\d+", twotower.__version__)


def test_the_changelog_lists_versions_from_the_newest_and_kinds_of_changes_in_each():
    versions = _found("CHANGELOG.md", r"^## \[(.*?)\](?: - \d{4}-\d\d-\d\d)?$")
    assert versions == _found("CHANGELOG.md", r"^## \[?([^\]\s]+)\]?.*$"), (
        "each heading is [VERSION] or [VERSION] - DATE"
    )
    released = [tuple(map(int, one.split("."))) for one in versions if one != "Unreleased"]
    assert versions[0] == "Unreleased" and released == sorted(released, reverse=True)
    assert set(_found("CHANGELOG.md", r"^### (.*)$")) <= KINDS
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        before, *_ = part.split("\n### ")
        assert "\n- " not in before, f"{part.splitlines()[0]}: a change outside Added, Changed, Removed, Fixed …"
