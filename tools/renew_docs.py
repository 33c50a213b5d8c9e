"""Write what a finished run found into the documentation: its figures, what commands print of it, and its pictures.

    python tools/renew_docs.py runs/demo [studies/first]

In `README.md` and `docs/` a figure of the run stands between `<!-- figure NAME -->` and `<!-- end -->`; the block of
text behind `<!-- output twotower … -->` is what that command prints; `docs/gallery/` has a small picture of each figure
of the run and, if one is given, of the study. The prose around them is yours: read it again when figures have changed.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image

from twotower import cli
from twotower.comparison.study import study_in
from twotower.preference.division import Division, LabelDivision, row_of
from twotower.report.contents import read_contents
from twotower.report.drawings import draw, drawings
from twotower.report.numbers import figure, fixed, percent
from twotower.report.sheet import Sheet, plate
from twotower.report.study_figures import drawings as study_drawings
from twotower.results.results import Results, read_results
from twotower.runs.finished import RunFolder
from twotower.statistics.gains import Surplus
from twotower.system.errors import InputError

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
FIGURE = re.compile(r"(<!-- figure ([\w-]+) -->)(.*?)(<!-- end -->)", re.DOTALL)
OUTPUT = re.compile(r"(<!-- output (twotower [^>]+?) -->\n```text\n)(.*?)(\n```)", re.DOTALL)
PICTURE = {"width": 1040, "height": 1080}
"""Of the top of the report, in pixels."""
DOTS = 65
"""Per inch of the gallery's pictures: their text can be read, and each takes some ten kilobytes."""
SHADES = 32
"""Colours of a picture in the gallery."""
SHOWN_AS = "runs/demo"
"""What the documentation calls the run."""


def share_of(results: Results, label: str, given: str = "") -> LabelDivision:
    """What a label holds. Raises `InputError` where the run could not measure it."""
    label_division = row_of(results.division.labels if results.division else [], label, given)
    if label_division is None:
        raise InputError(f"the run has no label {label!r}, given {given!r}, which the documentation names")
    return label_division


def known(value: T | None, name: str) -> T:
    """The value. Raises `InputError` where the run has none."""
    if value is None:
        raise InputError(f"the run has no {name}, which the documentation names")
    return value


def division_of(results: Results) -> Division:
    """What the ruler found. Raises `InputError` where it was not used."""
    return known(results.division, "division")


def surplus_of(results: Results) -> Surplus:
    """Raises `InputError` where it was not measured."""
    return known(division_of(results).surplus, "surplus")


def strangers_of(results: Results) -> Division:
    """What the ruler found for strangers. Raises `InputError` where none were trained."""
    return known(division_of(results).strangers, "strangers")


FIGURES: dict[str, Callable[[Results], str]] = {
    "surplus": lambda run: figure(surplus_of(run), 3),
    "surplus-short": lambda run: fixed(surplus_of(run).estimate, 3),
    "surplus-factor": lambda run: f"{math.exp(surplus_of(run).estimate):.2f}",
    "surplus-twice": lambda run: fixed(known(surplus_of(run).null, "null of the surplus"), 3),
    "surplus-strangers": lambda run: figure(known(strangers_of(run).surplus, "surplus of strangers"), 3),
    "D": lambda run: figure(known(division_of(run).size, "D")),
    "D-strangers": lambda run: f"{known(strangers_of(run).size, 'D of strangers').estimate:.2f}",
    "perplexity": lambda run: f"{run.training.heldout_perplexity.joint:.0f}",
    "type": lambda run: percent(share_of(run, "type").share),
    "before": lambda run: percent(share_of(run, "previous type").share),
    "both": lambda run: percent(share_of(run, "type x previous type").share),
    "class": lambda run: percent(share_of(run, "class", "frequency").share),
    "class-null": lambda run: f"{100 * known(share_of(run, 'class', 'frequency').share.null_high, 'null'):.1f} %",
    "class-verdict": lambda run: share_of(run, "class", "frequency").verdict,
    "topic": lambda run: percent(share_of(run, "topic", "type").share),
    "topic-verdict": lambda run: share_of(run, "topic", "type").verdict,
}
"""What the documentation may quote, by the name in its comments."""


def renewed(text: str, results: Results, run: Path) -> str:
    """A page with the figures and the output of this run. Raises `InputError` for a figure that is not in `FIGURES`."""

    def figure(match: re.Match[str]) -> str:
        if match[2] not in FIGURES:
            raise InputError(f"figure {match[2]!r} is unknown; known: {', '.join(FIGURES)}")
        return f"{match[1]}{FIGURES[match[2]](results)}{match[4]}"

    def output(match: re.Match[str]) -> str:
        return f"{match[1]}{printed(shlex.split(match[2])[1:], run)}{match[4]}"

    return OUTPUT.sub(output, FIGURE.sub(figure, text))


def printed(words: list[str], run: Path) -> str:
    """What a command prints where the run is `runs/demo`; long lines are folded as the documentation's are."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(run, Path(folder) / SHOWN_AS)  # a listing follows no links
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as out:
            if code := cli.main(words):
                raise InputError(f"twotower {shlex.join(words)}: exit code {code}")
    return "\n".join(folded(line) for line in out.getvalue().strip().splitlines())


def folded(line: str, width: int = 110) -> str:
    """A sentence on several lines, those after the first indented; tables stay as they are."""
    indent = "  " if line.startswith("- ") else ""
    return line if "   " in line else textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False)


def pictures(run: Path, study: Path | None, gallery: Path) -> list[Path]:
    """A small picture of each figure that the page `gallery` shows, in the folder beside it that it names."""
    shown = set(re.findall(r"\(gallery/([\w-]+)\.png\)", gallery.read_text(encoding="utf-8")))
    contents = read_contents(RunFolder(run).config, run)
    sheets: dict[str, Sheet] = {
        name: draw(contents, name).wide for name in drawings(contents) if not name.startswith("knowledge")
    }
    if study is not None:
        sheets |= {
            f"study-{name}": plate(name, drawing).wide
            for name, drawing in study_drawings(study_in(study / "study.json")).items()
        }
    made = []
    for name in sorted(shown & sheets.keys()):
        drawn = io.BytesIO()
        sheets[name].savefig(drawn, dpi=DOTS, facecolor="white")
        made.append(gallery.parent / "gallery" / f"{name}.png")
        made[-1].parent.mkdir(exist_ok=True)
        Image.open(drawn).convert("RGB").quantize(SHADES).save(made[-1], optimize=True)
    return made


def picture_of_page(page: Path, out: Path) -> bool:
    """The top of the report as a reader sees it; False where there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        return False
    size = f"--window-size={PICTURE['width']},{PICTURE['height']}"
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={out}",
         page.resolve().as_uri()], check=True, capture_output=True,
    )  # fmt: skip
    return True


def main() -> int:
    """0, or 2 with a line that says what the run lacks."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    run, study = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    os.environ["COLUMNS"] = "100"
    try:
        results = read_results(RunFolder(run))
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            old = page.read_text(encoding="utf-8")
            new = renewed(old, results, run)
            if new != old:
                page.write_text(new, encoding="utf-8")
                print(f"{page.relative_to(ROOT)}: renewed")
        made = pictures(run, study, ROOT / "docs" / "figures.md")
    except InputError as error:
        print(f"renew_docs: {error}", file=sys.stderr)
        return 2
    print(f"docs/gallery: {len(made)} pictures")
    if not picture_of_page(run / "report.html", ROOT / "docs" / "report.png"):
        print("docs/report.png: left as it is: there is no Chromium here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
