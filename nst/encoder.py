"""VGG-19 as a feature extractor, its layers addressable by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from nst.errors import InputError
from nst.layers import CONVOLUTIONS, LAYERS, LAYOUT, default_layers
from nst.losses import Moments, moments

# ImageNet's mean and standard deviation, RGB in [0, 1].
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class AveragePool(nn.Module):
    """2 x 2 average pooling, doubled so that deeper layers see activations about as large as after maximum.

    Gatys et al. (2016, section 2) recommend averaging; without the factor their biases would outweigh it.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return (1, C, H, W) features at half the height and width."""
        return 2 * nn.functional.avg_pool2d(features, 2)


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
                    features.append(AveragePool() if pooling == "average" else nn.MaxPool2d(2))
                    continue
                after = next(widths, None)
                if after is None:
                    break
                features.append(nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"))
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

        Returns:
            name -> (1, C, h, w) in the encoder's precision; name -> mean and Gram matrix for each mask,
            float32.

        Raises:
            InputError: a layer that this encoder does not carry.
        """
        content, style = tuple(content), tuple(style)
        values = self._activations(image, (*content, *style))
        found = {}
        for name in style:
            guides = [mask if mask is None else _shrunk(mask, values[name].shape[-2:]) for mask in masks]
            each = [moments(values[name], guide) for guide in guides]
            if self.taps:
                flat = self.taps[name].flatten(1).to(each[0].gram.dtype)
                each = [Moments(flat @ mean, flat @ gram @ flat.T) for mean, gram in each]
            found[name] = tuple(each)
        return {name: self._mapped(name, values[name]) for name in content}, found

    def _mapped(self, name: str, value: Tensor) -> Tensor:
        return nn.functional.conv2d(value, self.taps[name].to(value.dtype)) if self.taps else value

    def _activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the layers' own activations, before any tap's matrix."""
        wanted = {}
        for name in layers:
            if name not in self.layers:
                raise InputError(
                    f"{self.name} here has no layer {name}; it carries {', '.join(self.layers)}."
                )
            wanted[LAYERS[name]] = name
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


def _shrunk(mask: Tensor, size: tuple[int, int]) -> Tensor:
    return mask if mask.shape[-2:] == size else nn.functional.interpolate(mask, size, mode="area")
