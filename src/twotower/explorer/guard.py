"""Who may talk to the explorer: this machine's browser, on the address that was printed, and nobody else.

A page of another site can make a browser send requests to 127.0.0.1, and by DNS rebinding even read the answers. So the
Host must be this server's own (OWASP, Server-Side Request Forgery and DNS rebinding), an Origin, where there is one,
must be too, and the path begins with a token that only the printed address has.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy (W3C, level 3): nothing from other hosts, no inline script or style, no frame around it."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware that answers 403 unless a request has the token, the Host and the Origin, and removes the token.

    `hosts` are the values of Host that are this server's own, with its port.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self.app = app
        self.token = token
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self._refused(scope)
        if refused:
            answer = PlainTextResponse(f"{refused}\n", status_code=403)
            await answer(scope, receive, _with_headers(send))
            return
        inner = dict(scope)
        inner["path"] = scope["path"][len(self.token) + 1 :] or "/"
        inner["raw_path"] = inner["path"].encode()
        await self.app(inner, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> str:
        """Why a request is refused; empty if it is not."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self.hosts]:
            return "This server answers only under its own address on this machine (unknown Host)."
        origins = headers.getlist("origin")
        if any(origin not in {f"http://{host}" for host in self.hosts} for origin in origins):
            return "This server answers only its own page (foreign Origin)."
        token = scope["path"].lstrip("/").split("/", 1)[0]
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return "Open the whole address that “twotower explore” printed: its token is missing here."
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
