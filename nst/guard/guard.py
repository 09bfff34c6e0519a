"""The order in which a request is checked before Gradio sees it; each check is a module beside this one."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any

import gradio as gr
from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.gradio_faults import pending
from nst.guard import bodies, clients
from nst.guard.answers import outgoing, reason, refusal, served, tool_error
from nst.guard.budgets import LIMITS
from nst.guard.events import UNFIT, Events
from nst.guard.routes import route_of
from nst.guard.service import Service

_SMALL = 2**18  # bytes of a body that are read at once
_READ_AT_A_TIME = 2  # of the larger bodies, in threads: the page must not stand still meanwhile
_MOST_CALLS = 16  # of the MCP tool, each of which takes a thread
_FORGOTTEN = 30.0  # seconds between two looks for messages that nobody fetches
_NO_RUN = "There is no such run here, or somebody has begun to fetch its frames."
_NO_SESSION = {"msg": "unexpected_error", "message": "404", "success": False, "session_not_found": True}
Check = Callable[[dict[str, Any]], dict[str, Any]]  # makes of a body what Gradio is to read in its place


class Guard:
    """ASGI middleware through which every request goes."""

    def __init__(self, app: ASGIApp, service: Service, demo: gr.Blocks) -> None:
        self.app, self.service, self.demo = app, service, demo
        self._large = CapacityLimiter(_READ_AT_A_TIME)
        self._tidied = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand on what has passed every check."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        begun, nonce = False, ""

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": outgoing(message.get("headers", ()), nonce)}
            await send(message)

        try:
            route = route_of(scope["method"], scope["path"], scope["query_string"])
            if route is None:
                raise HTTPException(404, "There is nothing here.")
            client, heads = self._who(scope)
            scope = {**scope, "headers": heads}
            with self.service.budgets.spend(client, route.kind), self.service.files.coming(client) as came:
                receive = bodies.bounded(receive, LIMITS[route.kind].body, heads, came)
                if route.kind == "page":
                    nonce = scope["nonce"] = secrets.token_urlsafe(16)
                response = await self._answer(route.kind, Request(scope, receive), client, answer)
                if response:
                    await response(scope, receive, answer)
        except ClientDisconnect:
            pass
        except Exception as error:
            refused, nonce = refusal(*reason(error, scope)), ""
            if not begun:
                await refused(scope, receive, answer)

    def _who(self, scope: Scope) -> tuple[str, clients.Heads]:
        """Return who asks, and the headers as all behind this may see them."""
        heads = scope["headers"]
        word = next((value for name, value in heads if name == clients.CALL), b"")
        if call := self.service.calls.get(word.decode("latin-1")):
            own = [(clients.HEADER, call.client.encode()), (clients.CALL, word)]
            return call.client, clients.incoming(heads, own, proxied=True)
        client, proxied = clients.caller_of((scope.get("client") or [""])[0], heads)
        return client, clients.incoming(heads, [(clients.HEADER, client.encode())], proxied=proxied)

    async def _answer(self, kind: str, request: Request, client: str, send: Send) -> Response | None:
        """Return what answers a request of a kind; None if Gradio has answered."""
        path, events = request.scope["path"], Events(self.demo, self.service.files, client)
        checks: dict[str, Check] = {
            "join": partial(events.event, queued=True),
            "direct": partial(events.event, queued=False),
            "call": partial(events.call, by_name="/v2/" in path),
            "small": dict,
        }
        if kind in checks:
            await self._hand_on(await self._read(request, checks[kind]), request, send)
            return None
        match kind:
            case "health":
                health = await self.service.health(self.demo)
                return JSONResponse(health, 503 if health["status"] == "stuck" else 200)
            case "upload":
                return JSONResponse(await bodies.take_upload(self.service.files, request, client))
            case "progress":  # Gradio's own waits for an id, and anybody's id is as good as another's
                return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")
            case "file":
                return served(self.service.files, path.partition("=")[2])
            case "mcp":
                return await self._assist(events, request, send)
            case "listen" | "await":
                session = request.query_params.get("session_hash", "")
                if kind == "await":
                    session = pending.session_of(self.demo, path.rpartition("/")[2])
                if pending.is_known(self.demo, session):
                    with self.service.listeners.listening(session):
                        await self.app(request.scope, request.receive, send)
                    return None
                if kind == "await":
                    raise HTTPException(404, _NO_RUN)
                # As Gradio says it, which adds a traceback to the log each time.
                return Response(f"data: {json.dumps(_NO_SESSION)}\n\n", media_type="text/event-stream")
        await self.app(request.scope, request.receive, send)
        return None

    async def _assist(self, events: Events, request: Request, send: Send) -> Response | None:
        """Hand a message of MCP on; a call of a tool Gradio makes once more itself, with a word of ours."""
        message: dict[str, Any] = {}

        def check(given: dict[str, Any]) -> dict[str, Any]:
            message.update(given)
            return events.tool(given)

        try:
            body = await self._read(request, check)
        except (HTTPException, OSError) as error:
            if not message:  # it is no call yet that could be answered as one
                raise
            return tool_error(message, reason(error, request.scope)[1])
        if message.get("method") != "tools/call":
            await self._hand_on(body, request, send)
            return None
        if len(self.service.calls) >= _MOST_CALLS:
            return tool_error(message, "This host is full; try again in a few minutes.")
        call, word = clients.Call(events.client), secrets.token_hex(16)

        async def watched() -> Message:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                call.gone.set()
            return message

        # Of what came along, only this goes round: the rest would be taken for the inner call's own.
        kept = (b"host", b"accept", b"content-type", b"mcp-protocol-version", b"user-agent")
        heads = [pair for pair in request.scope["headers"] if pair[0] in kept]
        heads += [(clients.CALL, word.encode()), (clients.HEADER, events.client.encode())]
        self.service.calls[word] = call
        try:
            await self._hand_on(body, Request({**request.scope, "headers": heads}, watched), send)
        finally:
            call.gone.set()
            del self.service.calls[word]
        return None

    async def _read(self, request: Request, check: Check) -> dict[str, Any]:
        """Return what `check` makes of a body; large ones wait on the disk for their turn, not in memory."""
        with SpooledTemporaryFile(max_size=_SMALL) as spool:
            async for part in request.stream():
                spool.write(part)

            def read() -> dict[str, Any]:
                spool.seek(0)
                return check(bodies.parse(spool.read()))

            if spool.tell() <= _SMALL:
                return read()
            return await to_thread.run_sync(read, limiter=self._large)

    async def _hand_on(self, value: dict[str, Any], request: Request, send: Send) -> None:
        """Have Gradio answer to another body than was sent."""
        if time.monotonic() - self._tidied > _FORGOTTEN:
            self._tidied = now = time.monotonic()
            alone_for = self.service.listeners.alone_for
            pending.forget(self.demo, lambda session: alone_for(session, now - 300) > 60)
        body = json.dumps(value).encode()
        come = [{"type": "http.request", "body": body, "more_body": False}]
        replaced = False

        async def receive() -> Message:
            return come.pop() if come else await request.receive()

        async def answer(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 500:
                replaced = True
                await refusal(422, UNFIT)(request.scope, request.receive, send)
            elif not replaced:
                await send(message)

        stale = (b"content-length", b"transfer-encoding")
        heads = [pair for pair in request.scope["headers"] if pair[0] not in stale]
        heads.append((b"content-length", str(len(body)).encode()))
        await self.app({**request.scope, "headers": heads}, receive, answer)
