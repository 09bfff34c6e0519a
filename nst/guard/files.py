"""Pictures in and out: uploads and what is fetched of them."""

from __future__ import annotations

import mimetypes

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse

from nst.guard.budgets import MOST_FILE, TOO_LARGE
from nst.runs.storage import Files

# What a browser may show in place; all else it saves.
_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "video/mp4")
_MOST_FILES = 12


async def take_upload(files: Files, request: Request, client: str) -> list[str]:
    """Keep the files of a form; return their paths, which is what Gradio's own route answers.

    Gradio's writes each file into the cache at once, and leaves it there if the form breaks off, is too large
    or names it otherwise. Starlette's lies in files that have no name, and are gone with the request.
    Raises HTTPException for what is no form of files, ClientDisconnect if it broke off, OSError for no room.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400, "An upload is a form with files (multipart/form-data).")
    try:
        async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES, max_part_size=2**16) as form:
            sent = [one for one in form.getlist("files") if not isinstance(one, str)]
            if any((one.size or 0) > MOST_FILE for one in sent):
                raise HTTPException(413, TOO_LARGE)
            paths = [
                await to_thread.run_sync(files.add_upload, client, one.filename, one.file) for one in sent
            ]
    # Of a form that its parser did not foresee, or did.
    except (HTTPException, KeyError, ValueError, AssertionError) as error:
        if isinstance(error, HTTPException) and error.status_code != 400:
            raise
        raise HTTPException(400, "This form cannot be read; send the files in fields named files.") from error
    if not paths:
        raise HTTPException(400, "There is no file in this form; send it in a field named files.")
    return [str(path) for path in paths]


def served(files: Files, name: str) -> FileResponse:
    """Return the response that is a file, or raise HTTPException if nobody sent or made it here."""
    path = files.find(name)
    if path is None or path.is_symlink() or not path.is_file():
        raise HTTPException(403, "There is no such file here.")
    kind = mimetypes.guess_type(path.name)[0]
    shown = kind in _SHOWN
    return FileResponse(
        path,
        media_type=kind if shown else "application/octet-stream",
        # What a page says that a picture is to be saved as counts only if nothing is said of it here.
        filename=None if shown else path.name,
        headers={"cache-control": "private, max-age=3600"},
    )
