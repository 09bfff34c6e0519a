"""Gradio 6.31.0: it writes the header X-Forwarded-Host into its page as it comes."""

import re
from collections.abc import Iterable

_HOST = re.compile(rb"[A-Za-z0-9.:_,\[\] -]+\Z")


def hosts_only(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers without one of that name that names no host."""
    return [each for each in headers if each[0] != b"x-forwarded-host" or _HOST.match(each[1])]
