"""Every source of weights, with a local server in the Hub's place."""

from __future__ import annotations

import json
import logging
import struct
import time
from pathlib import Path

import pytest
import torch
from hub_server import Hub
from safetensors.torch import save, save_file
from torchvision.models import VGG19_Weights

from nst import InputError, Settings, hub, weights
from nst.encoder import Encoder
from nst.weights import KEYS, UnavailableError, find_vgg19, load_encoders

URL = weights._TORCHVISION  # before any test puts another in its place
NAMES = ["features.0.weight", "features.0.bias", "features.2.weight"]


def small_file() -> tuple[bytes, dict[str, torch.Tensor]]:
    """Return a safetensors file in which the wanted tensors lie among others, and all of its tensors."""
    generator = torch.Generator().manual_seed(0)
    tensors = {
        "aaa.first": torch.randn(5000, generator=generator),
        "features.0.bias": torch.randn(64, generator=generator),
        "features.0.weight": torch.randn(64, 3, 3, 3, generator=generator),
        "features.1.other": torch.randn(9000, generator=generator),
        "features.2.weight": torch.randn(64, 64, 3, 3, generator=generator),
        "zzz.last": torch.randn(50_000, generator=generator),
    }
    return save(tensors), tensors


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A fresh cache folder."""
    folder = tmp_path / "assets"
    folder.mkdir()
    monkeypatch.setattr(hub, "_cache_folder", lambda repo: folder)
    return folder


@pytest.fixture
def serve(monkeypatch):
    """Start hubs that are closed afterwards."""
    started = []

    def start(data: bytes, manner: str = "good") -> Hub:
        server = Hub(data, manner)
        started.append(server)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        return server

    yield start
    for server in started:
        server.close()


def test_the_download_is_torchvisions():
    assert VGG19_Weights.IMAGENET1K_V1.url == URL


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    weights._from_sources.cache_clear()
    weights._from_file.cache_clear()
    monkeypatch.setattr(weights, "_TORCHVISION", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth")
    yield
    weights._from_sources.cache_clear()
    weights._from_file.cache_clear()


def fetch() -> dict[str, torch.Tensor]:
    return hub.fetch_tensors("some/repo", "model.safetensors", NAMES)


def same(found, expected) -> bool:
    return set(found) == set(NAMES) and all(torch.equal(found[name], expected[name]) for name in NAMES)


def test_only_the_needed_bytes_travel_and_are_kept(serve, assets):
    data, tensors = small_file()
    server = serve(data)
    assert same(fetch(), tensors)
    needed = sum(tensors[name].numel() * 4 for name in NAMES)
    assert needed < server.sent < needed + 2000
    assert server.sent < len(data) / 2
    sent = server.sent
    assert same(fetch(), tensors)
    assert server.sent == sent
    assert same(hub.kept_tensors("some/repo", 3), tensors)
    assert [path.suffix for path in assets.iterdir() if path.suffix != ".lock"] == [".safetensors"]


@pytest.mark.parametrize("manner", ["breaks", "slow"])
def test_bad_lines_are_survived(serve, assets, manner):
    data, tensors = small_file()
    server = serve(data, manner)
    assert same(fetch(), tensors)
    needed = sum(tensors[name].numel() * 4 for name in NAMES)
    assert server.sent < needed + 2000  # nothing twice


def test_a_later_process_resumes(serve, assets):
    data, tensors = small_file()
    server = serve(data, "breaks")
    expected = sum(tensors[name].numel() * 4 for name in NAMES)
    server.manner = "stops"
    with pytest.raises(OSError, match=r"broke off|too early"):
        fetch()
    (part,) = assets.glob("*.part")
    had = part.stat().st_size
    assert 0 < had < expected  # the small range before the large one
    server.manner, server.sent = "good", 0
    assert same(fetch(), tensors)
    assert server.sent < expected - had + 2000


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        ("garbage", "does not begin like safetensors|header"),
        ("no ranges", "status 200"),
        ("lost", "404|not found|Not Found"),
        ("broken", "500"),
    ],
)
def test_bad_servers_are_refused_and_leave_nothing_behind(serve, assets, manner, message):
    serve(small_file()[0], manner)
    with pytest.raises(OSError, match=message):
        fetch()
    assert not list(assets.glob("*.safetensors"))


def test_a_server_that_sends_a_whole_file_is_cut_short(serve, assets):
    server = serve(small_file()[0], "no ranges")
    began = time.monotonic()
    with pytest.raises(OSError, match="status 200"):
        fetch()
    assert time.monotonic() - began < 3
    assert server.sent <= len(server.data)


def test_damaged_tensors_are_not_resumed_from(serve, assets):
    _, tensors = small_file()
    bad = {**tensors, "features.2.weight": torch.full((64, 64, 3, 3), torch.nan)}
    serve(save(bad))
    with pytest.raises(OSError, match="not finite"):
        fetch()
    (part,) = assets.glob("*.part")
    assert part.stat().st_size == 0


def header_with(offsets: list[int]) -> bytes:
    entry = {"dtype": "F32", "shape": [64], "data_offsets": offsets}
    text = json.dumps(dict.fromkeys(NAMES, entry)).encode()
    return struct.pack("<Q", len(text)) + text + b"\0" * 2000


@pytest.mark.parametrize("offsets", [[0, 10**15], [-8, 248], [256, 0]])
def test_headers_that_lie_are_refused(serve, assets, offsets):
    serve(header_with(offsets))
    with pytest.raises(OSError, match="outside the file"):
        fetch()


def test_a_folder_that_cannot_be_written_is_no_obstacle(serve, monkeypatch):
    data, tensors = small_file()
    serve(data)
    monkeypatch.setattr(hub, "_cache_folder", lambda repo: None)
    assert same(fetch(), tensors)


def test_a_damaged_kept_file_is_removed(assets):
    (assets / "abc-3.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0garbage!")
    assert hub.kept_tensors("some/repo", 3) is None
    assert not list(assets.iterdir())


def vgg_state(count: int = 26, generator: torch.Generator | None = None) -> dict[str, torch.Tensor]:
    """Return the first `count` tensors of a VGG-19 of random values."""
    generator = generator or torch.Generator().manual_seed(1)
    return {key: torch.randn(KEYS[key], generator=generator) for key in list(KEYS)[:count]}


def test_the_hub_feeds_the_encoder_and_then_the_cache_does(serve, assets, caplog):
    state = vgg_state()
    server = serve(save({**state, "pre_logits.fc1.weight": torch.zeros(100_000)}))
    caplog.set_level(logging.INFO)
    found = find_vgg19()
    assert all(torch.equal(found[key], state[key]) for key in KEYS)
    encoder = Encoder(found, name="VGG-19")
    assert encoder.layers[-1] == "relu5_1"
    assert encoder.content_layers == ("relu4_2",)
    assert [r.message for r in caplog.records if r.name == "nst.weights"] == [
        "weights: Hugging Face cache: not there",
        "weights: Hugging Face Hub, 13 convolutions",
    ]
    server.close()
    weights._from_sources.cache_clear()
    caplog.clear()
    assert torch.equal(find_vgg19()["features.0.bias"], state["features.0.bias"])
    assert caplog.records[-1].message == "weights: Hugging Face cache, 13 convolutions"


def test_a_hub_file_of_another_network_is_refused(serve, assets, caplog):
    state = vgg_state()
    serve(save({**state, "features.5.weight": torch.zeros(128, 64, 5, 5)}))
    caplog.set_level(logging.INFO)
    with pytest.raises(UnavailableError, match="network"):
        find_vgg19()
    assert any("features.5.weight does not have the shape" in r.message for r in caplog.records)


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["silent", "refused"])
def test_without_a_network_it_takes_less_than_three_seconds(serve, assets, monkeypatch, manner):
    if manner == "silent":
        server = serve(b"", "silent")
        monkeypatch.setattr(weights, "_TORCHVISION", server.url + "/vgg19-dcbb9e9d.pth")
    else:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="built-in encoder"):
        find_vgg19()
    assert time.monotonic() - began < 3


def test_offline_mode_asks_nobody(serve, assets, monkeypatch):
    server = serve(save(vgg_state()))
    monkeypatch.setattr(weights.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UnavailableError):
        find_vgg19()
    assert not server.ranges


def test_torchvisions_own_file_is_used_from_its_cache(assets, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    state = vgg_state()
    torch.save(
        {**state, "classifier.0.weight": torch.zeros(3)}, tmp_path / "checkpoints" / "vgg19-dcbb9e9d.pth"
    )
    assert torch.equal(find_vgg19()["features.28.weight"], state["features.28.weight"])


@pytest.mark.parametrize("kind", ["safetensors", "pth", "checkpoint"])
@pytest.mark.parametrize("count", [2, 16, 26])
def test_a_named_file_may_stop_at_any_layer(tmp_path, monkeypatch, kind, count):
    state = vgg_state(count)
    path = tmp_path / f"weights.{kind}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "epoch": 3} if kind == "checkpoint" else state, path)
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    found = find_vgg19()
    assert len(found) == count
    assert weights.at_hand(Settings())
    painter, encoder = load_encoders(Settings())
    assert (painter.name, encoder.name) == ("Built-in encoder", "VGG-19")
    if count == 16:
        assert encoder.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
        assert encoder.content_layers == ("relu3_3",)


def test_the_settings_come_before_the_environment(tmp_path, monkeypatch):
    save_file(vgg_state(2), tmp_path / "a.safetensors")
    monkeypatch.setenv("NST_WEIGHTS", str(tmp_path / "missing.safetensors"))
    assert len(find_vgg19(str(tmp_path / "a.safetensors"))) == 2
    with pytest.raises(InputError, match=r"missing\.safetensors does not exist"):
        find_vgg19()


class Trap:
    """Pickles into code that would run while loading."""

    def __reduce__(self):
        return Path.touch, (Path("trapped"),)


def test_bad_files_get_one_sentence_and_run_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = vgg_state(4)
    files = {
        "text.pth": b"hello",
        "empty.safetensors": b"",
        "cut.safetensors": save(state)[:-100],
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    torch.save(Trap(), tmp_path / "trap.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    save_file({**state, "features.0.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "narrow.safetensors")
    save_file({**state, "features.2.bias": torch.full((64,), torch.inf)}, tmp_path / "infinite.safetensors")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(InputError) as caught:
            find_vgg19(str(path))
        assert path.name in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


def test_the_built_in_encoder_needs_nothing(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (encoder,) = load_encoders(Settings(encoder="builtin"))
    assert encoder.name == "Built-in encoder"
    assert encoder.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
    assert encoder.content_layers == ("relu3_3",)
    assert weights.BUILTIN.stat().st_size <= 2_000_000


def test_automatic_on_a_cpu_asks_no_network(monkeypatch, serve, assets):
    server = serve(save(vgg_state()))
    monkeypatch.setattr(weights, "pick_device", lambda: torch.device("cpu"))
    assert [e.name for e in load_encoders(Settings())] == ["Built-in encoder"]
    assert not server.ranges
    assert weights.at_hand(Settings())
    assert not weights.at_hand(Settings(encoder="refined"))
    assert [e.name for e in load_encoders(Settings(encoder="vgg19"))] == ["VGG-19"]
    assert weights.at_hand(Settings(encoder="refined"))


def test_vgg19_asked_for_and_not_to_be_had_is_said(monkeypatch, assets):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for encoder in ("vgg19", "refined"):
        with pytest.raises(InputError, match="choose the built-in encoder"):
            load_encoders(Settings(encoder=encoder))


def test_automatic_on_a_gpu_is_vgg19_or_else_built_in(monkeypatch, assets):
    monkeypatch.setattr(weights, "encoder_names", lambda settings: (weights.VGG19,))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert [e.name for e in load_encoders(Settings())] == ["Built-in encoder"]
