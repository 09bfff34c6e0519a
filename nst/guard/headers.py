"""What of a request's head goes in, and what a response's head says to the browser."""

from __future__ import annotations

from collections.abc import Iterable

Heads = list[tuple[bytes, bytes]]

_ALWAYS: Heads = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]
# Nothing but the page is ever shown as a page: whatever else a browser is led to can run nothing.
_ELSEWHERE = b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox"
# What a proxy says is heard from a proxy only.
_OF_PROXIES = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded")


def page_policy(nonce: str) -> bytes:
    """Return the content security policy of the page: its own scripts and nobody else's.

    Gradio makes functions of texts ("unsafe-eval") and writes styles into the page. Who may frame it is left
    open: it is meant to be embedded.
    """
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval';"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:;"
        " font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none';"
        " base-uri 'self'; form-action 'self'"
    ).encode()


def incoming(headers: Iterable[tuple[bytes, bytes]], own: Heads, *, proxied: bool) -> Heads:
    """Return the headers of a request as the app may see them.

    Args:
        own: those that only this host writes.
        proxied: whether what they say of a proxy is believed; it is left out if not.
    """
    # Gradio takes its own address, and where it redirects to, from a header of its own that anybody can send.
    return [
        *(
            (name, value)
            for name, value in headers
            if not name.startswith((b"x-gradio-", b"x-nst-")) and (proxied or name not in _OF_PROXIES)
        ),
        *own,
    ]


def outgoing(headers: Iterable[tuple[bytes, bytes]], nonce: str = "") -> Heads:
    """Return the headers of a response as the browser is to see them."""
    policy = page_policy(nonce) if nonce else _ELSEWHERE
    ours = [*_ALWAYS, (b"content-security-policy", policy)]
    names = {name for name, _ in ours}
    return [*((name, value) for name, value in headers if name.lower() not in names), *ours]
