"""Who asks, as far as that can be told."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import gradio as gr

# How the guard tells everything behind it; from outside such a header does not come through.
HEADER = b"x-nst-visitor"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def visitor_of(request: gr.Request | None) -> str:
    """Return what tells a visitor from others, or "" where nothing does."""
    return "" if request is None else request.headers.get(HEADER.decode(), "")


def session_of(request: gr.Request) -> str:
    """Return the id of the page or program that asks, or "" where it has none."""
    return request.session_hash or ""


def network_of(client: str | None, forwarded: Iterable[str]) -> str:
    """Return the network that a request comes from, or "" where that cannot be told.

    What a proxy says counts only if the request comes from a private network, where a proxy would be; of the
    addresses that it names, the last public one is what the outermost proxy has seen, and those before it are
    anybody's word.

    Args:
        client: address at the other end of the connection.
        forwarded: all lines of X-Forwarded-For, in their order: each proxy adds an entry, or a line.
    """
    told = [entry for line in forwarded for entry in line.split(",")]
    for text in (client or "", *reversed(told)):
        address = _address(text)
        if address is None:
            return ""
        if address.is_global:
            # One household or machine has a whole network of version 6.
            return str(ipaddress.ip_network((address, 64 if address.version == 6 else 32), strict=False))
    return ""


def is_outside(client: str | None) -> bool:
    """Return whether a connection comes from the internet itself, and not from a proxy or this machine."""
    address = _address(client or "")
    return address is not None and address.is_global


def _address(text: str) -> _Address | None:
    """Return the address in "1.2.3.4", "1.2.3.4:80", "2001:db8::1" or "[2001:db8::1]:80"."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # All of version 4 would be one network of version 6.
    return getattr(address, "ipv4_mapped", None) or address
