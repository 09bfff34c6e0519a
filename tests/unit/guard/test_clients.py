"""Who asks, and what is believed of it."""

import pytest

from nst.guard.clients import caller_of


@pytest.mark.parametrize(
    ("host", "forwarded", "visitor"),
    [
        ("8.8.8.8", "1.1.1.1", "8.8.8.8/32"),  # what a stranger says of himself does not count
        ("10.0.0.7", "9.9.9.9, 1.1.1.1, 10.0.0.1", "1.1.1.1/32"),  # the first entry is anybody's word
        ("testclient", "", ""),
        ("2a00:1450:4001:82b::200e", "", "2a00:1450:4001:82b::/64"),
        ("::ffff:8.8.8.8", "", "8.8.8.8/32"),  # all of version 4 is no one network of version 6
        ("127.0.0.1", "1.1.1.1:50312", "1.1.1.1/32"),  # as some proxies write it
        ("127.0.0.1", "[2a00:1450:4001:82b::200e]:443", "2a00:1450:4001:82b::/64"),
        ("127.0.0.1", "9.9.9.9\n1.1.1.1", "1.1.1.1/32"),  # a proxy that adds a line, not an entry
        ("127.0.0.1", "9.9.9.9, unknown, 10.0.0.1", ""),  # before what nobody understands is anybody's word
        # A visitor of the private network himself cannot be told from one proxy more, and so may lie.
        ("10.0.0.7", "9.9.9.9, 192.168.1.5", "9.9.9.9/32"),
    ],
)
def test_a_visitor_is_told_by_an_address_that_can_be_trusted(host, forwarded, visitor):
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded.split("\n") if line]
    # No other header says who asks.
    others = [(name, b"5.5.5.5") for name in (b"x_forwarded_for", b"forwarded", b"x-real-ip")]
    network, proxied = caller_of(host, [*others, *lines])
    assert network == visitor
    assert proxied == (not host.startswith(("8.", "2a00", "::ffff")))
