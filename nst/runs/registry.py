"""All runs of this host: begun, found again by their owners, deleted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.inputs import Inputs
from nst.painters import Backend
from nst.runs import record
from nst.runs.decoder import Decoder
from nst.runs.pictures import Source, check, folders
from nst.runs.run import Listeners, Run
from nst.runs.storage import FULL, NO_ROOM, Files, RunFolder, SavedFrame
from nst.runs.stream import take_over
from nst.runs.work import Work
from nst.settings import Settings

log = logging.getLogger(__name__)

UNDO = 20.0  # seconds in which what was deleted comes back
_MOST = 1000  # runs that are remembered
_KEY = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass(eq=False)
class Registry:
    """The runs of one host."""

    painter: Backend
    files: Files
    decoder: Decoder
    listeners: Listeners
    grace: float  # seconds for which a run goes on though nobody follows it
    busy: float = math.inf  # seconds that a run may paint while others wait
    _runs: dict[str, Run] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(
        self,
        owner: str,
        client: str,
        pictures: Inputs[Source],
        settings: Settings,
        *,
        drawings: Mapping[str, bytes] | None = None,
        stop: threading.Event | None = None,
        earlier: Sequence[SavedFrame] = (),
    ) -> Run:
        """Return a run that is in the queue from now on; `earlier` frames of its clip are painted already.

        The others are as for `Run`. Raises InputError if a picture is missing, or the queue or the disk is
        full; then nothing has been begun.
        """
        check(pictures)
        self._prune()
        ticket = await self.painter.join(client)  # the quota comes before any work
        try:
            folder, stop = self.files.new_run(client), stop or threading.Event()
            run = Run(owner, client, pictures, settings, folder, drawings or {}, stop)
            take_over(folder, earlier)
            record.write(run)
        except BaseException as error:
            await self.painter.leave(ticket)
            if isinstance(error, OSError) and error.errno in FULL:
                log.error("no room left: %s", error)
                raise InputError(NO_ROOM) from error
            raise
        self._runs[run.id] = run
        task = asyncio.create_task(self._carry_out(run, ticket))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _carry_out(self, run: Run, ticket: Any) -> None:
        abandoned = partial(run.is_abandoned, self.listeners, self.grace)
        with self.files.held([run.folder.path, *folders(run.pictures)]):
            await Work(run, self.painter, self.decoder, abandoned, self.busy).carry_out(ticket)
        # Masks and canvas were whole pictures; what is needed again is on the disk.
        run.pictures = replace(run.pictures, keep=None, regions=(), resume=None, style_masks=())
        if run.id not in self._runs:  # deleted while it was painted
            self.files.remove(run.folder)
        elif not run.owner:  # nobody can ask for it
            del self._runs[run.id]

    def find(self, owner: str, number: Any) -> Run | None:
        """Return a run that is still kept, if it is this owner's."""
        run = self._of_owner(owner, number)
        return run if run and not run.removal and run.folder.path.exists() else None

    def of(self, owner: str) -> list[Run]:
        """Return an owner's runs that are still kept and have something to show, the newest first."""
        mine = [run for run in list(self._runs.values()) if owner and self.find(owner, run.id)]
        return sorted((run for run in mine if run.under_way or run.folder.kept()), key=lambda run: -run.began)

    def unattended(self, owner: str) -> Run | None:
        """Return an owner's newest run that is under way, though no page shows it."""
        alone = (run for run in self.of(owner) if run.under_way and run.alone_for(self.listeners) > 0)
        return next(alone, None)

    def delete(self, run: Run) -> None:
        """End a run; remove all that it has made unless `restore` follows soon. Uploads stay."""
        run.stop.set()
        record.forget(run)  # of which a host that is killed meanwhile leaves nothing to the next one
        run.removal = asyncio.get_running_loop().call_later(UNDO, self._remove, run)

    def restore(self, owner: str, number: Any) -> None:
        """Take back that a run was deleted, if that was this owner's and not too long ago."""
        run = self._of_owner(owner, number)
        if run and run.removal:
            run.removal.cancel()
            run.removal = None
            with contextlib.suppress(OSError):
                record.write(run)

    def adopt(self) -> None:
        """Take over the runs that a process before this one has left."""

        def uploads_of(folder: RunFolder) -> list[Path]:
            run = record.read(folder)
            self._runs[run.id] = run
            return folders(run.pictures)

        self.files.adopt(uploads_of)

    def close(self) -> None:
        for run in list(self._runs.values()):
            run.stop.set()

    def _of_owner(self, owner: str, number: Any) -> Run | None:
        run = self._runs.get(number) if isinstance(number, str) else None
        return run if run and run.owner == owner else None

    def _remove(self, run: Run) -> None:
        self._runs.pop(run.id, None)
        if run.under_way:
            run.stop.set()
        else:
            self.files.remove(run.folder)

    def _prune(self) -> None:
        """Forget the runs whose files are gone, and the oldest of too many."""
        for run in [run for run in self._runs.values() if not run.under_way]:
            if len(self._runs) > _MOST or not run.folder.path.exists():
                self._remove(run)


def owner_of(key: Any) -> str:
    """Return what stands for a visitor's key here, so that the key itself is kept nowhere; "" for none."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return ""
    return hashlib.sha256(key.encode()).hexdigest()
