"""What names the version says the same, and the changelog has the form that it claims."""

import re
import runpy
from pathlib import Path

import twotower

ROOT = Path(__file__).resolve().parents[1]
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _found(path: str, pattern: str) -> list[str]:
    return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_version_is_the_same_everywhere():
    places = {
        "pyproject.toml": _found("pyproject.toml", r'^version = "(.*)"$'),
        "CITATION.cff": _found("CITATION.cff", r"^version: (.*)$"),
        "docs/citation.md": _found("docs/citation.md", r"^ *version = \{(.*)\},$"),
    }
    assert places == {path: [twotower.__version__] for path in places}
    assert re.fullmatch(r"\d+\.\d+\.\d+", twotower.__version__)


def test_the_changelog_lists_versions_from_the_newest_and_kinds_of_changes_in_each():
    versions = _found("CHANGELOG.md", r"^## \[(.*?)\](?: - \d{4}-\d\d-\d\d)?$")
    assert versions == _found("CHANGELOG.md", r"^## \[?([^\]\s]+)\]?.*$"), (
        "each heading is [VERSION] or [VERSION] - DATE"
    )
    released = [tuple(map(int, version.split("."))) for version in versions if version != "Unreleased"]
    assert versions[0] == "Unreleased" and released == sorted(released, reverse=True)
    assert set(_found("CHANGELOG.md", r"^### (.*)$")) <= KINDS
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        before, *_ = part.split("\n### ")
        assert "\n- " not in before, f"{part.splitlines()[0]}: a change outside Added, Changed, Removed, Fixed …"


def test_an_audit_fails_for_a_vulnerability_and_says_where_nothing_could_be_looked_up():
    audit = runpy.run_path(str(ROOT / "tools" / "audit.py"))["verdict"]
    sound = {"name": "numpy", "version": "2.4.6", "vulns": []}
    unsound = {"name": "pillow", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.0"]}]}
    unknown = {"name": "twotower", "skip_reason": "editable"}
    code, said = audit([sound, unsound, unknown])
    assert code == 1 and said[0] == "audit: pillow 1.0: CVE-1; fixed in 2.0" and "2 packages" in said[1]
    assert audit([sound, unknown])[0] == 0
    assert audit([unknown]) == (0, ["audit: none of 1 packages could be looked up from here; nothing was audited"])


def test_the_file_with_hashes_pins_what_the_constraints_pin():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all("--hash=sha256:" in line for line in lines)
    pinned = {line.split("==")[0]: line.split("==")[1].split()[0] for line in lines}
    constraints = dict(one.lower().split("==") for one in _found("constraints.txt", r"^([\w-]+==[\w.]+)$"))
    both = set(pinned) & set(constraints)
    assert {"torch", "transformers", "numpy", "hanta"} <= both
    assert {name: pinned[name] for name in both} == {name: constraints[name] for name in both}
