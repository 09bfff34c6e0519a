"""Where weights come from: the package, a named file, the Hub or torchvision."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from nst.errors import InputError
from nst.vgg.layers import CONVOLUTIONS, LAYERS, WIDTHS
from nst.vgg.packed import unpack

log = logging.getLogger(__name__)

VARIABLE = "NST_WEIGHTS"
TORCHVISION = "torchvision"
# The deepest of Gatys' layers: 13 of VGG-19's 16 convolutions.
DEEPEST = "relu5_1"

VGG19, NARROW = "VGG-19", "Narrow network"
# Their cards stand beside them: narrow.md, vgg19.md.
NARROW_FILE = Path(__file__).with_name("narrow.safetensors")
VGG19_FILE = Path(__file__).with_name("vgg19.safetensors")

_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


def _keys() -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the tensors up to `DEEPEST`."""
    keys: dict[str, tuple[int, ...]] = {}
    before = 3
    for layer, n, width in zip(LAYERS, CONVOLUTIONS, WIDTHS, strict=True):
        keys[f"features.{n}.weight"] = (width, before, 3, 3)
        keys[f"features.{n}.bias"] = (width,)
        before = width
        if layer == DEEPEST:
            break
    return keys


KEYS = _keys()


def find_narrow() -> Mapping[str, Tensor]:
    """Return the narrow network that comes with the package."""
    return _of_package(NARROW_FILE)


def find_vgg19(source: str = "") -> Mapping[str, Tensor]:
    """Return VGG-19's convolutions, float32, under torchvision's names.

    Args:
        source: a file (safetensors or a state dict), a repository on the Hugging Face Hub such as
            "timm/vgg19.tv_in1k", or "torchvision"; left out, what NST_WEIGHTS names, or else the package's
            own file.

    Raises:
        InputError: the source that was named cannot be used; no other is tried.
    """
    source = source_of(source)
    if not source:
        return _of_package(VGG19_FILE)
    convolutions = _named(source)
    log.info("weights: %s, %d convolutions", Path(source).name, len(convolutions) // 2)
    return convolutions


def source_of(named: str) -> str:
    """Return the named source, or else that of the environment variable, or ""."""
    return named or os.environ.get(VARIABLE, "")


@lru_cache(maxsize=2)
def _of_package(file: Path) -> Mapping[str, Tensor]:
    """Return a network that comes with the package."""
    log.info("weights: %s of the package", file.name)
    return unpack(file)


@lru_cache(maxsize=1)
def _named(source: str) -> Mapping[str, Tensor]:
    """Return the convolutions of a named source."""
    if source == TORCHVISION:
        return _check(_from_torchvision(), "torchvision's VGG-19")
    path = Path(source).expanduser()
    if not path.is_file():
        if path.is_dir() or source.endswith(_ENDINGS) or not _REPOSITORY.fullmatch(source):
            raise InputError(
                f"The weights file {path.name} does not exist; check its path, or name a repository on the"
                f" Hugging Face Hub such as timm/vgg19.tv_in1k, or {TORCHVISION}."
            )
        path = _from_hub(source)
        return _check(_read(path, f"{source}'s {path.name}"), f"{source}'s {path.name}")
    label = f"The weights file {path.name}"
    return _check(_read(path, label), label)


def _from_hub(repository: str) -> Path:
    """Return the file of weights of a repository, out of the local cache if it is there."""
    for name in _HUB_FILES:
        try:
            return Path(hf_hub_download(repository, name))
        except RepositoryNotFoundError as error:
            raise InputError(f"There is no repository {repository} on the Hugging Face Hub.") from error
        except RemoteEntryNotFoundError:
            continue
        except Exception as error:  # of network, proxy or disk
            raise InputError(_unreachable(repository)) from error
    raise InputError(f"{repository} holds neither {' nor '.join(_HUB_FILES)}.")


def _unreachable(what: str) -> str:
    return (
        f"The weights of {what} are not here and could not be downloaded; check the network, or name none:"
        " VGG-19 comes with the package."
    )


def _from_torchvision() -> Mapping[str, Any]:
    # Imported when asked for: visitors would wait more than a second longer for the page.
    from torchvision.models import VGG19_Weights

    try:
        return VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except Exception as error:
        raise InputError(_unreachable(TORCHVISION)) from error


def _read(path: Path, label: str) -> dict[str, Any]:
    """Return the tensors of a safetensors file or a state dict; no pickled code is ever run."""
    try:
        try:
            with safe_open(path, framework="pt") as opened:
                return {key: opened.get_tensor(key) for key in opened.keys() if key in KEYS}  # noqa: SIM118
        except SafetensorError:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch.load raises a dozen kinds, depending on where the file is broken
        raise InputError(f"{label} is neither safetensors nor a torchvision state dict.") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise InputError(f"{label} holds no state dict.")
    return {key: value for key, value in state.items() if key in KEYS}


def _check(tensors: Mapping[str, Any], label: str) -> dict[str, Tensor]:
    """Return the leading complete convolutions as float32, checked for shape and finiteness."""
    checked: dict[str, Tensor] = {}
    for key, shape in KEYS.items():
        if key not in tensors:
            break
        value = tensors[key]
        if not isinstance(value, Tensor) or tuple(value.shape) != shape or not value.is_floating_point():
            raise InputError(f"{label} is not VGG-19: {key} does not have the shape {shape}.")
        checked[key] = value.float().clone()  # a clone, not a window into a memory-mapped file
        if not torch.isfinite(checked[key]).all():
            raise InputError(f"{label} is damaged: {key} holds values that are not finite.")
    if len(checked) % 2:
        checked.popitem()
    if not checked:
        raise InputError(f"{label} does not hold VGG-19's convolutions (features.0.weight and so on).")
    return checked
