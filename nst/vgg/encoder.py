"""VGG-19 as a feature extractor, its layers addressable by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nst.errors import InputError
from nst.optimization.losses import Moments, average, moments
from nst.optimization.remembered import Remembered
from nst.vgg.convolution import ReplicateConv2d
from nst.vgg.layers import CONVOLUTIONS, LAYERS, LAYOUT, default_layers
from nst.vgg.pooling import AveragePool, MaxPool
from nst.vgg.strips import Strip, cut

# ImageNet's mean and standard deviation, RGB in [0, 1].
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Bytes of what is remembered of pictures, for the next run with them. A photo of 512 px takes 9 MB.
_KEPT = 128 * 2**20


class Encoder(nn.Module):
    """A frozen VGG-19, or a narrower network of the same layout, up to its deepest carried layer.

    The convolutions pad by repeating the border: zeros would look like a dark frame, which the painting
    then imitates. They run in `precision`; the image is taken and normalised in float32.

    Args:
        convolutions: `features.N.weight` and `features.N.bias` as in torchvision's vgg19 state dict, for
            the first one or more convolutions; the widths may differ from VGG-19's. Where there are also
            `taps.reluB_N` matrices, (K, C), only these layers can be asked for, and each is multiplied by
            its matrix from the left.
        name: what people read, such as "VGG-19".
        pooling: "max" or "average".
        device: where it runs.
        precision: the convolutions' number format.

    Raises:
        InputError: the convolutions do not begin at the first or do not fit together.
    """

    def __init__(
        self,
        convolutions: Mapping[str, Tensor],
        *,
        name: str,
        pooling: str = "max",
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.name = name
        self.precision = precision
        carried = [
            layer
            for layer, n in zip(LAYERS, CONVOLUTIONS, strict=True)
            if f"features.{n}.weight" in convolutions
        ]
        if not carried or carried != list(LAYERS)[: len(carried)]:
            raise InputError("The weights do not hold VGG-19's convolutions from the first one on.")
        self.taps = {
            layer: convolutions[f"taps.{layer}"].to(device, torch.float32)[..., None, None]
            for layer in carried
            if f"taps.{layer}" in convolutions
        }
        self.layers = tuple(self.taps or carried)
        self.style_layers, self.content_layers = default_layers(self.layers)

        widths = iter([convolutions[f"features.{n}.weight"].shape[0] for n in CONVOLUTIONS[: len(carried)]])
        features, before = nn.Sequential(), 3
        with torch.device("meta"):
            for entry in LAYOUT:
                if entry == "M":
                    features.append(AveragePool() if pooling == "average" else MaxPool())
                    continue
                after = next(widths, None)
                if after is None:
                    break
                features.append(ReplicateConv2d(before, after))
                features.append(nn.ReLU(inplace=True))
                before = after
        features = features[: LAYERS[carried[-1]] + 1]  # without a pooling behind the last
        names = [f"features.{n}.{part}" for n in CONVOLUTIONS[: len(carried)] for part in ("weight", "bias")]
        try:
            state = {
                name.removeprefix("features."): convolutions[name].to(device, precision) for name in names
            }
            features.load_state_dict(state, assign=True)
        except (KeyError, RuntimeError) as error:
            raise InputError("The weights' convolutions do not fit together as in VGG-19.") from error
        # Channels last in memory: convolutions, pooling and Gram matrices are all faster on a CPU.
        self.features = features.to(memory_format=torch.channels_last)
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor(_MEAN, device=device).view(shape))
        self.register_buffer("std", torch.tensor(_STD, device=device).view(shape))
        self.eval().requires_grad_(False)
        self.remembered = Remembered(_KEPT)

    @property
    def device(self) -> torch.device:
        """Where the encoder runs."""
        return self.mean.device

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the feature maps of `layers`, computing nothing beyond the deepest of them.

        Args:
            image: (1, 3, H, W) float RGB, in [0, 1] for a picture; each side at least 16 for relu5_1.
            layers: names such as "relu3_1".

        Returns:
            name -> (1, C, h, w) in the encoder's precision.

        Raises:
            InputError: a layer that this encoder does not carry.
        """
        return {name: self._mapped(name, value) for name, value in self._activations(image, layers).items()}

    def describe(
        self,
        image: Tensor,
        content: Iterable[str],
        style: Iterable[str],
        masks: Sequence[Tensor | None] = (None,),
        strips: int = 1,
    ) -> tuple[dict[str, Tensor], dict[str, tuple[Moments, ...]]]:
        """Return what the losses compare: feature maps of `content` and statistics of `style`.

        The statistics are those of the feature maps that `forward` returns, without computing these: a
        matrix T before the features is T m before their mean and T G T^T around their Gram matrix.

        Args:
            image: as for `forward`.
            content: names of layers.
            style: names of layers.
            masks: where in the image statistics are taken, (1, 1, H, W) in [0, 1] each, or None for
                everywhere. A layer takes them shrunk to its own size, by area (the guidance channels of Gatys
                et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 4).
            strips: into how many strips the image is cut, each seen with as much of its neighbours as the
                layers see. Only one strip's activations are held at a time, and they are computed once
                more on the way back. The results are the same up to rounding.

        Returns:
            name -> (1, C, h, w) in the encoder's precision; name -> mean and Gram matrix for each mask,
            float32.

        Raises:
            InputError: a layer that this encoder does not carry.
        """
        content, style = tuple(content), tuple(style)
        reaches = {name: self._reach(name) for name in (*content, *style)}
        reach, stride = max(reaches.values(), default=(0, 1))
        guides = {name: [_shrunk(mask, image, reaches[name][1]) for mask in masks] for name in style}

        def look(part: Tensor, strip: Strip) -> tuple[dict[str, Tensor], dict[str, list[Moments]]]:
            values = self._activations(part, reaches)
            own = {name: _rows(value, strip.own(reaches[name][1])) for name, value in values.items()}
            return {name: own[name] for name in content}, {
                name: [
                    moments(
                        own[name], guide if guide is None else _rows(guide, strip.whole(reaches[name][1]))
                    )
                    for guide in guides[name]
                ]
                for name in style
            }

        pieces = cut(image.shape[-2], strips, reach, stride)
        if len(pieces) == 1:
            scenes, found = look(image, pieces[0])
        else:
            seen = [
                checkpoint(look, image[..., piece.top : piece.bottom, :], piece, use_reentrant=False)
                for piece in pieces
            ]
            scenes = {name: torch.cat([scene[name] for scene, _ in seen], -2) for name in content}
            found = {
                name: [
                    average([each[name][k] for _, each in seen], _shares(guide, pieces, reaches[name][1]))
                    for k, guide in enumerate(guides[name])
                ]
                for name in style
            }
        if self.taps:
            for name, each in found.items():
                flat = self.taps[name].flatten(1).to(each[0].gram.dtype)
                found[name] = [Moments(flat @ mean, flat @ gram @ flat.T) for mean, gram in each]
        return (
            {name: self._mapped(name, scene) for name, scene in scenes.items()},
            {name: tuple(each) for name, each in found.items()},
        )

    def reach(self) -> tuple[int, int]:
        """Return how many pixels beyond its own a position of the deepest layer sees, and their distance."""
        return self._reach(self.layers[-1])

    def _reach(self, layer: str) -> tuple[int, int]:
        self._need(layer)
        reach, stride = 0, 1
        for module in self.features[: LAYERS[layer]]:
            if isinstance(module, nn.Conv2d):
                reach += stride
            elif not isinstance(module, nn.ReLU):
                stride *= 2
        return reach, stride

    def _need(self, layer: str) -> None:
        if layer not in self.layers:
            raise InputError(f"{self.name} here has no layer {layer}; it carries {', '.join(self.layers)}.")

    def _mapped(self, name: str, value: Tensor) -> Tensor:
        return nn.functional.conv2d(value, self.taps[name].to(value.dtype)) if self.taps else value

    def _activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the layers' own activations, before any tap's matrix."""
        for name in layers:
            self._need(name)
        wanted = {LAYERS[name]: name for name in layers}
        found: dict[str, Tensor] = {}
        value = ((image - self.mean) / self.std).to(self.precision, memory_format=torch.channels_last)
        for index in self._order(wanted):
            value = self.features[index](value)
            if index in wanted:
                found[wanted[index]] = value
        return found

    def _order(self, wanted: Collection[int]) -> Iterator[int]:
        """Yield the modules up to the deepest wanted one, maximum pooling ahead of a ReLU that nobody wants.

        The two commute, and after pooling there is only a quarter left to rectify.
        """
        index, last = 0, max(wanted, default=-1)
        while index <= last:
            following = self.features[index + 1] if index < last else None
            if index not in wanted and isinstance(following, nn.MaxPool2d):
                yield index + 1
                yield index
                index += 2
            else:
                yield index
                index += 1


def _shrunk(mask: Tensor | None, image: Tensor, stride: int) -> Tensor | None:
    """Return a mask of `image` at the size of a layer whose positions are `stride` pixels apart."""
    if mask is None or stride == 1:
        return mask
    size = (image.shape[-2] // stride, image.shape[-1] // stride)
    return nn.functional.interpolate(mask, size, mode="area")


def _rows(value: Tensor, rows: slice) -> Tensor:
    """Return some rows of a map."""
    # All of them are left as they are: a slice would cost a copy on the way back. One of channels-first shape
    # would bring gradients into that layout, which convolutions are slow at.
    if rows == slice(0, value.shape[-2]):
        return value
    return value.permute(0, 2, 3, 1)[:, rows].permute(0, 3, 1, 2)


def _shares(guide: Tensor | None, pieces: Sequence[Strip], stride: int) -> list[float | Tensor]:
    """Return how much each strip counts in statistics taken where `guide` is."""
    wholes = [piece.whole(stride) for piece in pieces]
    if guide is None:
        positions = wholes[-1].stop
        return [(rows.stop - rows.start) / positions for rows in wholes]
    total = guide.sum().clamp_min(1e-12)
    return [guide[..., rows, :].sum() / total for rows in wholes]
