"""Whatever visitors put into the log, it stays one line for each thing."""

import io
import logging

import pytest
from conftest import eventually

from nst.guard import logs


@pytest.fixture
def log():
    """A logger, and what it has written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.Line("%(name)s: %(message)s"))
    handler.addFilter(logs.Sparing())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, written


def test_a_line_cannot_be_forged_and_has_an_end(log):
    logger, written = log
    logger.info("%s", '/x\nnst.runs: {"outcome": "finished"}\r\x1b[2J\u2028end')
    (line,) = written.getvalue().splitlines()
    assert line.startswith("test: /x\\nnst.runs")
    assert "\x1b" not in line
    assert "\\x1b[2J" in line
    logger.info("%s", "x" * 10_000_000)
    assert len(written.getvalue()) < 2300
    assert "(10000006 letters)" in written.getvalue()
    try:
        raise ValueError("a\nnst.runs: forged")
    except ValueError:
        logger.exception("it broke")
    head, *traceback = written.getvalue().splitlines()[2:]
    assert head == "test: it broke"
    assert {line[:4] for line in traceback} == {"    "}


def test_of_one_place_only_so_many_lines_are_written_and_the_others_counted(log, monkeypatch, caplog):
    logger, written = log
    monkeypatch.setattr(logs, "_WHILE", 1.0)
    for _ in range(100):
        logger.info("again")
    logger.info("something else")
    assert len(written.getvalue().splitlines()) == logs.LINES + 1
    eventually(lambda: "60 lines of test were left out" in caplog.text)  # though nothing more comes


def test_what_others_print_is_a_line_of_the_log_too(caplog):
    printed = logs._Printed()
    print("one\ntwo", end="", file=printed)
    print(" goes on\n\nthree", file=printed)
    assert [record.getMessage() for record in caplog.records] == ["one", "two goes on", "three"]
