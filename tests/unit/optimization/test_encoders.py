"""Which encoders paint."""

from __future__ import annotations

import torch

from nst import Settings
from nst.optimization import encoders
from nst.optimization.encoders import encoder_names, load_encoders


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
    assert second is load_encoders(Settings(encoder="vgg19"), torch.device("cpu"))[0]
