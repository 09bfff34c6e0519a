"""What of a request's head goes in, and what a response's head says to the browser."""

from __future__ import annotations

from collections.abc import Iterable

from nst.gradio_faults.forwarded import hosts_only

Heads = list[tuple[bytes, bytes]]

# Gradio makes functions of texts ("unsafe-eval") and writes styles into the page. Who may frame it is left
# open: it is meant to be embedded.
_PAGE = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self';"
    " worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
# Nothing but the page is ever shown as a page: whatever else a browser is led to can run nothing.
_ELSEWHERE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox"
# What a proxy says is heard from a proxy only.
_OF_PROXIES = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded")


def incoming(headers: Iterable[tuple[bytes, bytes]], own: Heads, *, proxied: bool) -> Heads:
    """Return the headers of a request as the app may see them.

    Args:
        own: those that only this host writes.
        proxied: whether what they say of a proxy is believed.
    """
    # Gradio takes its own address, and where it redirects to, from a header of its own that anybody can send.
    not_believed = (b"x-gradio-", b"x-nst-", *(() if proxied else _OF_PROXIES))
    return [*(pair for pair in hosts_only(headers) if not pair[0].startswith(not_believed)), *own]


def outgoing(headers: Iterable[tuple[bytes, bytes]], nonce: str) -> Heads:
    """Return the headers of a response; `nonce` is that of the page's scripts, "" if it is not the page."""
    ours = {
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"strict-origin-when-cross-origin",
        b"content-security-policy": (_PAGE.format(nonce=nonce) if nonce else _ELSEWHERE).encode(),
    }
    return [*(pair for pair in headers if pair[0].lower() not in ours), *ours.items()]
