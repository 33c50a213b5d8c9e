"""WikiText and BookCorpus, from the Hugging Face hub or from local files; articles and books are the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..system.errors import InputError

HUB = {
    "wikitext": ("Salesforce/wikitext", "wikitext-103-raw-v1", "wikitext-103-raw-v1/train*"),
    # The set `bookcorpus` itself has sentences without the books' boundaries; this one has a book in each row.
    "bookcorpus": ("lucadiliello/bookcorpusopen", None, "*.parquet"),
}
"""Where each is on the hub: the data set, its configuration, and its files."""
TEXT_FILES = (".txt", ".raw", ".tokens")
_HEADING = re.compile(r"^\s*= (?!=)(.+?)(?<!=) =\s*$")
"""` = Title = `, the first line of an article in WikiText; sections have more signs (Merity et al. 2016)."""


def articles(lines: Iterator[str], source: str) -> Iterator[tuple[str, str]]:
    """The articles of WikiText's lines, each with its title; what comes before the first title is called `source`.

    A title stands after an empty line (or first) and before one, which formulas that look like titles do not.
    """
    name, article, pending = source, list[str](), ""
    empty_before = True
    for line in lines:
        if pending:
            if line.strip():
                article.append(pending)
            else:
                if "".join(article).strip():
                    yield name, "".join(article)
                title = _HEADING.match(pending)
                assert title is not None
                name, article = title.group(1), [pending]
            pending = ""
        if empty_before and _HEADING.match(line):
            pending = line
        else:
            article.append(line)
        empty_before = not line.strip()
    article.append(pending)
    if "".join(article).strip():
        yield name, "".join(article)


def local_files(kind: str, path: Path) -> list[Path]:
    """The text or Parquet files at `path`, a file or a folder. Raises `InputError` if there are none."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    corpus_files = [file for file in files if file.suffix in (*TEXT_FILES, ".parquet") and file.stat().st_size]
    if not corpus_files:
        raise InputError(
            f"corpus: {kind}:{path} holds no {', '.join(TEXT_FILES)} or .parquet file with text; give the files as "
            "they were downloaded"
        )
    return corpus_files


def not_reached(kind: str, reason: str) -> InputError:
    """What to do where the hub cannot be reached."""
    dataset, _, files = HUB[kind]
    return InputError(
        f"corpus: {kind} cannot be loaded from the Hugging Face hub ({reason}); where there is a network, run "
        f"`hf download {dataset} --repo-type dataset --include '{files}' --local-dir {kind}`, "
        f"bring the folder (raw .txt files do as well), and give --corpus {kind}:FOLDER"
    )
