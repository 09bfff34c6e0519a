"""The order in which a request is checked before Gradio sees it; each check is a module beside this one."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from tempfile import SpooledTemporaryFile
from typing import Any

import gradio as gr
from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.gradio_faults import pending
from nst.guard import bodies, clients, files, headers
from nst.guard.answers import reason, refusal, tool_error
from nst.guard.budgets import limit
from nst.guard.events import UNFIT, Events
from nst.guard.routes import match
from nst.guard.service import Service

_SMALL = 2**18  # bytes of a body that are read at once
_READ_AT_A_TIME = 2  # of the larger bodies, in threads: the page must not stand still meanwhile
_MOST_CALLS = 16  # of the MCP tool, each of which takes a thread
_FORGOTTEN = 30.0  # seconds between two looks for messages that nobody fetches


class Guard:
    """ASGI middleware before Gradio."""

    def __init__(self, app: ASGIApp, service: Service, demo: gr.Blocks) -> None:
        self.app, self.service, self.demo = app, service, demo
        self.events = Events(demo, service.files)
        # Each returns what answers: a response, or Gradio with what was read; all else goes to it as it is.
        self._handlers: dict[str, Callable[[Request, str], Awaitable[ASGIApp]]] = {
            "health": self._health,
            "upload": self._upload,
            "progress": self._progress,
            "file": self._file,
            "join": self._event,
            "direct": self._event,
            "call": self._call,
            "small": self._small,
            "listen": self._listen,
            "await": self._await,
            "mcp": self._mcp,
        }
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
                message = {**message, "headers": headers.outgoing(message.get("headers", ()), nonce)}
            await send(message)

        try:
            route = match(scope["method"], scope["path"], scope["query_string"])
            if route is None:
                raise HTTPException(404, "There is nothing here.")
            (client, proxied), own = self._who(scope)
            scope = {**scope, "headers": headers.incoming(scope["headers"], own, proxied=proxied)}
            with self.service.budgets.spend(client, route.kind), self.service.files.coming(client) as came:
                receive = bodies.bounded(receive, limit(route.kind).body, scope["headers"], came)
                if route.kind == "page":
                    nonce = scope["nonce"] = secrets.token_urlsafe(16)
                handler = self._handlers.get(route.kind)
                app = await handler(Request(scope, receive), client) if handler else self.app
                await app(scope, receive, answer)
        except ClientDisconnect:
            pass
        except Exception as error:
            refused, nonce = refusal(*reason(error, scope)), ""
            if not begun:
                await refused(scope, receive, answer)

    def _who(self, scope: Scope) -> tuple[clients.Caller, headers.Heads]:
        """Return who asks, and the headers that tell everything behind this."""
        word = next((value for name, value in scope["headers"] if name == clients.CALL), b"")
        if call := self.service.calls.get(word.decode("latin-1")):
            own = [(clients.HEADER, call.client.encode()), (clients.CALL, word)]
            return clients.Caller(call.client, proxied=True), own
        caller = clients.caller_of((scope.get("client") or [""])[0], scope["headers"])
        return caller, [(clients.HEADER, caller.network.encode())]

    # What is answered here

    async def _health(self, request: Request, client: str) -> ASGIApp:
        payload = await self.service.health(self.demo)
        return JSONResponse(payload, 503 if payload["status"] == "stuck" else 200)

    async def _upload(self, request: Request, client: str) -> ASGIApp:
        return JSONResponse(await files.take_upload(self.service.files, request, client))

    async def _progress(self, request: Request, client: str) -> ASGIApp:
        # Gradio's own waits for an id, and anybody's id is as good as another's.
        return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")

    async def _file(self, request: Request, client: str) -> ASGIApp:
        return files.served(self.service.files, request.scope["path"].partition("=")[2])

    # What is handed on, once it has been read

    async def _event(self, request: Request, client: str) -> ASGIApp:
        queued = request.scope["path"].endswith("/join")
        body = await self._read(request, lambda data: self.events.event(data, client, queued=queued))
        return self._with_body(body)

    async def _call(self, request: Request, client: str) -> ASGIApp:
        by_name = "/v2/" in request.scope["path"]
        body = await self._read(request, lambda data: self.events.call(data, client, by_name=by_name))
        return self._with_body(body)

    async def _small(self, request: Request, client: str) -> ASGIApp:
        return self._with_body(await self._read(request, bodies.parse))

    async def _mcp(self, request: Request, client: str) -> ASGIApp:
        """Hand an assistant's call on; Gradio makes it once more itself, by which it is known again."""
        given: dict[str, Any] = {}

        def admitted(data: bytes) -> dict[str, Any]:
            given.update(bodies.parse(data))
            return self.events.tool(given, client)

        try:
            body = await self._read(request, admitted)
        except (HTTPException, OSError) as error:
            if not given:  # it is no call yet that could be answered as one
                raise
            return tool_error(given, reason(error, request.scope)[1])
        if given.get("method") != "tools/call":
            return self._with_body(body)
        if len(self.service.calls) >= _MOST_CALLS:
            return tool_error(given, "This host is full; try again in a few minutes.")

        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            word, call = secrets.token_hex(16), clients.Call(client)

            async def watched() -> Message:
                message = await receive()
                if message["type"] == "http.disconnect":
                    call.gone.set()
                return message

            # Of what came along, only this goes round: the rest would be taken for the inner call's own.
            kept = (b"host", b"accept", b"content-type", b"mcp-protocol-version", b"user-agent")
            heads = [(name, value) for name, value in scope["headers"] if name in kept]
            heads += [(clients.CALL, word.encode()), (clients.HEADER, client.encode())]
            self.service.calls[word] = call
            try:
                await self._with_body(body)({**scope, "headers": heads}, watched, send)
            finally:
                call.gone.set()
                del self.service.calls[word]

        return called

    async def _read(self, request: Request, work: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
        """Return what `work` makes of a body; large ones wait on the disk for their turn, not in memory."""
        with SpooledTemporaryFile(max_size=_SMALL) as spool:
            async for part in request.stream():
                spool.write(part)

            def read() -> dict[str, Any]:
                spool.seek(0)
                return work(spool.read())

            if spool.tell() <= _SMALL:
                return read()
            return await to_thread.run_sync(read, limiter=self._large)

    def _with_body(self, value: dict[str, Any]) -> ASGIApp:
        """Return Gradio with another body than was sent."""
        self._tidy()
        body = json.dumps(value).encode()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            replaced = False

            async def answer(message: Message) -> None:
                nonlocal replaced
                if message["type"] == "http.response.start" and message["status"] == 500:
                    replaced = True
                    await refusal(422, UNFIT)(scope, receive, send)
                elif not replaced:
                    await send(message)

            stale = (b"content-length", b"transfer-encoding")
            heads = [pair for pair in scope["headers"] if pair[0] not in stale]
            heads.append((b"content-length", str(len(body)).encode()))
            await self.app({**scope, "headers": heads}, bodies.replay(body, receive), answer)

        return app

    async def _listen(self, request: Request, client: str) -> ASGIApp:
        session = request.query_params.get("session_hash", "")
        if pending.is_known(self.demo, session):
            return self._heard(session)
        # As Gradio says it, which adds a traceback to the log each time.
        payload = {"msg": "unexpected_error", "message": "404", "success": False, "session_not_found": True}
        return Response(f"data: {json.dumps(payload)}\n\n", media_type="text/event-stream")

    async def _await(self, request: Request, client: str) -> ASGIApp:
        session = pending.session_of(self.demo, request.scope["path"].rpartition("/")[2])
        if not pending.is_known(self.demo, session):
            raise HTTPException(404, "There is no such run here, or somebody has begun to fetch its frames.")
        return self._heard(session)

    def _heard(self, session: str) -> ASGIApp:
        """Return Gradio, with somebody who listens to a session for as long as it answers."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            with self.service.listeners.listening(session):
                await self.app(scope, receive, send)

        return app

    def _tidy(self) -> None:
        """Drop what Gradio keeps for sessions that nobody listens to and in which nothing is under way."""
        now = time.monotonic()
        if now - self._tidied < _FORGOTTEN:
            return
        self._tidied = now
        alone_for = self.service.listeners.alone_for
        pending.forget(self.demo, lambda session: alone_for(session, now - 300) > 60)
