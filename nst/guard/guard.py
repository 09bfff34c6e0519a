"""The order in which a request is checked before Gradio sees it; each check is a module beside this one."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from anyio import to_thread

from nst.gradio_faults import pending
from nst.guard import bodies, clients, files, headers
from nst.guard.answers import Answer
from nst.guard.bodies import LeftError, RefusedError
from nst.guard.callers import Calls
from nst.guard.file_references import FileReferences
from nst.guard.routes import Route, match
from nst.guard.service import Service
from nst.runs.storage import FULL, NO_ROOM

log = logging.getLogger(__name__)

# Bytes of a body, by kind: a drawing goes along with what is painted, pictures as data: URLs with what
# programs send. And of every other kind.
MOST = {"upload": files.MOST_UPLOAD, "join": 2**22, "direct": 2**20, "call": 48 * 2**20, "mcp": 48 * 2**20}
OTHERS = 16 * 2**10
_READ_AT_A_TIME = 2  # of the larger ones, in threads: the page must not stand still meanwhile
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_CALLS = 16  # of the MCP tool, each of which takes a thread
_FORGOTTEN = 30.0  # seconds between two looks for messages that nobody fetches
# Gradio tells a request that does not fit from a fault of its own in neither status nor words.
_UNFIT = "This request is not what is taken here; Use via API or MCP, at the page's foot, says what is."
_NO_FILE = "{label} is no file; upload one and send what names it, or send a data: URL."
_NOTHING = "There is nothing here."


class Guard:
    """ASGI middleware before Gradio."""

    def __init__(self, app: Any, service: Service, demo: gr.Blocks) -> None:
        self.app, self.service, self.demo = app, service, demo
        self.references = FileReferences(service.files)
        # What is answered here, or read before it is handed on; all else goes to Gradio as it is.
        self._steps: dict[str, Callable[..., Awaitable[None]]] = {
            "health": self._health,
            "upload": self._upload,
            "progress": self._progress,
            "file": self._file,
            "join": self._join,
            "direct": self._direct,
            "call": self._call,
            "small": self._small,
            "listen": self._listen,
            "await": self._await,
            "mcp": self._mcp,
        }
        self._large = asyncio.Semaphore(_READ_AT_A_TIME)
        self._tidied = 0.0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer, refuse, or hand on what has passed every check."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(send)
        try:
            route = match(scope["method"], scope["path"], scope["query_string"])
            if route is None:
                raise RefusedError(404, _NOTHING)
            caller, own = self._who(scope)
            client = caller.network
            scope = {**scope, "headers": headers.incoming(scope["headers"], own, proxied=caller.proxied)}
            with (
                self.service.budgets.spend(client, route.kind),
                self.service.files.coming(client) as came,
            ):
                most = MOST.get(route.kind, OTHERS)
                receive = bodies.bounded(receive, most, _length(scope), came)
                await self._let_through(route, client, scope, receive, answer)
        except LeftError:
            pass
        except Exception as error:
            await answer.refuse(*_refusal(error, scope))

    def _who(self, scope: dict[str, Any]) -> tuple[clients.Caller, headers.Heads]:
        """Return who asks, and the headers that tell everything behind this."""
        word = next((value for name, value in scope["headers"] if name == Calls.HEADER), b"")
        if call := self.service.calls.find(word.decode("latin-1")):
            own = [(clients.HEADER, call.client.encode()), (Calls.HEADER, word)]
            return clients.Caller(call.client, True), own
        caller = clients.caller_of((scope.get("client") or [""])[0], scope["headers"])
        return caller, [(clients.HEADER, caller.network.encode())]

    async def _let_through(
        self, route: Route, client: str, scope: dict[str, Any], receive: Any, answer: Answer
    ) -> None:
        if route.kind == "page":
            answer.nonce = scope["nonce"] = secrets.token_urlsafe(16)
        step = self._steps.get(route.kind)
        if step is None:
            await self.app(scope, receive, answer.send)
        else:
            await step(scope, receive, answer, client)

    # What is answered here

    async def _health(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        payload = await self.service.health(self.demo)
        await answer.json(503 if payload["status"] == "stuck" else 200, payload)

    async def _upload(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        payload = await files.take_upload(self.service.files, scope, receive, client)
        await answer.body(200, payload, b"application/json")

    async def _progress(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        # Gradio's own waits for an id, and anybody's id is as good as another's.
        await answer.body(200, b'data: {"msg": "done"}\n\n', b"text/event-stream")

    async def _file(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        name = scope["path"].partition("=")[2]
        await files.served(self.service.files, name)(scope, receive, answer.send)

    # What is handed on, once it has been read

    async def _join(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        self._tidy()
        body = await self._read(receive, lambda data: self._event(data, client, queued=True))
        await self._again(body, scope, receive, answer)

    async def _direct(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        body = await self._read(receive, lambda data: self._event(data, client, queued=False))
        await self._again(body, scope, receive, answer)

    async def _call(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        self._tidy()

        def admitted(data: bytes) -> dict[str, Any]:
            given = bodies.parse(data)
            if "/v2/" not in scope["path"]:
                if not isinstance(given.get("data"), list):
                    raise RefusedError(422, _UNFIT)
                # What is left out at the end is as it is on a fresh page.
                values, inputs = given["data"], self._stylize.inputs
                if len(values) > len(inputs):
                    raise RefusedError(422, _UNFIT)
                given = {"data": [*values, *(component.value for component in inputs[len(values) :])]}
            admitted = self.references.admit(given, client)
            for component, value in self._named(admitted):
                _check_picture(component, value)
            return admitted

        await self._again(await self._read(receive, admitted), scope, receive, answer)

    async def _small(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        await self._again(await self._read(receive, bodies.parse), scope, receive, answer)

    def _event(self, data: bytes, client: str, *, queued: bool) -> dict[str, Any]:
        """Return an event of the page, or of a program that knows its number, as Gradio may have it."""
        given = bodies.parse(data)
        event = self.demo.fns.get(given["fn_index"]) if type(given.get("fn_index")) is int else None
        if event is None or bool(event.queue) is not queued or not isinstance(given.get("data"), list):
            raise RefusedError(422, _UNFIT)
        session = given.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise RefusedError(422, _UNFIT)
        if len(given["data"]) != len(event.inputs):
            raise RefusedError(422, _UNFIT)
        # A batch, a streamed input or a job of somebody else's are all asked for by further words.
        kept: dict[str, Any] = {
            name: given[name] for name in ("data", "event_data", "trigger_id") if name in given
        }
        kept |= {"fn_index": given["fn_index"], "session_hash": session}
        admitted = self.references.admit(kept, client)
        for component, value in zip(event.inputs, admitted["data"], strict=True):
            _check_picture(component, value)
        return admitted

    @property
    def _stylize(self) -> Any:
        """What programs may call."""
        return next(one for one in self.demo.fns.values() if one.api_name == "stylize")

    def _named(self, given: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Yield each input of /stylize with what a call gives for it, in a list or by name.

        Raises:
            RefusedError: it is a list of another length.
        """
        inputs = self._stylize.inputs
        if isinstance(given.get("data"), list):
            if len(given["data"]) != len(inputs):
                raise RefusedError(422, _UNFIT)
            yield from zip(inputs, given["data"], strict=True)
            return
        for component in inputs:
            name = (component.elem_id or "").removeprefix("api-").replace("-", "_")
            if name in given:
                yield component, given[name]

    async def _read(self, receive: Any, work: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
        """Return what `work` makes of a body; large ones wait on the disk for their turn, not in memory."""
        with await bodies.read(receive) as spool:
            if spool.tell() <= bodies.SMALL:
                spool.seek(0)
                return work(spool.read())
            async with self._large:

                def read() -> dict[str, Any]:
                    spool.seek(0)
                    return work(spool.read())

                return await to_thread.run_sync(read)

    async def _again(
        self, value: dict[str, Any], scope: dict[str, Any], receive: Any, answer: Answer
    ) -> None:
        """Hand a request on with another body."""
        body = json.dumps(value).encode()
        stale = (b"content-length", b"transfer-encoding")
        others = [pair for pair in scope["headers"] if pair[0] not in stale]
        length = (b"content-length", str(len(body)).encode())
        answer.unfit = _UNFIT
        await self.app({**scope, "headers": [*others, length]}, bodies.replay(body, receive), answer.send)

    async def _listen(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
        if pending.is_known(self.demo, session):
            with self.service.listeners.listening(session):
                await self.app(scope, receive, answer.send)
            return
        # As Gradio says it, which adds a traceback to the log each time.
        payload = {"msg": "unexpected_error", "message": "404", "success": False, "session_not_found": True}
        await answer.body(200, f"data: {json.dumps(payload)}\n\n".encode(), b"text/event-stream")

    async def _await(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        session = pending.session_of(self.demo, scope["path"].rstrip("/").rpartition("/")[2])
        if not pending.is_known(self.demo, session):
            raise RefusedError(404, "There is no such run here, or somebody has begun to fetch its frames.")
        with self.service.listeners.listening(session):
            await self.app(scope, receive, answer.send)

    async def _mcp(self, scope: dict[str, Any], receive: Any, answer: Answer, client: str) -> None:
        """Hand an assistant's call on; Gradio makes it once more itself, by which it is known again."""
        given: dict[str, Any] = {}

        def admitted(data: bytes) -> dict[str, Any]:
            given.update(bodies.parse(data))
            asked = given.get("params")
            if given.get("method") != "tools/call" or not isinstance(asked, dict):
                return given
            arguments = asked.get("arguments")
            arguments = self.references.admit_tool(arguments if isinstance(arguments, dict) else {}, client)
            return {**given, "params": {**asked, "arguments": arguments}}

        try:
            body = await self._read(receive, admitted)
        except (RefusedError, OSError) as error:
            if not given:  # it is no call yet that could be answered as one
                raise
            await answer.json(200, _tool_error(given, _refusal(error, scope)[1]))
            return
        if given.get("method") != "tools/call":
            await self._again(body, scope, receive, answer)
            return
        if self.service.calls.under_way() >= _MOST_CALLS:
            await answer.json(200, _tool_error(given, "This host is full; try again in a few minutes."))
            return
        with self.service.calls.made(client) as (word, call):

            async def watched() -> dict[str, Any]:
                message = await receive()
                if message["type"] == "http.disconnect":
                    call.gone.set()
                return message

            # Of what came along, only this goes round: the rest would be taken for the inner call's own.
            kept = (b"host", b"accept", b"content-type", b"mcp-protocol-version", b"user-agent")
            heads = [(name, value) for name, value in scope["headers"] if name in kept]
            heads = [*heads, (Calls.HEADER, word), (clients.HEADER, client.encode())]
            await self._again(body, {**scope, "headers": heads}, watched, answer)

    def _tidy(self) -> None:
        """Drop what Gradio keeps for sessions that nobody listens to and in which nothing is under way."""
        now = time.monotonic()
        if now - self._tidied < _FORGOTTEN:
            return
        self._tidied = now
        alone_for = self.service.listeners.alone_for
        pending.forget(self.demo, lambda session: alone_for(session, now - 300) > 60)


def _check_picture(component: Any, value: Any) -> None:
    """Refuse anything but a file for a picture, of which Gradio says no more than that it failed.

    Raises:
        RefusedError: it is none.
    """
    if component.get_block_name() == "image" and not (
        value is None or (isinstance(value, dict) and "path" in value)
    ):
        raise RefusedError(422, _NO_FILE.format(label=component.label))


def _refusal(error: Exception, scope: dict[str, Any]) -> tuple[int, str]:
    """Return status and sentence of what went wrong; what nobody foresaw is noted in the log."""
    if isinstance(error, RefusedError):
        return error.status, error.sentence
    number = uuid.uuid4().hex[:8]
    log.error("%s %s, error %s: %r", scope["method"], scope["path"][:100], number, error)
    if isinstance(error, OSError) and error.errno in FULL:
        return 507, NO_ROOM
    return 500, f"Something broke here (error {number}); try again."


def _tool_error(given: dict[str, Any], sentence: str) -> dict[str, Any]:
    """Return what MCP calls the result of a tool that could not do what it was asked."""
    number = given.get("id")
    return {
        "jsonrpc": "2.0",
        "id": number if isinstance(number, int | str) else None,
        "result": {"content": [{"type": "text", "text": sentence}], "isError": True},
    }


def _length(scope: dict[str, Any]) -> str:
    return next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"content-length"), ""
    )
