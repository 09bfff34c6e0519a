"""Where the encoder's weights come from: a file, a cache, the Hub, torchvision, or built in."""

from __future__ import annotations

import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, try_to_load_from_cache
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from nst.devices import pick_device, pick_precision
from nst.encoder import Encoder
from nst.errors import InputError
from nst.hub import fetch_tensors, kept_tensors, within
from nst.layers import CONVOLUTIONS, LAYERS, WIDTHS
from nst.settings import Settings

log = logging.getLogger(__name__)

REPO = "timm/vgg19.tv_in1k"
FILENAME = "model.safetensors"
VARIABLE = "NST_WEIGHTS"
# The deepest of Gatys' layers: 13 of VGG-19's 16 convolutions, 52 of 575 MB.
DEEPEST = "relu5_1"

VGG19, OWN = "VGG-19", "Built-in encoder"
_MOST_ENCODERS = 4
_building = threading.Lock()
_encoders: dict[tuple, tuple[Mapping[str, Tensor], Encoder]] = {}
BUILTIN = Path(__file__).with_name("builtin.safetensors")

# VGG19_Weights.IMAGENET1K_V1.url, written out: importing torchvision takes longer than finding no network.
_TORCHVISION = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"


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


class UnavailableError(InputError):
    """VGG-19's weights are nowhere to be had."""


def load_encoders(settings: Settings, device: torch.device | None = None) -> tuple[Encoder, ...]:
    """Return the encoder that `settings` ask for, or one to paint and one to finish.

    Args:
        settings: they name encoder, weights and pooling.
        device: where they are to run; by default the best there is.

    "auto" is VGG-19 on a GPU, if its weights can be had, and the built-in encoder on a CPU, finished by
    VGG-19 where somebody named a file of its weights.

    Raises:
        InputError: a file of weights was named and cannot be used, or VGG-19 was asked for and its
            weights are nowhere to be had.
    """
    device = device or pick_device()
    build = {"pooling": settings.pooling, "device": device, "precision": pick_precision(device)}
    try:
        return tuple(
            _encoder(_builtin() if name == OWN else find_vgg19(settings.weights), name=name, **build)
            for name in encoder_names(settings)
        )
    except UnavailableError:
        if settings.encoder != "auto":
            raise
        log.info("weights: VGG-19's cannot be had, the built-in encoder takes its place")
        return (_encoder(_builtin(), name=OWN, **build),)


def _encoder(convolutions: Mapping[str, Tensor], **how: Any) -> Encoder:
    """Return the encoder of these weights, the same one every time: it remembers what it has seen."""
    key = (id(convolutions), *how.values())
    with _building:
        kept, encoder = _encoders.get(key, (None, None))
        if kept is not convolutions:
            encoder = Encoder(convolutions, **how)
            while len(_encoders) >= _MOST_ENCODERS:
                _encoders.pop(next(iter(_encoders)))
            _encoders[key] = convolutions, encoder
    return encoder


def encoder_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of the encoders that `settings` ask for on this host, if their weights can be had."""
    choice = settings.encoder
    if choice == "auto":
        on_gpu = pick_device().type == "cuda"
        choice = "vgg19" if on_gpu else "refined" if named_file(settings.weights) else "builtin"
    return {"builtin": (OWN,), "refined": (OWN, VGG19), "vgg19": (VGG19,)}[choice]


def at_hand(settings: Settings) -> bool:
    """Return whether the encoders that `settings` ask for need neither the network nor its cache."""
    loaded = named_file(settings.weights) or _from_sources.cache_info().currsize
    return VGG19 not in encoder_names(settings) or bool(loaded)


def named_file(file: str = "") -> str:
    """Return the file of weights that the settings or else the environment name, or ""."""
    return file or os.environ.get(VARIABLE, "")


@lru_cache(maxsize=1)
def _builtin() -> Mapping[str, Tensor]:
    """Return the network that comes with the package; its card is builtin.md beside it."""
    log.info("weights: built in")
    return {key: value.float() for key, value in load_file(BUILTIN).items()}


def find_vgg19(file: str = "") -> Mapping[str, Tensor]:
    """Return VGG-19's convolutions under torchvision's names, from the first source that has them.

    In this order: `file`, or the file that NST_WEIGHTS names; the local Hugging Face cache; the Hub, only
    the bytes that are needed; torchvision's download. Each step is logged in one line. Without a network
    all of it takes less than 3 seconds.

    Raises:
        InputError: a file was named and cannot be used; nothing else is tried then.
        UnavailableError: no source has them.
    """
    named = named_file(file)
    if named:
        convolutions = _from_file(str(Path(named).expanduser()))
        log.info("weights: %s, %d convolutions", Path(named).name, len(convolutions) // 2)
        return convolutions
    return _from_sources()


@lru_cache(maxsize=1)
def _from_sources() -> Mapping[str, Tensor]:
    """Return what the first source but a named file has; a failure is not remembered."""
    sources: dict[str, Callable[[], Mapping[str, Tensor] | None]] = {
        "Hugging Face cache": _from_cache,
        "Hugging Face Hub": _from_hub,
        "torchvision": _from_torchvision,
    }
    for name, source in sources.items():
        try:
            convolutions = source()
            if convolutions is None:
                log.info("weights: %s: not there", name)
                continue
            checked = _check(convolutions, name)
            if len(checked) < len(KEYS):
                raise InputError(f"{name} has too few convolutions.")
        except Exception as error:  # whatever is wrong with one source, the next is tried
            log.info(
                "weights: %s: %s", name, str(error).splitlines()[0] if str(error) else type(error).__name__
            )
            continue
        log.info("weights: %s, %d convolutions", name, len(checked) // 2)
        return checked
    raise UnavailableError(
        "VGG-19's weights cannot be had without a network;"
        f" choose the built-in encoder, or name a file of weights in {VARIABLE}."
    )


@lru_cache(maxsize=1)
def _from_file(path: str) -> Mapping[str, Tensor]:
    """Return the convolutions of a file that a person named."""
    label = f"The weights file {Path(path).name}"
    if not Path(path).is_file():
        raise InputError(f"{label} does not exist; check its path.")
    return _check(_read(Path(path), label), label)


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


def _check(found: Mapping[str, Any], label: str) -> dict[str, Tensor]:
    """Return the leading complete convolutions as float32, checked for shape and finiteness."""
    checked: dict[str, Tensor] = {}
    for key, shape in KEYS.items():
        if key not in found:
            break
        value = found[key]
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


def _from_cache() -> Mapping[str, Any] | None:
    kept = kept_tensors(REPO, len(KEYS))
    if kept is not None:
        return kept
    # Spaces preload into the standard place even where HF_HOME says otherwise.
    for folder in (constants.HF_HUB_CACHE, Path.home() / ".cache/huggingface/hub"):
        found = try_to_load_from_cache(REPO, FILENAME, cache_dir=folder)
        if isinstance(found, str):
            return _read(Path(found), "The cached file")
    return None


def _from_hub() -> Mapping[str, Any] | None:
    if constants.HF_HUB_OFFLINE:
        return None
    return fetch_tensors(REPO, FILENAME, list(KEYS))


def _from_torchvision() -> Mapping[str, Any] | None:
    name = _TORCHVISION.rsplit("/", 1)[1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.exists():
        if constants.HF_HUB_OFFLINE:
            return None
        # torch's own download waits for ever, so ask first whether anybody answers.
        request = urllib.request.Request(_TORCHVISION, method="HEAD")
        within(1.0, lambda: urllib.request.urlopen(request, timeout=1.0).close())  # noqa: S310 (as above)
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = name.removesuffix(".pth").rsplit("-", 1)[1]
        torch.hub.download_url_to_file(_TORCHVISION, str(path), hash_prefix=digest)
    return _read(path, "torchvision's file")
