"""The explorer's server: its page, and the data of the runs, for one browser on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..system.errors import InputError
from .concordance import concordance
from .emerged import emerged
from .explored import ANYTIME, ExploredRun
from .guard import Guard
from .live import LiveText
from .live_models import LiveModels
from .minimal_pairs import minimal_pairs
from .page import files
from .plain import to_json

MOST_PIECES = 2000
LARGEST_BODY = 64 * 1024
"""Bytes of a request: a sentence, not a book."""


def explorer(runs: Sequence[ExploredRun], token: str, hosts: frozenset[str]) -> Guard:
    """The application for one run or two. It holds the model of a run from its first sentence on."""
    service = _Service(runs)
    routes = [  # the first that fits is taken
        Route("/api/sentence", service.sentence, methods=["POST"]),
        Route("/api/{name}", service.data),
        Route("/", service.file),
        Route("/{name}", service.file),
    ]
    return Guard(Starlette(routes=routes), token, hosts)


class _Service:
    def __init__(self, runs: Sequence[ExploredRun]) -> None:
        self.runs = runs
        self.files = files(live=True)
        self.live = [LiveText(run) if run.source.whole is not None else LiveModels(run) for run in runs]
        self.lock = threading.Lock()
        self.kept: dict[tuple[str, int], str] = {}

    async def file(self, request: Request) -> Response:
        file = self.files.get(request.path_params.get("name", "index.html"))
        if file is None:
            return PlainTextResponse("There is no such page.\n", status_code=404)
        kind, content = file
        return Response(content, media_type=kind)

    async def data(self, request: Request) -> Response:
        if request.path_params["name"] == "sentence":
            return PlainTextResponse("A sentence is sent by POST.\n", status_code=405)
        return await _answer(lambda: self._data(request.path_params["name"], request.query_params))

    async def sentence(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("A sentence is sent as application/json.\n", status_code=415)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                return PlainTextResponse("The text is too long.\n", status_code=413)
        return await _answer(lambda: self._sentence(body))

    def _data(self, name: str, fields: Mapping[str, str]) -> str:
        with self.lock:  # one reader at a time: tables are read when they are first asked for
            if name == "runs":
                return to_json([run.summary() for run in self.runs])
            number = _integer(fields, "run", 0, len(self.runs) - 1)
            run = self.runs[number]
            if name == "concordance":
                query = fields.get("query", "")
                return to_json(concordance(run, query, fields.get("case") == "1", _chosen(run, fields)))
            if name == "types" and (chosen := _chosen(run, fields)).sum() < len(chosen):
                return to_json(run.types_in(chosen))
            if name == "passage":
                document = _integer(fields, "document", 0, len(run.bounds) - 2)
                start = _integer(fields, "start", 0, len(run.piece_ids))
                return to_json(run.passage(document, start, _integer(fields, "length", 1, MOST_PIECES)))
            if name not in (known := whole_of(run)):
                raise InputError(f"{name!r} is no data of the explorer")
            if (name, number) not in self.kept:
                self.kept[name, number] = to_json(known[name](run))
            return self.kept[name, number]

    def _sentence(self, body: bytes) -> str:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            raise InputError("the request is no JSON") from None
        if not isinstance(request, dict) or not isinstance(request.get("text"), str):
            raise InputError("a sentence needs its text")
        run, context = request.get("run", 0), request.get("context")
        if type(run) is not int or not 0 <= run < len(self.runs):
            raise InputError("there is no such run")
        if context is not None and (type(context) is not int or context < 1):
            raise InputError("context: give a number of tokens, 1 or more")
        with self.lock:
            return to_json(self.live[run].read(request["text"], context))


WHOLE: dict[str, Callable[[ExploredRun], Any]] = {
    "types": ExploredRun.types_table,
    "documents": ExploredRun.documents,
}
"""What is sent in one piece."""
OF_TOWERS: dict[str, Callable[[ExploredRun], Any]] = {"emerged": emerged, "pairs": minimal_pairs}
"""What only towers have: they were trained, and asked."""


def whole_of(run: ExploredRun) -> dict[str, Callable[[ExploredRun], Any]]:
    """What is sent of a run in one piece."""
    return WHOLE | ({} if run.source.whole is None else OF_TOWERS)


def _chosen(run: ExploredRun, fields: Mapping[str, str]) -> NDArray[np.bool_]:
    """The documents that the page's filter leaves, (documents,)."""
    return run.chosen_documents(fields.get("in", ""), *(
        _integer(fields, name, *ANYTIME, usual=usual) for name, usual in zip(("since", "until"), ANYTIME, strict=True)
    ))  # fmt: skip


def _integer(fields: Mapping[str, str], name: str, low: int, high: int, usual: int | None = None) -> int:
    text = fields.get(name, str(low if usual is None else usual))
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise InputError(f"{name}: expected a whole number from {low} to {high}")
    return int(text)


async def _answer(work: Callable[[], str]) -> Response:
    try:
        return Response(await run_in_threadpool(work), media_type="application/json")
    except InputError as error:
        return Response(to_json({"error": str(error)}), status_code=400, media_type="application/json")
