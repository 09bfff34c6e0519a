"""How a host is named and ended; more odd ones are in tests/soak/test_faults.py."""

import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from nst import InputError
from nst.gradio_faults import address, loopback


def test_what_is_named_for_others_stays_named(monkeypatch):
    monkeypatch.setenv("no_proxy", "intranet.example")
    monkeypatch.setenv("NO_PROXY", "")
    loopback.spare_own_requests("[::1]")
    for name in ("no_proxy", "NO_PROXY"):
        assert os.environ[name].split(",")[:3] == ["intranet.example", "localhost", "127.0.0.1"]


@pytest.mark.parametrize("port", ["99999", "9" * 5000, "-1", "٣"])
def test_a_port_that_is_none_is_said(port, monkeypatch):
    with pytest.raises(InputError, match=r"^--port is a number from 1 to 65535, not "):
        address.port_of(port)
    monkeypatch.setattr(address, "_NAMED", port)
    with pytest.raises(InputError, match=r"^GRADIO_SERVER_PORT is a number"):
        address.port_of(None)


def test_ports_and_addresses_of_version_6_are_taken():
    assert [address.port_of(port) for port in ("7860", "0", None)] == [7860, None, None]
    assert [address.host_of(name) for name in ("::1", "[::1]", "0.0.0.0")] == ["[::1]", "[::1]", "0.0.0.0"]


@pytest.mark.parametrize("command", [["app.py"], ["-m", "nst", "a.jpg", "b.jpg"]], ids=["page", "line"])
def test_ctrl_c_while_all_is_imported_is_no_traceback(command, tmp_path):
    # What Python itself does before that is not ours.
    (tmp_path / "sitecustomize.py").write_text("import sys; print('here', flush=True)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, **pipes) as process:
        assert process.stdout.readline() == "here\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    # Where it comes while Python runs a string of code, Python ends as by the signal, though it was caught.
    assert process.returncode in (130, 2, -signal.SIGINT)
