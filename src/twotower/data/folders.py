"""Which files of a folder, or of an archive, are a corpus: one kind of them, without what programs leave behind."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..system.errors import InputError
from .corpus_names import without_choice
from .files import TextFile, shown
from .formats import NO_PROSE, OTHER, TREEBANK, Reader, reader_of, refusal

Chosen = tuple[Reader, TextFile]
_BACKUP = re.compile(r"~$|^#.*#$|^~\$|\.(?:bak|orig|old|tmp|temp|swp|swo|part|crdownload)$", re.IGNORECASE)
_VERSIONS = frozenset({".git", ".svn", ".hg", ".bzr", "CVS", "_darcs"})
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx", "__pycache__", "node_modules", "icon\r"})
_ABOUT = re.compile(
    r"(?:readme|licen[cs]e|copying|notice|changelog|changes|contributing|citation|authors|about)"
    r"(?:[-_.][\w-]+)?(?:\.(?:md|txt|rst|html?|cff|xml))?$",
    re.IGNORECASE,
)
_RUN = ("config.yaml", "provenance.json")
"""Files of a run of twotower; its folder may lie below its corpus."""


@dataclass(frozen=True)
class Place:
    """Files that a name stands for."""

    name: str
    folder: Path
    """Their documents are called by their paths below it."""
    paths: list[Path]
    chosen: str
    left_out: Counter[str]
    is_folder: bool
    most: int | None = None
    """How many documents are read, at most."""


def find_files(name: str) -> Place:
    """The files of a path or a glob. Raises `InputError` if there are none."""
    if shown(name) != name:  # config.yaml would not keep it
        raise InputError(f"corpus: the name {shown(name)} is not UTF-8; rename it, or give the folder that it lies in")
    name, chosen = without_choice(name)
    path, left_out = Path(os.path.expanduser(name)), Counter[str]()
    try:
        if path.is_file():
            if path.stat().st_size == 0:
                raise InputError(f"corpus: {shown(path)} is an empty file; give a file with text")
            return Place(name, path.absolute().parent, [path.absolute()], chosen, left_out, is_folder=False)
        if path.is_dir():
            here = Path(os.path.abspath(path))
            texts = without_litter(list(files_below(here)), here, left_out)
            if not texts:
                why = f" ({_counted(left_out)})" if left_out else ""
                raise InputError(
                    f"corpus: the folder {shown(path)} holds no file with text{why}; give a folder of text files"
                )
            return Place(name, here, texts, chosen, left_out, is_folder=True)
        if path.is_symlink():
            raise InputError(f"corpus: {shown(path)} is a symbolic link that leads to no file; give the file itself")
        if path.exists():
            raise InputError(
                f"corpus: {shown(path)} is a pipe, a socket or a device; give a file, or a folder of files"
            )
        matches = [Path(os.path.abspath(match)) for match in sorted(_matching(path))]
    except InputError:  # a ValueError, too
        raise
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"corpus: {name!r} cannot be looked up ({reason}); give another file or folder") from None
    files = [match for match in matches if match.is_file()]
    if not files:
        if glob.has_magic(name):
            raise InputError(f"corpus: no file matches {name!r}; give a glob that matches text files")
        raise InputError(f"corpus: {name!r} does not exist; give `sotu`, a file, a folder, a glob or hf:DATASET")
    folder = common_folder([file.parent for file in files])
    texts = without_litter(files, folder, left_out)
    if not texts:
        raise InputError(f"corpus: no file with text matches {name!r} ({_counted(left_out)}); give a glob that does")
    return Place(name, folder, texts, chosen, left_out, is_folder=True)


def _matching(pattern: Path) -> list[str]:
    """What a glob stands for. With `**` folders behind symbolic links are looked into once: they may lead in circles,
    which the library's own function follows without end."""
    parts = pattern.parts
    if "**" not in parts:
        return glob.glob(str(pattern))
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:first])
    if not base.is_dir():
        return []
    return [str(path) for path in files_below(base) if _matches(path.relative_to(base).parts, parts[first:])]


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a glob; `**` stands for any number of folders."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[skipped:], pattern[1:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _counted(left_out: Counter[str]) -> str:
    return ", ".join(f"{files:,} {why}" for why, files in left_out.items())


def common_folder(folders: list[Path]) -> Path:
    """The folder in which all of some folders lie."""
    return Path(os.path.commonpath(folders)) if folders else Path()


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, in order; folders behind symbolic links once, so that these may lead in circles.

    Raises `InputError` for a folder that cannot be looked into.
    """
    seen = set[tuple[int, int]]()

    def refuse(error: OSError) -> None:
        raise InputError(f"corpus: {error.filename} cannot be read ({error.strerror}); give a folder that you may read")

    for place, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        yield from (Path(place) / file for file in sorted(files))


def without_litter(paths: list[Path], base: Path, left_out: Counter[str]) -> list[Path]:
    """The files that somebody may have meant; the others are counted in `left_out`, by the reason.

    What the name of `base` itself is like does not matter: a hidden folder that was named is read.
    """
    runs = {path.parent for path in paths if path.name == _RUN[1] and (path.parent / _RUN[0]).exists()}
    kept = []
    for path in paths:
        why = "part of a run of twotower" if runs & set(path.parents) else why_litter(path.relative_to(base).parts)
        if not why and not path.is_file():
            why = "no file (a pipe, or a link that leads nowhere)"
        if not why and path.stat().st_size == 0:
            why = "empty"
        if why:
            left_out[why] += 1
        else:
            kept.append(path)
    return kept


def why_litter(parts: tuple[str, ...]) -> str:
    """Why a file with this path is left out; empty if it is read."""
    if _VERSIONS & set(parts):
        return "version control"
    if any(_BACKUP.search(part) for part in parts[-1:]):
        return "backup"
    if any(part.lower() in _SYSTEM for part in parts):
        return "made by the system or by programs"
    if any(part.startswith(".") for part in parts):
        return "hidden"
    return ""


def one_kind(files: list[TextFile], encoding: str, left_out: Counter[str]) -> list[Chosen]:
    """The files of the kind that most are of; a treebank's, where they are the larger part. Others are counted.

    Raises `InputError` where all are of formats that are not read.
    """
    kinds: dict[Reader, list[TextFile]] = defaultdict(list)
    refused = list[InputError]()
    for file in files:
        last = PurePosixPath(file.name).name
        if (why := refusal(file)) is not None:
            refused.append(why)
            left_out["of a format that is not read"] += 1
        elif len(files) > 1 and file.suffix in NO_PROSE:
            left_out["a program, settings or a log"] += 1
        elif len(files) > 1 and _ABOUT.match(last):
            left_out["about the corpus (README, LICENSE and the like)"] += 1
        else:
            kinds[reader_of(file, encoding)].append(file)
    if not kinds:
        if refused:
            raise refused[0]
        return []
    if len(kinds) > 1 and OTHER in kinds:
        _leave(kinds, OTHER, left_out)
    sizes = {kind: sum(file.size for file in files_of_kind) for kind, files_of_kind in kinds.items()}
    treebank = TREEBANK in kinds and sizes[TREEBANK] == max(sizes.values())
    best = max(kinds, key=lambda kind: (treebank and kind is TREEBANK, len(kinds[kind]), sizes[kind]))
    for kind in [kind for kind in kinds if kind is not best]:
        _leave(kinds, kind, left_out, best)
    return [(best, file) for file in kinds[best]]


def _leave(
    kinds: dict[Reader, list[TextFile]], kind: Reader, left_out: Counter[str], best: Reader | None = None
) -> None:
    instead = f", beside {best.format}" if best else ""
    left_out[f"{kind.format}{instead} (one kind of a folder is read; name these files to read them)"] += len(
        kinds.pop(kind)
    )
