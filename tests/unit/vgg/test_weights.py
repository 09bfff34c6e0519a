"""Which networks paint, and every source of weights: the package, named files, the Hub, torchvision."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError, RepositoryNotFoundError
from makers import random_vgg
from safetensors.torch import save, save_file

from nst import InputError, Settings
from nst.optimization import encoders
from nst.optimization.encoders import encoder_names, load_encoders
from nst.vgg import weights
from nst.vgg.weights import KEYS, find_vgg19


@pytest.fixture(autouse=True)
def forget():
    """What a test before has read from a source of the same name."""
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
    assert len(find_vgg19()) == count
    (encoder,) = load_encoders(Settings(encoder="vgg19"))
    assert len(encoder.layers) == count // 2
    # The settings come before the environment.
    with pytest.raises(InputError, match=r"missing\.pth does not exist"):
        find_vgg19(str(tmp_path / "missing.pth"))


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


def test_a_repository_on_the_hub_and_what_is_none_or_of_no_use(monkeypatch, tmp_path):
    asked, errors = [], []
    answer = SimpleNamespace(headers={}, status_code=404, request=None)

    def download(repository: str, name: str) -> str:
        asked.append((repository, name))
        for error in errors:
            raise error
        if not (tmp_path / name).exists():
            raise RemoteEntryNotFoundError("404", response=answer)
        return str(tmp_path / name)

    monkeypatch.setattr(weights, "hf_hub_download", download)
    for name in ("nothing.pth", str(tmp_path), "a/b/c", "../x", "a b/c", "repo/x.safetensors"):
        with pytest.raises(InputError, match=r"does not exist; check its path, or name a repository"):
            find_vgg19(name)
    assert not asked
    with pytest.raises(InputError, match=r"some/empty holds neither model\.safetensors nor py"):
        find_vgg19("some/empty")
    assert asked == [("some/empty", "model.safetensors"), ("some/empty", "pytorch_model.bin")]
    torch.save(vgg_state(4), tmp_path / "pytorch_model.bin")
    assert len(find_vgg19("some/repo")) == 4
    save_file({"features.0.weight": torch.zeros(3, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"some/other's model\.safetensors is not VGG-19"):
        find_vgg19("some/other")
    errors[:] = [RepositoryNotFoundError("404", response=answer)]
    with pytest.raises(InputError, match="There is no repository no/repo on the Hugging Face Hub"):
        find_vgg19("no/repo")
    for error in (LocalEntryNotFoundError("offline"), OSError("no route"), TimeoutError()):
        errors[:] = [error]
        with pytest.raises(InputError, match="check the network, or name none: VGG-19 comes with"):
            find_vgg19("no/repo")


def test_torchvisions_weights(monkeypatch):
    from torchvision.models import VGG19_Weights

    state, answer = vgg_state(), Mock(side_effect=OSError("no route to host"))
    monkeypatch.setattr(type(VGG19_Weights.IMAGENET1K_V1), "get_state_dict", answer)
    with pytest.raises(InputError, match="The weights of torchvision are not here and could not be"):
        find_vgg19("torchvision")
    answer.side_effect = lambda **how: {**state, "classifier.0.bias": torch.ones(2)}
    found = find_vgg19("torchvision")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in KEYS)


def test_each_choice_names_its_networks_in_the_order_of_their_turns(monkeypatch):
    chosen = {name: encoder_names(Settings(encoder=name)) for name in ("narrow", "refined", "vgg19")}
    narrow, full = "Narrow network", "VGG-19"
    assert chosen == {"narrow": (narrow,), "refined": (narrow, full), "vgg19": (full,)}
    for device, expected, named in (("cpu", (narrow,), (narrow, full)), ("cuda", (full,), (full,))):
        monkeypatch.setattr(encoders, "pick_device", lambda _, device=device: torch.device(device))
        assert encoder_names(Settings()) == expected
        assert encoder_names(Settings(weights="some/repo")) == named
    assert Settings(encoder="layout").encoder == "auto"  # as it was called in older settings
    assert Settings(encoder="builtin").encoder == "narrow"
    first, second = load_encoders(Settings(encoder="refined"), torch.device("cpu"))
    assert (first.name, second.name) == (narrow, full)
    for encoder in (first, second):
        assert encoder.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
        assert encoder.content_layers == ("relu4_2",)
    assert second is load_encoders(Settings(encoder="vgg19"), torch.device("cpu"))[0]
