"""Every source of weights: the package's files, named files, the Hub and torchvision."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError, RepositoryNotFoundError
from makers import random_vgg
from safetensors.torch import save, save_file

from nst import InputError, Settings
from nst.optimization.encoders import load_encoders
from nst.vgg import weights
from nst.vgg.weights import KEYS, find_vgg19


@pytest.fixture(autouse=True)
def forget():
    weights._named.cache_clear()
    yield
    weights._named.cache_clear()


def vgg_state(count: int = len(KEYS)) -> dict[str, torch.Tensor]:
    """Return the first `count` tensors of a VGG-19 of random values."""
    return {key: random_vgg()[key] for key in list(KEYS)[:count]}


@pytest.mark.parametrize(("kind", "count"), [("safetensors", 2), ("pth", 16), ("checkpoint", 26)])
def test_a_named_file_of_any_kind_may_stop_at_any_layer(tmp_path, monkeypatch, kind, count):
    state = vgg_state(count)
    path = tmp_path / f"weights.{kind}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "epoch": 3} if kind == "checkpoint" else state, path)
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    found = find_vgg19()
    assert len(found) == count
    painter, encoder = load_encoders(Settings(encoder="refined"))
    assert (painter.name, encoder.name) == ("Narrow network", "VGG-19")
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
    (tmp_path / "text.pth").write_bytes(b"hello")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "cut.safetensors").write_bytes(save(state)[:-100])
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


def test_the_package_brings_both_networks():
    convolutions = find_vgg19()
    assert {key: tuple(value.shape) for key, value in convolutions.items()} == KEYS
    assert all(bool(torch.isfinite(value).all()) for value in convolutions.values())
    (encoder,) = load_encoders(Settings(encoder="vgg19"))
    assert encoder.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert encoder.content_layers == ("relu4_2",)
    (narrow,) = load_encoders(Settings(encoder="narrow"))
    assert narrow.style_layers == encoder.style_layers
    assert narrow.content_layers == encoder.content_layers
    assert weights.VGG19_FILE.stat().st_size <= 9_900_000
    assert weights.NARROW_FILE.stat().st_size <= 3_000_000


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub that holds the files that are put into this folder, or raises what stands in `error`."""

    class Found:
        folder, error, asked = tmp_path, None, []

    def download(repository: str, name: str) -> str:
        Found.asked.append((repository, name))
        if Found.error:
            raise Found.error
        if not (tmp_path / name).exists():
            raise RemoteEntryNotFoundError("404", response=Answer())
        return str(tmp_path / name)

    class Answer:
        headers, status_code, request = {}, 404, None

    Found.answer = Answer()
    monkeypatch.setattr(weights, "hf_hub_download", download)
    return Found


def test_a_repository_on_the_hub(hub):
    state = vgg_state()
    torch.save(state, hub.folder / "pytorch_model.bin")
    assert torch.equal(find_vgg19("some/repo")["features.28.weight"], state["features.28.weight"])
    assert hub.asked == [("some/repo", "model.safetensors"), ("some/repo", "pytorch_model.bin")]
    weights._named.cache_clear()
    save_file(vgg_state(2), hub.folder / "model.safetensors")
    assert len(find_vgg19("some/repo")) == 2


def test_a_repository_that_is_of_no_use_is_one_sentence(hub):
    with pytest.raises(InputError, match=r"some/empty holds neither model\.safetensors nor py"):
        find_vgg19("some/empty")
    save_file({"features.0.weight": torch.zeros(3, 3)}, hub.folder / "model.safetensors")
    with pytest.raises(InputError, match=r"some/other's model\.safetensors is not VGG-19"):
        find_vgg19("some/other")
    hub.error = RepositoryNotFoundError("404", response=hub.answer)
    with pytest.raises(InputError, match="There is no repository some/repo on the Hugging Face Hub"):
        find_vgg19("some/repo")
    for hub.error in (LocalEntryNotFoundError("offline"), OSError("no route"), TimeoutError()):
        with pytest.raises(InputError, match="check the network, or name none: VGG-19 comes with"):
            find_vgg19("some/repo")


def test_the_hubs_own_client_without_a_network_is_one_sentence(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="The weights of some/repo are not here"):
        find_vgg19("some/repo")


def test_torchvision(monkeypatch):
    from torchvision.models import VGG19_Weights

    state = vgg_state()
    kind = type(VGG19_Weights.IMAGENET1K_V1)
    monkeypatch.setattr(
        kind, "get_state_dict", lambda self, **how: {**state, "classifier.0.bias": torch.ones(2)}
    )
    found = find_vgg19("torchvision")
    assert all(torch.equal(found[key], state[key]) for key in KEYS)
    weights._named.cache_clear()

    def fails(self: object, **how: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(kind, "get_state_dict", fails)
    with pytest.raises(InputError, match="The weights of torchvision are not here and could not be"):
        find_vgg19("torchvision")


@pytest.mark.parametrize(
    "name", ["", "nothing.pth", "folder", "a/b/c", "../x", "a b/c", "/etc", "repo/x.safetensors"]
)
def test_what_is_neither_file_nor_repository_is_said(name, tmp_path, monkeypatch, hub):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    if not name:
        assert len(find_vgg19(name)) == len(KEYS)
        return
    with pytest.raises(InputError, match=r"does not exist; check its path, or name a repository"):
        find_vgg19(name)
    assert not hub.asked
