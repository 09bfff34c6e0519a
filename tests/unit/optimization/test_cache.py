"""Results kept within a bound, and what a second run with the same pictures is spared."""

import torch
from conftest import tiny_convolutions
from makers import finished

from nst import Settings
from nst.optimization import encoder_cache
from nst.vgg.encoder import Encoder


def test_a_result_is_made_once_while_there_is_room(monkeypatch):
    monkeypatch.setattr(encoder_cache, "_KEPT", 1000)
    encoder, made = Encoder(tiny_convolutions(), name="tiny"), []

    def make(name, size):
        made.append(name)
        return {"a": (torch.zeros(size, dtype=torch.uint8),)}

    sizes = {"first": 400, "second": 400, "third": 300, "huge": 600}
    # The third displaces the second, as the first was used again; the huge one would displace too many.
    for name in ("first", "first", "second", "first", "third", "first", "second", "huge", "huge"):
        encoder_cache.kept(encoder, name, lambda name=name: make(name, sizes[name]))
        assert encoder_cache._caches[encoder].nbytes <= 1000
    assert made == ["first", "second", "third", "second", "huge", "huge"]
    assert encoder_cache._caches[encoder].nbytes == 800


def test_the_second_run_looks_only_at_the_canvas_and_paints_the_same(photo, painting, monkeypatch):
    encoder = Encoder(tiny_convolutions(), name="tiny")
    looks = []
    look = Encoder.look

    def spy(self, value, *more):
        looks.append(value.requires_grad)
        return look(self, value, *more)

    monkeypatch.setattr(Encoder, "look", spy)
    settings = Settings(size=64, iterations=10)
    first = finished(photo, painting, settings, encoder=encoder)
    assert looks.count(False) == 2  # the photo and the style
    looks.clear()
    second = finished(photo, painting, settings, encoder=encoder)
    assert looks == [True] * 10
    assert (second.image == first.image).all()
    # Another weight needs no other target, a sheet of colour another one than the same turned by 90 degrees.
    finished(photo, painting, Settings(size=64, iterations=10, style_weight=8), encoder=encoder)
    assert False not in looks
    wide, tall = torch.ones(1, 3, 48, 64), torch.ones(1, 3, 64, 48)
    finished(wide, painting, settings, encoder=encoder)
    finished(tall, painting, settings, encoder=encoder)
    assert looks.count(False) == 3  # two photos, and the style at another size
