"""Taggers of other packages, where the user has installed them and a model: spaCy and Stanza."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ..system.errors import InputError
from .documents import Tagger, Word


def spacy_pipeline(language: str) -> str:
    """The installed pipeline of spaCy for a language, the first by name; empty if there is none."""
    if find_spec("spacy") is None:
        return ""
    from spacy.util import get_installed_models

    return next((str(name) for name in sorted(get_installed_models()) if name.startswith(f"{language}_")), "")


def stanza_has(language: str) -> bool:
    """Whether Stanza and its models of a language are installed, without loading them or asking the network."""
    if find_spec("stanza") is None:
        return False
    place = os.environ.get("STANZA_RESOURCES_DIR") or Path.home() / "stanza_resources"
    return (Path(place) / language / "pos").is_dir()


def load_spacy(pipeline: str) -> Tagger:
    """A pipeline of spaCy as a tagger. Raises `InputError` where it is not installed."""
    try:
        import spacy

        model = spacy.load(pipeline)
    except (ImportError, OSError) as error:
        raise InputError(
            f"prepare.tagger: spaCy's pipeline {pipeline!r} is not installed ({error.__class__.__name__}); "
            f"`pip install spacy` and `python -m spacy download {pipeline}`, or use --prepare.tagger auto"
        ) from None

    def tag(text: str) -> list[Word]:
        from .tokenization import chunks

        words = []
        for begin, finish in chunks(text, limit=min(model.max_length, 100_000)):
            for token in model(text[begin:finish]):
                if not token.is_space:
                    start = begin + token.idx
                    words.append(Word(start, start + len(token), token.pos_ or "X", tag=f"{token.tag_} {token.morph}"))
        return words

    return lambda texts: [tag(text) for text in texts]


def load_stanza(language: str) -> Tagger:
    """Stanza's tagger of a language; a multiword token is one word with the tag of its first part, as in treebanks.

    Raises `InputError` where Stanza or its model is not installed; nothing is fetched.
    """
    try:
        import stanza

        model = stanza.Pipeline(language, processors="tokenize,pos", download_method=None, verbose=False)
    except Exception as error:  # Stanza has errors of its own for models that are missing
        raise InputError(
            f"prepare.tagger: Stanza has no model of {language!r} here ({error.__class__.__name__}); "
            f'`pip install stanza` and `python -c "import stanza; stanza.download({language!r})"`, or use '
            "--prepare.tagger auto"
        ) from None

    def tag(texts: Sequence[str]) -> list[list[Word]]:
        filled = [text for text in texts if text.strip()]
        read = iter(model.bulk_process(filled) if filled else [])
        return [
            [
                Word(token.start_char, token.end_char, token.words[0].upos or "X", tag=token.words[0].feats or "")
                for sentence in next(read).sentences for token in sentence.tokens
            ]
            if text.strip() else []
            for text in texts
        ]  # fmt: skip

    return tag
