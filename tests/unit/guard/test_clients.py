"""Who asks, and what is believed of it."""

from __future__ import annotations

import json
import re

import pytest
from test_guard import ask

from nst.guard import headers
from nst.guard.clients import caller_of


@pytest.mark.parametrize(
    ("host", "forwarded", "visitor"),
    [
        ("8.8.8.8", "", "8.8.8.8/32"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8/32"),  # what a stranger says of himself does not count
        ("127.0.0.1", "1.1.1.1", "1.1.1.1/32"),
        ("10.0.0.7", "9.9.9.9, 1.1.1.1, 10.0.0.1", "1.1.1.1/32"),  # the first entry is anybody's word
        ("10.0.0.7", "nonsense, 10.0.0.1", ""),
        ("127.0.0.1", "", ""),
        ("testclient", "", ""),
        ("2a00:1450:4001:82b::200e", "", "2a00:1450:4001:82b::/64"),
        ("::ffff:8.8.8.8", "", "8.8.8.8/32"),  # all of version 4 is no one network of version 6
        ("127.0.0.1", "::ffff:1.1.1.1", "1.1.1.1/32"),
        ("127.0.0.1", "1.1.1.1:50312", "1.1.1.1/32"),  # as some proxies write it
        ("127.0.0.1", "[2a00:1450:4001:82b::200e]:443", "2a00:1450:4001:82b::/64"),
        ("127.0.0.1", "9.9.9.9\n1.1.1.1", "1.1.1.1/32"),  # a proxy that adds a line, not an entry
        ("127.0.0.1", "9.9.9.9, unknown, 10.0.0.1", ""),  # before what nobody understands is anybody's word
        ("100.64.0.9", "1.1.1.1", "1.1.1.1/32"),  # behind a provider's own translation
        # A visitor of the private network himself cannot be told from one proxy more, and so may lie.
        ("10.0.0.7", "9.9.9.9, 192.168.1.5", "9.9.9.9/32"),
    ],
)
def test_a_visitor_is_told_by_an_address_that_can_be_trusted(host, forwarded, visitor):
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded.split("\n") if line]
    caller = caller_of(host, [(b"host", b"paint.example.org"), *lines])
    assert caller.network == visitor
    assert caller.proxied == (not host.startswith(("8.", "2a00", "::ffff")))


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"forwarded", b"x-real-ip", b"x-forwarded-host"])
def test_no_other_header_says_who_asks(name):
    assert caller_of("127.0.0.1", [(name, b"for=1.1.1.1"), (b"x-forwarded-for", b"8.8.8.8")]).network == (
        "8.8.8.8/32"
    )
    assert caller_of("127.0.0.1", [(name, b"1.1.1.1")]).network == ""


def test_what_a_stranger_says_of_a_proxy_goes_no_further():
    given = [
        (name, b"x") for name in (b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"x-nst-client")
    ]
    for proxied in (False, True):
        through = headers.incoming([*given, (b"accept", b"*/*")], [(b"x-nst-client", b"me")], proxied=proxied)
        assert (b"x-nst-client", b"me") in through
        assert (b"x-nst-client", b"x") not in through
        assert ((b"x-forwarded-host", b"x") in through) is proxied
        assert (b"accept", b"*/*") in through


def test_a_foreign_host_name_sees_the_page_and_nothing_that_is_somebodys(url):
    """A name that somebody lets point to this machine (DNS rebinding) is answered: tunnels have such, too.

    It finds what any stranger finds: runs are asked for by a key that the browser keeps for each name apart.
    """
    foreign = {"Host": "evil.example.org"}
    status, _, page = ask(url, "GET", "/", headers=foreign)
    assert status == 200
    assert set(re.findall(rb'og:url" content="([^"]*)', page)) == {b"http://evil.example.org/"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers_ = {
        **foreign,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    status, _, told = ask(url, "POST", "/gradio_api/mcp/", json.dumps(asked).encode(), headers_)
    assert status == 200
    assert b"stylize" in told
    assert ask(url, "GET", "/gradio_api/file=/etc/passwd", headers=foreign)[0] == 403
