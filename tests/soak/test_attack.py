"""Hostile input by every way in: each gets a picture or one clear sentence."""

from __future__ import annotations

import json
import subprocess
import sys

from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strangers import API

from nst import InputError, Settings
from nst.settings import KNOBS

# In a process of its own, so that what it holds at most is its own too.
DECODE = """
import json, sys, time
from corpus import corpus
from nst.errors import InputError
from nst.host.memory import peak
from nst.image.decoding import measure
from nst.image.picture_files import load_image
from nst.image.tensors import MAX_SIDE
from nst.image.metadata import settings_of

base, rows = peak(), {}
for name, data in corpus(int(sys.argv[1])):
    began, messages = time.monotonic(), []
    for work in (load_image, measure, settings_of):
        try:
            found = work(data)
        except InputError as error:
            messages.append(str(error))
            continue
        if work is load_image:
            assert found.shape[:2] == (1, 3) and max(found.shape) <= MAX_SIDE, name
            assert 0 <= float(found.min()) and float(found.max()) <= 1, name
            found = None
    assert time.monotonic() - began < 10, name
    # The largest picture that is taken has 64 million pixels, four bytes each, once as it is and once turned.
    assert peak() - base < 1.2e9, name
    rows[name] = messages
print(json.dumps(rows))
"""


def test_every_file_is_a_picture_or_a_sentence_soon_and_with_little_memory(request):
    flips = "300" if request.config.getoption("--full") else "8"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DECODE, flips],
        capture_output=True,
        text=True,
        cwd=ROOT / "tests" / "support",
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    decoded = json.loads(done.stdout)
    assert len(decoded) >= 200
    assert 50 < sum(map(bool, decoded.values())) < len(decoded)
    for name, messages in decoded.items():
        for sentence in messages:
            assert sentence.endswith("."), (name, sentence)
            assert len(sentence) < 200, (name, sentence)
            for leak in ("Traceback", "Error", "/", "<", "0x"):
                assert leak not in sentence, (name, sentence)
    for name in ("program.eps", "taken by few.PCX"):
        assert "not a picture that can be read" in " ".join(decoded[name]), name
    for name in ("CMYK.JPEG", "16 bit.PNG", "turned 6.JPEG", "animated.WEBP", "with a page behind.JPEG"):
        assert "damaged" not in " ".join(decoded[name]), name


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted(KNOBS)) | st.text(max_size=12)
quick = settings(derandomize=True, deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))


@quick
@given(st.text(max_size=200) | (anything | st.dictionaries(names, anything, max_size=5)).map(json.dumps))
def test_settings_are_valid_or_refused_with_a_sentence(text):
    try:
        found = Settings.from_json(text)
    except InputError as error:
        assert str(error).endswith((".", "?"))
        assert len(str(error)) < 700  # an unknown name is answered with all the known ones
    else:
        assert Settings.from_json(found.to_json()) == found


POSTS = ("run/predict", "queue/join", "call/stylize", "call/v2/stylize", "mcp/", "reset", "cancel", "upload")


def test_any_body_is_answered_and_never_with_a_fault(request, crowd):
    data, accept = st.lists(anything, max_size=4), {"Accept": "application/json, text/event-stream"}
    event = st.none() | st.dictionaries(st.sampled_from(["index", "value", "path"]), anything, max_size=2)
    inputs = {one["id"]: len(one["inputs"]) for one in crowd.config["dependencies"]}
    fitting = st.sampled_from(sorted(inputs)).flatmap(
        lambda number: st.fixed_dictionaries(
            {
                "fn_index": st.just(number),
                "data": data | st.lists(anything, min_size=inputs[number], max_size=inputs[number]),
                "session_hash": st.none() | st.just("somebody") | anything,
                "event_data": event | anything,
            }
        )
    )
    named = st.dictionaries(names | st.sampled_from(["photo", "style"]), anything, max_size=6)

    @settings(quick, max_examples=2000 if request.config.getoption("--full") else 60)
    @given(st.sampled_from(POSTS), (fitting | named | anything).map(json.dumps) | st.text(max_size=50))
    def send(path, body):
        status, _, text = crowd.ask("POST", f"{API}/{path}", body.encode("utf-8", "replace"), accept)
        assert status < 500, (path, body, text)
        for leak in ("Traceback", str(ROOT), "site-packages"):
            assert leak.encode() not in text, (path, body, text)

    send()
    assert crowd.ask("GET", "/health")[0] == 200
