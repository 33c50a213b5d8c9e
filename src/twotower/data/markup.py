"""Text of XML (TEI and others) and of HTML, without its markup; nothing outside of the file is ever opened."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ..system.errors import InputError, one_line
from .documents import Document
from .files import TextFile
from .textfiles import encoding_of, undecodable

_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_MEANT = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "utf-16": "utf-8"}
"""What browsers read where a page names these (https://encoding.spec.whatwg.org)."""
_SPACES = re.compile(r"\s+")
LINE = "\0"
"""Ends a line, once however often it comes; no text of XML or HTML has it."""
_ENDS = re.compile(rf"[ \t]*[\n{LINE}][\s{LINE}]*")


@dataclass(frozen=True)
class Vocabulary:
    """What the elements of a markup language do to the text in them; all others are blocks, as paragraphs are."""

    inline: frozenset[str]
    lines: frozenset[str]
    """End a line, not a paragraph."""
    skipped: frozenset[str]
    """Hold no text of the document."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


XML = Vocabulary(
    inline=_names(
        "hi emph i b em strong ref a span foreign w pc c m name persname placename orgname date time num term choice "
        "sub sup seg q said abbr expan corr sic reg orig add del unclear supplied gap rs mentioned socalled distinct "
        "s mw measure geogname anchor ptr forename surname rolename milestone pb cb ex am subst app rdg lem phr cl g "
        "link title"
    ),
    lines=_names("l lb item row cell speaker u tr br li"),
    skipped=_names("teiheader header fw note figdesc sic orig abbr del rdg binary"),
)
"""TEI (https://tei-c.org/guidelines), whose names others share. Of a choice the corrected, regular or long form is
read; notes, running heads and other readings are not."""
HTML = Vocabulary(
    inline=_names(
        "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q ruby rb s samp small span "
        "strike strong sub sup time tt u var wbr"
    ),
    lines=_names("br li tr dt dd option"),
    skipped=_names("head script style noscript template nav form button select textarea svg math rt rp iframe object"),
)
_DOCUMENTS = _names("doc document text article story page record")
"""Elements of XML other than TEI that are a document each."""
_REFUSED = {
    "mediawiki": "a dump of MediaWiki; give hf:wikimedia/wikipedia, or texts made from it, such as WikiExtractor's",
    "svg": "an SVG drawing; leave it out",
    "html": "XHTML that is not well-formed",
}


def read_xml(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """TEI: a document for each division of a text's body, or for the body. Other XML: one for each element called doc,
    document, text, article, story, page or record, or for the whole file.

    Raises `InputError`, with the line, for what is not well-formed, and for entities that the file does not define.
    """
    # Entities from other files, which may be any, are never resolved; libxml2 bounds those that unfold into each other.
    parser = etree.XMLParser(resolve_entities="internal", no_network=True, load_dtd=False, remove_pis=True)
    try:
        with file.open() as stream:
            root = etree.parse(stream, parser).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        if getattr(error, "errno", None) is not None:  # the disk's; libxml2's, of a byte in another encoding, has none
            raise
        reason = one_line(error, 120)
        raise InputError(
            f"{file.place}: not well-formed XML ({reason}); mend it, have it name its encoding, or leave it out"
        ) from None
    kind = _tag(root)
    if kind in _REFUSED and kind != "html":
        raise InputError(f"{file.place} is {_REFUSED[kind]}")
    if kind == "html":
        parts = [[element] for element in _outermost(root, frozenset({"body"}))] or [[root]]
    elif kind.startswith("tei"):
        parts = [part for body in _bodies(root) for part in _divisions(body)]
    else:
        parts = [[element] for element in _outermost(root, _DOCUMENTS - {kind})] or [[root]]
    vocabulary = HTML if kind == "html" else XML
    yield from _documents((_text(part, vocabulary, file) for part in parts), file)


def read_html(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """The text of an HTML page without scripts, forms and navigation; several `article`s are a document each."""
    with file.open() as stream:
        data = stream.read()
    named, meta = encoding_of(data[:4], encoding), _CHARSET.search(data[:2048])
    if meta and not data.startswith(codecs.BOM_UTF8):
        declared = meta[1].decode("ascii").lower()
        named = encoding_of(data[:4], _MEANT.get(declared, declared))
    try:
        page = data.decode(named)
    except UnicodeDecodeError as error:  # libxml2 would put other characters there
        raise undecodable(file, named, error.start) from None
    try:
        parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = etree.fromstring(page.encode(), parser)
    except (etree.ParserError, etree.XMLSyntaxError, LookupError) as error:
        raise InputError(f"{file.place}: not HTML that can be read ({one_line(error, 120)}); leave it out") from None
    if root is None:
        return
    articles = _outermost(root, frozenset({"article"}))
    parts = articles if len(articles) > 1 else _outermost(root, frozenset({"body"})) or [root]
    yield from _documents((_text([part], HTML, file) for part in parts), file)


def read_wikiextractor(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Titles and texts of what WikiExtractor writes: `<doc id=… title="…">`, text with entities, `</doc>`."""
    title, text = "", list[str]()
    for line in lines:
        if line.startswith("<doc id="):
            match = re.search(r'title="(.*)">', line)
            title, text = html.unescape(match.group(1)) if match else line.strip(), []
        elif line.startswith("</doc>"):
            yield title, "".join(text)
            text = []
        else:
            text.append(html.unescape(line))


def _documents(texts: Iterator[str], file: TextFile) -> Iterator[Document]:
    """Names them by number where there are several."""
    first = next((text for text in texts if text), "")
    number = 1
    for number, text in enumerate((text for text in texts if text), start=2):
        if number == 2:
            yield Document(f"{file.name}:1", first)
        yield Document(f"{file.name}:{number}", text)
    if number == 1 and first:
        yield Document(file.name, first)


def _tag(node: Any) -> str:
    """The name of an element without its namespace, in lower case; empty for comments and the like."""
    return str(node.tag).rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _outermost(root: Any, names: frozenset[str]) -> list[Any]:
    outermost = list[Any]()
    below = [root]
    while below:
        node = below.pop()
        if _tag(node) in names:
            outermost.append(node)
        else:
            below.extend(reversed(node))
    return outermost


def _bodies(root: Any) -> list[Any]:
    """The bodies of all texts of a TEI file; a text in a group has one of its own."""
    return _outermost(root, frozenset({"body"})) or _outermost(root, frozenset({"text"})) or [root]


def _divisions(body: Any) -> list[list[Any]]:
    """The children of a body: each division alone, what stands between them together."""
    parts = list[list[Any]]()
    open_part = False
    for child in body:
        division = _tag(child) in ("div", "div0", "div1", "lg") if _tag(child) else False
        if division or not open_part:
            parts.append([])
        parts[-1].append(child)
        open_part = not division
    return [[body]] if not parts or (body.text or "").strip() else parts


def _text(nodes: list[Any], vocabulary: Vocabulary, file: TextFile) -> str:
    """The text below some elements: a blank line between blocks, a space for other white space."""
    pieces = list[str]()
    # A stack of its own: documents are nested deeper than Python's calls may be.
    stack: list[tuple[Any, bool]] = [(node, False) for node in reversed(nodes)]
    top = {id(node) for node in nodes}
    while stack:
        node, closes = stack.pop()
        tag = _tag(node)
        mark = "" if tag in vocabulary.inline else LINE if tag in vocabulary.lines else "\n\n"
        if node.tag is etree.Entity:
            pieces.append(_entity(node, file))
        elif tag and not closes and not _is_skipped(node, tag, vocabulary):
            if tag in ("w", "mw") and pieces and not pieces[-1][-1:].isspace() and node.get("join") is None:
                pieces.append(" ")
            pieces += [mark, _flowing(node.text)]
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node))
            continue
        elif closes:
            pieces.append(mark)
        if id(node) not in top:
            pieces.append(_flowing(node.tail))
    text = _ENDS.sub(lambda ends: "\n\n" if "\n" in ends.group() else "\n", "".join(pieces))
    return re.sub(r" {2,}", " ", text).strip()


def _is_skipped(node: Any, tag: str, vocabulary: Vocabulary) -> bool:
    if tag in ("sic", "orig", "abbr"):
        return _tag(node.getparent()) == "choice" if node.getparent() is not None else False
    return tag in vocabulary.skipped


def _flowing(text: str | None) -> str:
    """White space that only lays out the file is one space; a blank line stays."""
    return "" if not text else _SPACES.sub(lambda match: "\n\n" if match.group().count("\n") > 1 else " ", text)


def _entity(node: Any, file: TextFile) -> str:
    known = html.unescape(f"&{node.name};")
    if known == f"&{node.name};":
        raise InputError(
            f"{file.place}: line {node.sourceline}: the entity &{node.name}; is not defined in this file; "
            "define it, or write its character"
        )
    return known
