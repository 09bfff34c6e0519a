"""Gradio 6.31.0: at its start it asks itself over HTTP, through the proxy that is named for the web."""

import os

_OWN = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (nothing is bound to it here)


def spare_own_requests(host: str | None) -> None:
    """Have no proxy for requests of this process to itself, at the host of its page or the usual one."""
    for name in ("no_proxy", "NO_PROXY"):  # where both are set, some read the one and some the other
        named = os.environ.get(name) or os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        every = [*filter(None, named.split(",")), *_OWN, (host or "localhost").strip("[]")]
        os.environ[name] = ",".join(dict.fromkeys(every))
