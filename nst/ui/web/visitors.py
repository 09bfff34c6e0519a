"""Who asks, as far as that can be told."""

from __future__ import annotations

import ipaddress

import gradio as gr


def visitor_of(request: gr.Request | None) -> str:
    """Return what tells a visitor from others, or "" where nothing does.

    That is the network address. What a proxy says of it counts only if the request comes from a private
    network, where a proxy would be; of the addresses that it names, the last public one is what the outermost
    proxy has seen, and those before it are anybody's word.
    """
    if request is None or request.client is None:
        return ""
    told = request.headers.get("x-forwarded-for", "").split(",")
    for text in (request.client.host, *reversed(told)):
        address = _address(text)
        if address is not None and address.is_global:
            # One household or machine has a whole network of version 6.
            network = ipaddress.ip_network((address, 64 if address.version == 6 else 32), strict=False)
            return str(network)
    return ""


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
