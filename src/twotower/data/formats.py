"""The table of readers: which kind of file is which, by suffix and content. A format is a line in `READERS`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..config.schema import PrepareConfig
from ..system.errors import InputError
from .conllu import COLUMNS, GLOBAL, read_conllu
from .documents import Document
from .files import TextFile
from .markup import read_html, read_wikiextractor, read_xml
from .sections import cut_text
from .tables import separator_of
from .text_tables import NUMBERED, TEXT, read_json, read_json_lines, read_parquet, read_table
from .textfiles import blocks_of, decode, encoding_of, lines_of, split_lines
from .transcripts import read_chat, read_vertical

Read = Callable[[TextFile, PrepareConfig, str], Iterator[Document]]


@dataclass(frozen=True)
class Reader:
    """A format, how it is known, and what reads it."""

    format: str
    suffixes: frozenset[str]
    read: Read
    """From a file, the settings, and what stands behind the `#` of its name, to documents."""
    chooses: str = ""
    """What may stand behind the `#`: columns or speakers; empty for nothing."""
    cut: bool = False
    """Whether `prepare.documents` cuts its texts into lines or blocks."""


def _encoded(read: Callable[[TextFile, str, str], Iterator[Document]]) -> Read:
    return lambda file, settings, chosen: read(file, settings.encoding, chosen)


def _plain(file: TextFile, settings: PrepareConfig, chosen: str) -> Iterator[Document]:
    if settings.documents == "file" and settings.section_words:
        yield from cut_text(file.name, split_lines(file, settings.encoding), settings.section_words)
        return
    if settings.documents == "file":
        yield Document(file.name, decode(file, settings.encoding))
        return
    for number, text in blocks_of(file, settings.encoding, by_line=settings.documents == "line"):
        yield Document(f"{file.name}:{number}", text)


def _wikiextractor(file: TextFile, settings: PrepareConfig, chosen: str) -> Iterator[Document]:
    for title, text in read_wikiextractor(lines_of(file, settings.encoding)):
        yield Document(f"{file.name}/{title}", text)


def _treebank(file: TextFile, settings: PrepareConfig, chosen: str) -> Iterator[Document]:
    return read_conllu(file, settings.encoding, tags=settings.tagger in ("auto", "gold"))


TREEBANK = Reader("CoNLL-U", frozenset({".conllu", ".conll", ".conllx", ".conllup"}), _treebank, cut=True)
PLAIN = Reader("text", frozenset({".txt", ".text", ".raw", ".tokens", ".asc"}), _plain)
MARKDOWN = Reader("Markdown", frozenset({".md", ".markdown", ".rst"}), _plain)
OTHER = Reader("text without a suffix of text", frozenset(), _plain)
JSON_LINES = Reader("JSON Lines", frozenset({".jsonl", ".ndjson", ".jsonlines"}), _encoded(read_json_lines), "columns")
JSON = Reader("JSON", frozenset({".json"}), _encoded(read_json), "columns")
TABLE = Reader("CSV", frozenset({".csv"}), _encoded(read_table), "columns")
TABBED = Reader("TSV", frozenset({".tsv", ".tab"}), _encoded(read_table), "columns")
PARQUET = Reader("Parquet", frozenset({".parquet"}), _encoded(read_parquet), "columns")
XML = Reader("XML", frozenset({".xml", ".tei", ".xhtml"}), _encoded(read_xml), cut=True)
HTML = Reader("HTML", frozenset({".html", ".htm"}), _encoded(read_html), cut=True)
CHAT = Reader("CHAT", frozenset({".cha"}), _encoded(read_chat), "speakers", cut=True)
VERTICAL = Reader("vertical text", frozenset({".vrt", ".vert"}), _encoded(read_vertical), cut=True)
WIKIEXTRACTOR = Reader("WikiExtractor", frozenset(), _wikiextractor, cut=True)
READERS = (
    TREEBANK, PLAIN, MARKDOWN, OTHER, JSON_LINES, JSON, TABLE, TABBED, PARQUET, XML, HTML, CHAT, VERTICAL,
    WIKIEXTRACTOR,
)  # fmt: skip
"""All formats that can be read."""

_REFUSED: tuple[tuple[bytes | tuple[bytes, ...], str, str], ...] = (
    (b"%PDF", "PDF", "`pdftotext FILE.pdf`"),
    (b"{\\rtf", "RTF", "a word processor (save as text), or `pandoc -f rtf -t plain`"),
    (b"\xd0\xcf\x11\xe0", "a file of Microsoft Office before 2007", "`soffice --convert-to txt`"),
    (b"Rar!", "a RAR archive", "unrar, and give the folder"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "7z, and give the folder"),
    (b"\x1f\x9d", "a file compressed by compress", "gunzip"),
    (b"SQLite format 3", "an SQLite database", "an export of the text as CSV"),
    (b"\x89HDF", "HDF5", "an export of the text as CSV or Parquet"),
    (b"ARROW1", "an Arrow file", "`datasets` or PyArrow, as Parquet"),
    (b"Obj\x01", "Avro", "an export of the text as JSON Lines"),
    ((b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5"), "a pickle", "an export of the text (nothing is unpickled here)"),
    (b"\x93NUMPY", "a NumPy array", "the text that it was made from"),
    (b"\x7fELF", "a program", ""), (b"MZ\x90", "a program", ""), (b"\x89PNG", "a picture", ""),
    (b"GIF8", "a picture", ""), (b"\xff\xd8\xff", "a picture", ""),
    (b"RIFF", "a sound or a film", ""), ((b"ID3\2", b"ID3\3", b"ID3\4"), "a sound", ""),
    (b"WEBVTT", "subtitles", "their text without times"), (b"\\documentclass", "LaTeX", "`pandoc -f latex -t plain`"),
    (b"-DOCSTART-", "a file of CoNLL-2003", "a treebank in CoNLL-U, or its words as text"),
    (b"OggS", "a sound", ""), (b"fLaC", "a sound", ""), (b"AT&TFORM", "DjVu", "`djvutxt`"),
)  # fmt: skip
"""First bytes, what they mean, and what makes text of it."""
_MEMBER = rb"PK\x03\x04.{26}%s/[\w/.-]*\.(?:xml|rels)"
"""A file of Office in an archive; an archive of texts may have a folder, or a text, with `word/` in it."""
_REFUSED_ZIPS = (
    (_MEMBER % b"word", "a Word document (docx)", "`pandoc FILE.docx -t plain -o FILE.txt`"),
    (_MEMBER % b"xl", "an Excel sheet (xlsx)", "a spreadsheet, saved as CSV in UTF-8"),
    (_MEMBER % b"ppt", "a PowerPoint file (pptx)", "an export of its text"),
    (rb"mimetype.{0,40}application/epub", "an EPUB book", "`pandoc FILE.epub -t plain -o FILE.txt`"),
    (
        rb"mimetype.{0,40}application/vnd\.oasis\.opendocument",
        "an OpenDocument file (odt, ods)",
        "`pandoc FILE.odt -t plain -o FILE.txt`",
    ),
)
_REFUSED_SUFFIXES = {
    ".tex": ("LaTeX", "`pandoc FILE.tex -t plain -o FILE.txt`"),
    ".ipynb": ("a notebook", "`jupyter nbconvert --to markdown`"),
    ".docbook": ("DocBook", "`pandoc -f docbook -t plain`"),
    ".srt": ("subtitles", "their text without numbers and times"),
    ".vtt": ("subtitles", "their text without times"),
    ".eaf": ("an ELAN file", "ELAN, exported as text"),
    ".textgrid": ("a Praat TextGrid", "Praat, saved as a table with a column text"),
}
_SUBTITLES = re.compile(rb"(?:\xef\xbb\xbf)?\s*\d+\s*\n\d+:\d\d:\d\d[,.]\d+ --> ")
"""How SubRip begins, whatever the file is called."""
NO_PROSE = frozenset({
    ".py", ".sh", ".bat", ".log", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".js", ".ts", ".css", ".c", ".cc",
    ".cpp", ".h", ".hpp", ".java", ".rs", ".go", ".r", ".rb", ".pl", ".php", ".lua", ".sql", ".bib", ".lock", ".xsl",
    ".xslt", ".xsd", ".dtd", ".rng", ".rnc", ".sample", ".patch", ".diff", ".make", ".mk", ".cmake", ".ps1", ".md5",
    ".sha256",
})  # fmt: skip
"""Suffixes of programs, settings and logs; they are read where they are named themselves."""


def refusal(file: TextFile) -> InputError | None:
    """Why a file has a format that cannot be read, and what turns it into text; None if it can be read."""
    refused: tuple[str, str] | None = None
    if file.head.startswith(b"PK\3\4"):
        refused = next(
            ((kind, way) for mark, kind, way in _REFUSED_ZIPS if re.search(mark, file.head, re.DOTALL)), None
        )
    else:
        refused = next(((kind, way) for magic, kind, way in _REFUSED if file.head.startswith(magic)), None)
    refused = refused or _REFUSED_SUFFIXES.get(".srt" if _SUBTITLES.match(file.head) else file.suffix)
    if refused is None:
        return None
    kind, way = refused
    return InputError(
        f"{file.place} is {kind}, which is not read; " + (f"convert it with {way}" if way else "leave it out")
    )


def reader_of(file: TextFile, encoding: str) -> Reader:
    """What reads a file: the format that its content shows beyond doubt, else that of its suffix, else plain text.

    Raises `InputError` for formats that are not read, naming the format and the way to make text of it.
    """
    if (refused := refusal(file)) is not None:
        raise refused
    if file.head.startswith(b"PAR1"):
        return PARQUET
    beginning = file.head.decode(encoding_of(file.head[:4], encoding), "replace").removeprefix("\ufeff")
    lines = [line for line in beginning.split("\n")[:60] if line.strip()]
    if len(beginning) > 1 and beginning[-1] != "\n" and len(file.head) >= 1 << 14:
        lines = lines[:-1] or lines  # the last one is cut off
    by_suffix = next((reader for reader in READERS if file.suffix in reader.suffixes), None)
    by_content = _content(lines, beginning.lstrip()[:600])
    if by_content is XML and by_suffix in (HTML, VERTICAL):
        return by_suffix
    if by_content is JSON and by_suffix is JSON_LINES:
        return by_suffix
    if by_content is JSON_LINES and by_suffix is JSON and len(lines) == 1 and _is_one_line(file, encoding):
        return by_suffix
    if by_content in (TABLE, TABBED) and by_suffix not in (None, PLAIN, TABLE, TABBED):
        by_content = None
    return by_content or by_suffix or OTHER


def _is_one_line(file: TextFile, encoding: str) -> bool:
    return sum(1 for line in islice(lines_of(file, encoding), 2) if line.strip()) == 1


def _content(lines: list[str], begins: str) -> Reader | None:
    """The format that the first lines show beyond doubt."""
    first = lines[0] if lines else ""
    if first.startswith(GLOBAL):
        return TREEBANK
    if first.startswith(("@UTF8", "@Begin", "@Font:", "@Window:")):
        return CHAT
    if _is_treebank(lines):
        return TREEBANK
    if first.startswith("<doc id=") and "url=" in first:
        return WIKIEXTRACTOR
    if re.match(r"<!doctype html|<html\b", begins, re.IGNORECASE):
        return HTML
    if _is_vertical(lines):
        return VERTICAL
    if re.match(r"<\?xml\b|<!DOCTYPE\b|<!--|<[A-Za-z][\w:.-]*(\s[^<>]*)?>", begins):
        return HTML if re.search(r"<html\b", begins, re.IGNORECASE) and "xhtml" not in begins else XML
    if first.lstrip().startswith(("{", "[")):
        return _json(lines, begins)
    return _table(lines)


def _json(lines: list[str], begins: str) -> Reader | None:
    def is_value(line: str) -> bool:
        try:
            return isinstance(json.loads(line), (dict, list))
        except (ValueError, RecursionError):
            return False

    if begins.startswith("{") and is_value(lines[0]):
        return JSON if len(lines) == 1 else JSON_LINES if is_value(lines[1]) else None
    if re.match(r"""\{\s*"[^"\n]*"\s*:|\[\s*(\{\s*["}]|")""", begins):
        return JSON if len(lines) > 1 or begins.startswith("[") else JSON_LINES
    return None


def _is_treebank(lines: list[str]) -> bool:
    rows = [line for line in lines if not line.startswith("#")]
    columns = rows[0].count("\t") + 1 if rows else 0
    numbered = columns == COLUMNS or (columns > 4 and rows[0].startswith("1\t"))  # of other columns, to be refused
    return numbered and all(re.match(r"\d+(?:[-.]\d+)?\t", row) and row.count("\t") == columns - 1 for row in rows[:20])


def _is_vertical(lines: list[str]) -> bool:
    """A tag alone in each of some lines, and a word with its columns in most others."""
    tags = [line for line in lines if re.match(r"</?(?:text|doc|corpus|s|p)\b[^<>]*>\s*$", line)]
    rows = [line for line in lines if not line.startswith("<")]
    return (
        bool(tags) and lines[0].startswith("<") and len(rows) > 3 and sum("\t" in row for row in rows) > len(rows) / 2
    )


def _table(lines: list[str]) -> Reader | None:
    """A heading `text` among others of a few letters, and rows of as many cells; or lines with a number each."""
    if not lines:
        return None
    delimiter = separator_of(lines[0])
    headings = [cell.strip().strip('"').lower() for cell in lines[0].split(delimiter)]
    reader = TABBED if delimiter == "\t" else TABLE
    if len(headings) > 1 and TEXT in headings and all(re.fullmatch(r"[\w .-]{0,30}", cell) for cell in headings):
        return reader
    numbered = [NUMBERED.match(line.rstrip("\r")) for line in lines[:20]]
    return TABBED if len(lines) > 3 and all(numbered) else None
