"""Whose share a client uses up."""

from __future__ import annotations

import functools
import ipaddress


@functools.lru_cache(maxsize=4096)
def accounts(client: str) -> tuple[tuple[str, int], ...]:
    """Return the accounts that a client's requests are charged to, with how many clients' share each has.

    A network of version 6 (/64) is a part of a larger one (/48), of which anybody can have thousands. Clients
    that cannot be told apart are many people: they have one account together.
    """
    if not client:
        return (("", 12),)
    try:
        network = ipaddress.IPv6Network(client)
    except ValueError:  # of version 4, or none
        return ((client, 1),)
    return ((client, 1), (str(network.supernet(new_prefix=48)), 4))
