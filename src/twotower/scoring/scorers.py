"""Sources of log-probabilities of a text's tokens: models, heads of towers, and files, all used alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..config.schema import DiffConfig
from ..data.score_files import read_score_file
from ..system.errors import InputError
from ..system.processes import ALONE, Processes
from .about import About, Kind
from .batches import Batches
from .divergence import divergences
from .encoded import encode_documents, encoded_tokens, word_beginning_pieces
from .loading import ModelFiles, load_model, read_model_files, resolved_device
from .log_probs import Framing, TokenScores, rows_of, score_rows, window_of
from .named_models import NamedModel, parse_model


class Scorer:
    """A scorer of one text: it holds the tokens at once, and their log-probabilities when `score` is called."""

    def __init__(self, named: NamedModel, name: str, texts: Sequence[str], document_names: Sequence[str]) -> None:
        self.named, self.name = named, name
        self._log_probs: NDArray[np.float32] | None = None
        self.files: ModelFiles | None = None
        self.backend: Tokenizer | None = None
        self.pieces: list[str] = []
        if named.kind == "file":
            self._read_file(texts, document_names)
        else:
            self.files = read_model_files(named)
            self.backend = self.files.backend
            self.encoded = encode_documents(self.backend, texts)

    def _read_file(self, texts: Sequence[str], document_names: Sequence[str]) -> None:
        documents = read_score_file(self.named.place)
        by_name = {document.name: document for document in documents}
        matching = []
        for number, (name, text) in enumerate(zip(document_names, texts, strict=True)):
            document = by_name.get(name) or (documents[number] if len(documents) == len(texts) else None)
            if document is None or document.text != text:
                place = None if document is None else _first_difference(document.text, text)
                raise InputError(
                    f"diff: {self.named.given} is of another text: its tokens do not spell the document {name!r}"
                    + ("" if place is None else f" (they differ from character {place:,} on)")
                )
            matching.append(document)
        self.encoded, self.pieces = encoded_tokens([document.tokens for document in matching])
        self._log_probs = np.concatenate([document.log_probs for document in matching])

    @property
    def kind(self) -> Kind:
        """Which way it predicts."""
        return "file" if self.files is None else self.files.direction

    def score(
        self,
        settings: DiffConfig,
        unit_places: NDArray[np.bool_] | None,
        correct: bool,
        say: Callable[[str], None],
        processes: Processes = ALONE,
    ) -> tuple[TokenScores, About]:
        """Log-probabilities of all tokens; `unit_places` (tokens,) are those where words begin that are compared, and
        `correct` asks for the probability there that a word begins.

        The model is loaded here and let go again. Raises `InputError` for a model that cannot be loaded, or that
        cannot read its window.
        """
        if self.files is None:
            assert self._log_probs is not None
            corrected = None if unit_places is None else False
            return TokenScores(self._log_probs), About(
                self.name, self.named.given, "file", corrected=corrected, tokens=len(self.encoded)
            )
        assert self.backend is not None
        files = self.files
        model = load_model(files, settings.dtype, resolved_device(settings.device))
        window, step = self.window_and_step(model, settings)
        beginning = None
        if files.direction == "causal" and correct and unit_places is not None:
            beginning = word_beginning_pieces(self.backend)
        rows = rows_of(files, self.encoded, window, step)
        batches = Batches(settings.batch, say)
        scores = score_rows(model, rows, self.encoded, batches, f"score {self.name}", beginning, unit_places, processes)
        framing = Framing.of(files)
        corrected = None if unit_places is None else scores.beginnings is not None
        return scores, self._about(model, settings, window, step, framing, corrected)

    def window_and_step(self, model: Any, settings: DiffConfig) -> tuple[int, int]:
        """Tokens that the model reads at a time, and by which its window moves on.

        Raises `InputError` for a window that it cannot read, or that is longer than the whole text.
        """
        assert self.files is not None
        window = window_of(model, self.files, settings.window)
        if len(self.encoded) < window:
            raise InputError(
                f"corpus: {len(self.encoded):,} tokens of {self.named.given} are fewer than one of its windows of "
                f"{window:,}; give more text, or a smaller --window"
            )
        return window, window if settings.stride == "window" else max(1, window // 2)

    def _about(
        self, model: Any, settings: DiffConfig, window: int, step: int, framing: Framing, corrected: bool | None
    ) -> About:
        assert self.files is not None and self.backend is not None
        tokenizer = self.files.tokenizer
        unknown = tokenizer.unk_token_id
        return About(
            self.name, self.named.given, self.files.direction, type(model).__name__,
            sum(parameter.numel() for parameter in model.parameters()), type(tokenizer).__name__, len(tokenizer),
            _is_lossless(self.backend), 0.0 if unknown is None else float((self.encoded.ids == unknown).mean()),
            window, step, tuple(tokenizer.convert_ids_to_tokens(list(framing.before))),
            tuple(tokenizer.convert_ids_to_tokens(list(framing.after))),
            corrected, settings.dtype, self.named.revision, len(self.encoded),
        )  # fmt: skip


def require_models(settings: DiffConfig) -> None:
    """Raise `InputError` for the first that is no model, or for a missing device; no weights are read."""
    resolved_device(settings.device)
    for name in (*settings.models, *([settings.control] if settings.control else [])):
        named = parse_model(name)
        if named.kind == "file":
            read_score_file(named.place)
        else:
            read_model_files(named)


def pair_divergences(
    first: Scorer, second: Scorer, settings: DiffConfig, say: Callable[[str], None], processes: Processes = ALONE
) -> NDArray[np.float32]:
    """`score_table.MEASURES` of two models of one vocabulary, (measures, tokens); NaN where they were not measured.

    Both models read the same rows, as long as the shorter of their windows.
    """
    assert first.files is not None and second.files is not None
    device = resolved_device(settings.device)
    first_model, second_model = (load_model(files, settings.dtype, device) for files in (first.files, second.files))
    window, step = min(first.window_and_step(first_model, settings), second.window_and_step(second_model, settings))
    rows = rows_of(first.files, first.encoded, window, step)
    name, batches = f"divergence {first.name}, {second.name}", Batches(settings.batch, say)
    return divergences(first_model, second_model, rows, first.encoded, settings.divergence, batches, name, processes)


def same_vocabulary(scorers: Sequence[Scorer]) -> bool:
    """Whether all have the same entries under the same numbers, and the same tokens of the text."""
    first, *others = scorers
    if not all(first.encoded.same_as(scorer.encoded) for scorer in others):
        return False
    if any(scorer.backend is None for scorer in scorers):
        return False
    vocabulary = first.backend.get_vocab() if first.backend else {}
    return all(scorer.backend is not None and scorer.backend.get_vocab() == vocabulary for scorer in others)


def _first_difference(left: str, right: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


def _is_lossless(tokenizer: Tokenizer) -> bool:
    """Whether a probe with capitals, accents and white space comes back as it was."""
    probe = "A Été,  naïve Zürich.\nB"
    back = tokenizer.decode(tokenizer.encode(probe, add_special_tokens=False).ids, skip_special_tokens=False)
    return bool(back.strip() == probe)
