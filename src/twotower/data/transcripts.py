"""Text in lines that carry more than text: CHAT transcripts of talk, and vertical text (a word in each line)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ..system.errors import InputError
from .documents import Document
from .files import TextFile
from .textfiles import lines_of

_SPEAKER = re.compile(r"\*([^\s:]+):\s*(.*)", re.DOTALL)
_CHAT_CODES = (
    (re.compile(r"\x15[^\x15]*\x15"), " "),  # times in the recording
    (re.compile(r"\[[^\]]*\]"), " "),  # remarks on what precedes: [/], [//], [= …], [: …]
    (re.compile(r"(?<!\S)(?:&=\S+|&\*\S+|0\S*|\(\.+\)|\([\d.:]+\)|\+[\"^,<+]+)(?=\s|$)"), " "),  # events, pauses
    (re.compile(r"(?<!\S)(?:xxx|yyy|www)(?=\s|$)"), " "),  # what could not be heard
    (re.compile(r"\+[^\s\w]*([.?!])(?=\s|$)"), r"\1"),  # +... and +/. end an utterance
    (re.compile(r"(?<!\S)&[-+~]?(?=\w)"), ""),  # fillers and fragments: &-um
    (re.compile(r"(?<=\w)@\S+"), ""),  # forms: mama@f, hund@s:deu
    (re.compile(r"[<>‹›„“”↑↓⌈⌉⌊⌋∆∇°ˈˌ]|(?<=\w):(?=\w)|(?<=\w):(?=\s|$)"), ""),  # scope, overlap, prosody, length
    (re.compile(r"(?<=\w)\((\w+)\)|\((\w+)\)(?=\w)"), r"\1\2"),  # what was swallowed: (be)cause
    (re.compile(r"(?<=\w)_(?=\w)"), " "),  # compounds: Winnie_the_Pooh
)  # fmt: skip
"""https://talkbank.org/manuals/CHAT.html"""
_TAG = re.compile(r"</?([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/?>\s*$")
_TITLE = re.compile(r"""\b(?:id|title|name|n)\s*=\s*(["'])(.*?)\1""")


def read_chat(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """What was said in a CHAT transcript, an utterance in each line: the main tiers without their codes.

    `chosen` names speakers (`MOT,FAT`); without any, all are read. Raises `InputError` if they say nothing.
    """
    speakers = {speaker.strip().upper() for speaker in chosen.split(",") if speaker.strip()}
    there, utterances = dict[str, None](), list[str]()
    for speaker, utterance in _utterances(lines_of(file, encoding)):
        there[speaker] = None
        text = _spoken(utterance)
        if (not speakers or speaker.upper() in speakers) and re.search(r"\w", text):
            utterances.append(text + "\n")
    if speakers and not speakers & {speaker.upper() for speaker in there}:
        raise InputError(
            f"{file.place}: none of the speakers {', '.join(sorted(speakers))}; here are {', '.join(there)}"
        )
    yield Document(file.name, "".join(utterances))


def _utterances(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The speakers' tiers, each as one line; a line that begins with a tab goes on with the one before it."""
    tier = ""
    for line in lines:
        if line.startswith(("\t", " ")):
            tier += " " + line.strip()
            continue
        if match := _SPEAKER.match(tier):
            yield match.group(1), match.group(2)
        tier = line.strip()
    if match := _SPEAKER.match(tier):
        yield match.group(1), match.group(2)


def _spoken(utterance: str) -> str:
    for code, instead in _CHAT_CODES:
        utterance = code.sub(instead, utterance)
    return " ".join(utterance.split())


def read_vertical(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """Vertical text (VRT, as CWB and Sketch Engine read it): the first column of each line, a sentence in each line.

    `<text>` or `<doc>` begins a document, `<s>` and `<p>` end a line, and no space stands at `<g/>`. Raises
    `InputError` for a tag that is not closed in its line.
    """
    documents, name, words, glued = 0, "", list[str](), True
    for number, line in enumerate(lines_of(file, encoding), start=1):
        if tag := _TAG.match(line):
            kind = tag.group(1).lower()
            if kind in ("text", "doc"):
                if "".join(words).strip():
                    documents += 1
                    yield Document(name or f"{file.name}:{documents}", "".join(words).strip("\n") + "\n")
                title = _TITLE.search(tag.group(2))
                name, words = f"{file.name}/{html.unescape(title.group(2))}" if title else "", []
            if kind == "g":
                glued = True
            elif kind in ("s", "p", "text", "doc") and words and not words[-1].endswith("\n"):
                words.append("\n")
            glued = glued or kind in ("s", "p", "text", "doc")
        elif line.startswith("<") and re.match(r"</?(?:text|doc|s|p|g)\b", line):
            raise InputError(
                f"{file.place}: line {number}: a tag that does not end in its line; mend this vertical text"
            )
        elif line.strip() and not line.startswith("<!--"):
            words.append(("" if glued else " ") + html.unescape(line.rstrip("\r\n").split("\t")[0]))
            glued = False
    if "".join(words).strip():
        yield Document(name or f"{file.name}:{documents + 1}", "".join(words).strip("\n") + "\n")
