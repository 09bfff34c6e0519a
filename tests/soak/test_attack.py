"""Hostile input by every way in: each gets a picture or one clear sentence."""

import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from corpus import corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strangers import API, ASSISTANT, Stranger

from nst.errors import InputError
from nst.host.memory import peak
from nst.image.decoding import measure
from nst.image.metadata import settings_of
from nst.image.picture_files import load_image
from nst.image.tensors import MAX_SIDE
from nst.settings import KNOBS

ROOT = Path(__file__).parents[2]


def messages_by_file(flips: int) -> dict[str, list[str]]:
    """Read each odd file in all ways, soon and with little memory; return what is said of it."""
    base, rows = peak(), {}
    for name, data in corpus(flips):
        began, rows[name] = time.monotonic(), []
        for read in (load_image, measure, settings_of):
            try:
                found = read(data)
            except InputError as error:
                rows[name].append(str(error))
                continue
            if read is load_image:
                assert found.shape[:2] == (1, 3), name
                assert max(found.shape) <= MAX_SIDE, name
                assert 0 <= float(found.min()) <= float(found.max()) <= 1, name
            del found  # before the next one is read
        assert time.monotonic() - began < 10, name
        # The largest that is taken has 64 million pixels of four bytes, once as it is and once turned.
        assert peak() - base < 1.2e9, name
    return rows


def test_every_file_is_a_picture_or_a_sentence_soon_and_with_little_memory(request):
    flips = 300 if request.config.getoption("--full") else 8
    # In a process of its own, so that what it holds at most is its own too.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        decoded = process.submit(messages_by_file, flips).result(1200)
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
    for name in ("turned.JPEG", "animated.WEBP", "with a page behind.JPEG"):
        assert "damaged" not in " ".join(decoded[name]), name


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted(KNOBS)) | st.text(max_size=12)


POSTS = ("run/predict", "queue/join", "call/stylize", "call/v2/stylize", "mcp/", "reset", "cancel", "upload")


def test_any_body_is_answered_and_never_with_a_fault(request, url):
    stranger, data = Stranger(url, ""), st.lists(anything, max_size=4)
    event = st.none() | st.dictionaries(st.sampled_from(["index", "value", "path"]), anything, max_size=2)
    inputs = {one["id"]: len(one["inputs"]) for one in stranger.config["dependencies"]}
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

    examples = 2000 if request.config.getoption("--full") else 60

    @settings(derandomize=True, deadline=None, max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(POSTS), (fitting | named | anything).map(json.dumps) | st.text(max_size=50))
    def send(path, body):
        status, _, text = stranger.ask("POST", f"{API}/{path}", body.encode("utf-8", "replace"), ASSISTANT)
        assert status < 500, (path, body, text)
        for leak in ("Traceback", str(ROOT), "site-packages"):
            assert leak.encode() not in text, (path, body, text)

    send()
    assert stranger.ask("GET", "/health")[0] == 200
