"""The encoders that the settings ask for on this host."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import torch
from torch import Tensor

from nst.host.device import pick_device, pick_precision
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.weights import NARROW, VGG19, find_narrow, find_vgg19, source_of

_MOST = 4
_Key = tuple[int, str, str, torch.device, torch.dtype]

_building = threading.Lock()
_built: dict[_Key, tuple[Mapping[str, Tensor], Encoder]] = {}


def load_encoders(settings: Settings, device: torch.device | None = None) -> tuple[Encoder, ...]:
    """Return the encoder that `settings` ask for, or two that take turns, in their order.

    Args:
        settings: they name encoder, weights and pooling.
        device: where they run; by default the best there is.

    Raises:
        InputError: weights were named that cannot be used.
    """
    device = device or pick_device(settings.device)
    return tuple(
        _encoder(
            find_narrow() if name == NARROW else find_vgg19(settings.weights), name, settings.pooling, device
        )
        for name in encoder_names(settings)
    )


def _encoder(convolutions: Mapping[str, Tensor], name: str, pooling: str, device: torch.device) -> Encoder:
    """Return the encoder of these weights, the same one every time, so that its cache is kept."""
    precision = pick_precision(device)
    key = (id(convolutions), name, pooling, device, precision)
    with _building:
        known = _built.get(key)
        if known is not None and known[0] is convolutions:
            return known[1]
        encoder = Encoder(convolutions, name=name, pooling=pooling, device=device, precision=precision)
        while len(_built) >= _MOST:
            _built.pop(next(iter(_built)))
        _built[key] = convolutions, encoder
    return encoder


def encoder_choice(settings: Settings) -> str:
    """Return the choice of encoders that "auto" is on this host, any other as it is.

    On a GPU VGG-19, on a CPU the narrow network, finished by VGG-19 if weights of it were named.
    """
    if settings.encoder != "auto":
        return settings.encoder
    if pick_device(settings.device).type == "cuda":
        return "vgg19"
    return "refined" if source_of(settings.weights) else "narrow"


def encoder_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of the encoders that `settings` ask for on this host, in the order of their turns."""
    return {
        "narrow": (NARROW,),
        "refined": (NARROW, VGG19),
        "vgg19": (VGG19,),
    }[encoder_choice(settings)]
