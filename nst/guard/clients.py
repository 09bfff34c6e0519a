"""Who asks, as far as that can be told, and what is believed of that."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import gradio as gr

from nst.gradio_faults.forwarded import hosts_only

# How the guard tells everything behind it; from outside such a header does not come through.
HEADER = b"x-nst-client"
# The same for the word by which an assistant's call is known: Gradio makes it once more itself, over HTTP.
CALL = b"x-nst-call"

# What a proxy says is heard from a proxy only.
_OF_PROXIES = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded")

Heads = list[tuple[bytes, bytes]]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_of(request: gr.Request) -> str:
    """Return the network that a request comes from, or "" where that cannot be told."""
    return request.headers.get(HEADER.decode(), "")


@dataclass
class Call:
    """A call of the MCP tool that is under way."""

    client: str
    gone: threading.Event = field(default_factory=threading.Event)  # set when nobody waits for it any more


def caller_of(peer: str, headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, bool]:
    """Return the network that a request comes from, "" if it cannot be told, and whether a proxy is believed.

    What a proxy says counts only if the request comes from a private network, where a proxy would be, and is
    read nowhere else. Each adds an entry to X-Forwarded-For, or a line; the last public address there is what
    the outermost proxy has seen, and those before it are anybody's word.
    """
    address = _address(peer)
    proxied = address is None or not address.is_global
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    named = [entry for line in lines for entry in line.split(",")] if proxied else []
    for place in (address, *(_address(text) for text in reversed(named))):
        if place is None:
            break
        if place.is_global:
            # One household or machine has a whole network of version 6.
            network = ipaddress.ip_network((place, 64 if place.version == 6 else 32), strict=False)
            return str(network), proxied
    return "", proxied


def incoming(headers: Iterable[tuple[bytes, bytes]], own: Heads, *, proxied: bool) -> Heads:
    """Return the headers of a request as the app may see them, with our `own`, which nobody else can send."""
    # Gradio takes its own address, and where it redirects to, from a header of its own that anybody can send.
    not_believed = (b"x-gradio-", b"x-nst-", *(() if proxied else _OF_PROXIES))
    return [*(pair for pair in hosts_only(headers) if not pair[0].startswith(not_believed)), *own]


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
