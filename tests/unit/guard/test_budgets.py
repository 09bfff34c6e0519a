"""How much each may ask for."""

import contextlib
from types import SimpleNamespace

import pytest
from starlette.exceptions import HTTPException

from nst.guard import budgets
from nst.guard.budgets import LIMITS, Budgets


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    now = [100.0]
    # Not everybody's clock, by which a server that runs in this process would sleep on.
    monkeypatch.setattr(budgets, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def spent(found: Budgets, client: str, kind: str, count: int) -> int:
    """Return how many of `count` requests, one after the other, are let through."""
    through = 0
    for _ in range(count):
        with contextlib.suppress(HTTPException), found.spend(client, kind):
            through += 1
    return through


@pytest.mark.parametrize("kind", ["join", "made up"])
def test_a_client_spends_its_own_and_it_comes_back(clock, kind):
    found, (burst, rate, *_) = Budgets(), budgets.LIMITS[kind]
    assert spent(found, "a", kind, burst + 100) == burst
    assert spent(found, "b", kind, 5) == 5
    assert spent(found, "a", "upload", 5) == 5
    clock[0] += 3
    assert spent(found, "a", kind, 4 * rate) == 3 * rate


def test_those_who_share_an_account_have_more_together_but_not_without_end():
    found, burst = Budgets(), LIMITS["upload"].burst
    assert spent(found, "", "upload", 1000) == 12 * burst  # all who cannot be told apart
    own = [spent(found, f"2a00:1:2:{number:x}::/64", "upload", 100) for number in range(8)]
    assert own == [burst] * 4 + [0] * 4  # the networks of a larger one
    assert spent(found, "2a00:1:3::/64", "upload", 100) == burst


@pytest.mark.parametrize(
    ("kinds", "most"),
    [(["mcp"], 4), (["made up"], 100), (["file", "listen", "await", "plain", "page"], budgets.UNDER_WAY)],
)
def test_only_so_many_are_under_way_of_a_kind_and_of_all_together(kinds, most):
    found = Budgets()
    with contextlib.ExitStack() as under_way:
        for number in range(most):
            under_way.enter_context(found.spend("a", kinds[number % len(kinds)]))
        for kind in kinds:
            with pytest.raises(HTTPException, match="wait a moment"), found.spend("a", kind):
                pass
        assert spent(found, "a", "upload", 1) == (most < budgets.UNDER_WAY)
        assert spent(found, "b", kinds[0], 1) == 1
    assert spent(found, "a", kinds[0], 1) == 1


def test_clients_are_forgotten_when_they_have_asked_for_nothing_for_longest(monkeypatch):
    monkeypatch.setattr(budgets, "_REMEMBERED", 100)
    found = Budgets()
    spent(found, "busy", "upload", 1000)
    for number in range(1000):
        spent(found, f"v{number}", "join", 1)
        assert spent(found, "busy", "upload", 1) == 0
    assert len(found._left) == 100
