"""Every example in the README and the documentation works: Python and `twotower` commands run against a small real run.

What would take too long stands after `<!-- not run: why -->`; of that it is tested that it parses, against the real
command line. The examples of a page run one after the other in a folder of their own, as a reader would try them.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.example import Example
from sybil.parsers.markdown import CodeBlockParser

from twotower import cli
from twotower.cli import options

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "research").rglob("*.md")])
FILE = re.compile(r"<!-- file: (\S+) -->\s*\Z")
NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*\Z")
LANGUAGES = {"python", "sh", "yaml", "bibtex", "text"}
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


class Parsed(BaseException):
    """The command line was understood, and the command shall not run."""


def lines(source: str) -> list[str]:
    """The commands of a block, continued lines joined, comments left out."""
    commands = [" ".join(shlex.split(line, comments=True)) for line in source.replace("\\\n", " ").splitlines()]
    return [line for line in commands if line]


def understood(words: list[str]) -> bool:
    """Whether the real command line understands the words. Every command reads its options with `with_words`."""
    real = options.with_words

    def only(default: object, words: list[str]) -> None:
        real(default, words)
        raise Parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options, "with_words", only)
        try:
            return cli.main(words) == 0
        except Parsed:
            return True
        except SystemExit as stop:  # --help
            return stop.code in (0, None)


def command(words: list[str], run: bool) -> None:
    """Run one command of a page, or check what can be checked of it. Where its output goes is left out."""
    program = words[0]
    words = words[: words.index(">")] if ">" in words else words
    if Path(program).name == "twotower":
        if run:
            return run_twotower(words[1:])
        assert understood(words[1:]), f"twotower {shlex.join(words[1:])}"
    elif program == "make":
        assert words[1] in TARGETS, f"make {words[1]}: no such target"
    elif program in ("accelerate", "torchrun"):
        start = words.index("twotower") if "twotower" in words else words.index("twotower.cli")
        assert understood(words[start + 1 :]), shlex.join(words)
    elif Path(program).name.startswith("python"):
        script = words[1]
        assert (ROOT / script).is_file() or script == "-m", f"{script}: no such file"
    else:
        assert program in ("pip", "git", "cd", "export", "sbatch", "ray"), f"{program}: what is this?"


def run_twotower(words: list[str]) -> None:
    """It ends well."""
    try:
        code = cli.main(words)
    except SystemExit as stop:  # --help
        code = stop.code or 0
    assert code == 0, f"twotower {shlex.join(words)}: exit code {code}"


def evaluate_sh(example: Example) -> None:
    run = NOT_RUN.search(example.document.text, 0, example.region.start) is None
    for line in lines(example.parsed):
        command(shlex.split(line), run)


def evaluate_python(example: Example) -> None:
    if NOT_RUN.search(example.document.text, 0, example.region.start):
        compile(str(example.parsed), example.path, "exec")
    else:
        PythonEvaluator()(example)


def evaluate_yaml(example: Example) -> None:
    """A file that later examples of the page read, if the page names it."""
    named = FILE.search(example.document.text, 0, example.region.start)
    if named:
        Path(named[1]).write_text(str(example.parsed), encoding="utf-8")


SYBIL = Sybil([
    CodeBlockParser("sh", evaluate_sh), CodeBlockParser("python", evaluate_python),
    CodeBlockParser("yaml", evaluate_yaml),
])  # fmt: skip


@pytest.fixture(scope="session")
def desk(tmp_path_factory, finished, corpus) -> Path:
    """A folder with what the pages suppose: a finished run, texts of one's own, a treebank, norms of words."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(finished, folder / "runs" / "demo")
    shutil.copytree(corpus, folder / "my" / "texts")
    (folder / "settings.yaml").write_text("train:\n  tokens: 2M\n")
    (folder / "norms.csv").write_text("word,concreteness\ncountry,3.2\nwater,5.0\nfreedom,1.8\n")
    return folder


EXAMPLES = {page: list(SYBIL.parse(page).examples()) for page in PAGES}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


SHOWN = pytest.mark.promise("the examples of the README and of the tutorial work")


@pytest.mark.parametrize("page", [
    pytest.param(page, marks=[SHOWN] if page.name in ("README.md", "tutorial.md") else [])
    for page in PAGES if EXAMPLES[page]
], ids=name_of)  # fmt: skip
def test_the_examples_of_a_page_work(page, desk, monkeypatch):
    monkeypatch.chdir(desk)
    for example in EXAMPLES[page]:
        example.evaluate()
    blocks = re.findall(r"^ *```(?:sh|python|yaml)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(EXAMPLES[page]) == len(blocks), "a block that the parser does not see"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_code_says_what_it_is(page):
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^ *```(\w*)", text, flags=re.MULTILINE)
    assert set(fences[::2]) <= LANGUAGES, "a block whose language is not checked"
    outside = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?:\A|\n\n) {4}\S", outside), "an indented block: fence it, so that it is tested"


@pytest.mark.parametrize("name", [name for name, command in cli.COMMANDS.items() if command.examples])
def test_the_examples_that_help_shows_can_be_parsed(name, desk, monkeypatch):
    monkeypatch.chdir(desk)
    for words in cli.COMMANDS[name].examples:
        assert understood([*name.split(), *shlex.split(words)]), words


@pytest.mark.parametrize("line", ["run --tokens", "run --no-such-option 3", "no-such-command", "run --seed words"])
def test_what_the_command_line_does_not_know_fails(line):
    assert not understood(shlex.split(line))
