"""Gradio 6.31.0: a port that is none, or an IPv6 address, ends in a traceback; a variable at its import."""

import os

from nst.errors import InputError

# Taken out before Gradio is imported, which reads both then, whatever it is told later.
_NAMED = os.environ.pop("GRADIO_SERVER_PORT", "")
_HOST = os.environ.pop("GRADIO_SERVER_NAME", "")


def port_of(text: str | None) -> int | None:
    """Return the port asked for, or that GRADIO_SERVER_PORT names, None for any; InputError if it is none."""
    named, text = ("--port", text) if text is not None else ("GRADIO_SERVER_PORT", _NAMED)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 2**16):
        raise InputError(f"{named} is a number from 1 to 65535, not {text[:40]}.")
    return int(text) or None  # 0 is any, as elsewhere


def host_of(text: str | None) -> str | None:
    """Return the address that was asked for, or that GRADIO_SERVER_NAME names, as Gradio takes it."""
    text = text or _HOST or None
    return f"[{text}]" if text and ":" in text and not text.startswith("[") else text
