"""VGG-19 as a feature extractor, its layers addressable by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.errors import InputError
from nst.vgg.convolution import ReplicateConv2d
from nst.vgg.description import Description, Matrices, Stage, describe
from nst.vgg.layers import CONVOLUTIONS, LAYERS, LAYOUT, default_layers
from nst.vgg.pooling import AveragePool, MaxPool

# ImageNet's mean and standard deviation, RGB in [0, 1].
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Encoder(nn.Module):
    """A frozen VGG-19, or a narrower network of the same layout, up to its deepest carried layer.

    The convolutions pad by repeating the border: zeros would look like a dark frame, which the painting
    then imitates. They run in `precision`; the image is taken and normalised in float32.

    Args:
        convolutions: `features.N.weight` and `features.N.bias` as in torchvision's vgg19 state dict, for
            the first one or more convolutions; the widths may differ from VGG-19's. Where there are also
            `taps.reluB_N` matrices, (K, C), the encoder has only these layers, and the features of each are
            its matrix times its activations.
        name: what people read, such as "VGG-19".
        pooling: "max" or "average".
        device: where it runs.
        precision: the convolutions' number format.

    Raises:
        InputError: the convolutions do not begin at the first or do not fit together.
    """

    mean: Tensor
    std: Tensor
    features: nn.Sequential

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
        self.projections = {
            layer: convolutions[f"taps.{layer}"].to(device, torch.float32)[..., None, None]
            for layer in carried
            if f"taps.{layer}" in convolutions
        }
        self.layers = tuple(self.projections or carried)
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
        features = nn.Sequential(
            *list(features)[: LAYERS[carried[-1]] + 1]
        )  # without a pooling after the last
        names = [f"features.{n}.{part}" for n in CONVOLUTIONS[: len(carried)] for part in ("weight", "bias")]
        try:
            state = {
                name.removeprefix("features."): convolutions[name].to(device, precision) for name in names
            }
            features.load_state_dict(state, assign=True)
        except (KeyError, RuntimeError) as error:
            raise InputError("The weights' convolutions do not fit together as in VGG-19.") from error
        # Channels last in memory: convolutions, pooling and Gram matrices are all faster on a CPU.
        self.features = features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor(_MEAN, device=device).view(shape))
        self.register_buffer("std", torch.tensor(_STD, device=device).view(shape))
        self.eval().requires_grad_(False)
        # In order, from the image on.
        self.stages = tuple(_stages(self.features))
        self.blocks = tuple(stage for stage in self.stages if not stage.convolution)  # each's pooling
        poolings = [
            at for at, module in enumerate(self.features) if isinstance(module, MaxPool | AveragePool)
        ]
        self._ends = (0, *(at + 1 for at in poolings))  # modules up to the end of so many blocks
        self._convolutions = dict(zip(carried, (one for one in self.stages if one.convolution), strict=True))

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
        return {name: self.mapped(name, value) for name, value in self.activations(image, layers).items()}

    def describe(
        self,
        image: Tensor,
        content: Iterable[str],
        style: Iterable[str],
        masks: Sequence[Tensor | None] = (None,),
        blocks: int = 0,
        matrices: Matrices | None = None,
    ) -> Description:
        """Return what the losses compare: feature maps of `content` and statistics of `style`.

        The statistics are those of the feature maps that `forward` returns, mostly without computing these:
        with a projection T the mean m becomes T m and the Gram matrix G becomes T G T^T. For few positions it
        is less work to project the features.

        Args:
            image: (1, 3, H, W) float RGB.
            content: names of layers.
            style: names of layers.
            masks: where in the image statistics are taken, (1, 1, H, W) in [0, 1] each, or None for
                everywhere. A layer takes them shrunk to its own size, by area (the guidance channels of Gatys
                et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 4).
            blocks: of how many blocks, from the first on, only a strip of the image is held at a time, with
                as many rows of its neighbours as they see. It is computed again for the gradient. The results
                are the same up to rounding.
            matrices: what the activations of each layer of `style` are multiplied by before statistics are
                taken, (K, C), one for each mask; if left out, the projections', which make features.

        Returns:
            Features of `content`, (1, C, h, w) each in the encoder's precision, and statistics of `style`,
            mean and Gram matrix for each mask, float32.

        Raises:
            InputError: a layer that this encoder does not carry.
        """
        return describe(self, image, tuple(content), tuple(style), masks, blocks, matrices)

    def stage(self, layer: str) -> Stage:
        """Return the convolution of a layer.

        Raises:
            InputError: a layer that this encoder does not carry.
        """
        self._need(layer)
        return self._convolutions[layer]

    def _need(self, layer: str) -> None:
        if layer not in self.layers:
            raise InputError(f"{self.name} here has no layer {layer}; it carries {', '.join(self.layers)}.")

    def mapped(self, layer: str, features: Tensor) -> Tensor:
        """Return a layer's features, (1, K, h, w), from its activations, (1, C, h, w)."""
        return (
            F.conv2d(features, self.projections[layer].to(features.dtype)) if self.projections else features
        )

    def matrix(self, layer: str) -> Tensor | None:
        """Return a layer's projection, (K, C), None if its features are its activations."""
        return self.projections[layer].flatten(1) if self.projections else None

    def activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the layers' activations, not projected."""
        return self.look(image, layers)[0]

    def look(
        self, value: Tensor, layers: Iterable[str], begin: int = 0, end: int | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the layers' activations in some blocks, not projected, and what comes out of these.

        Args:
            value: (1, 3, H, W), the image, or what comes out of the blocks before.
            layers: names of layers in these blocks.
            begin: blocks before the first.
            end: the number of the last block, pooling included; if left out, the block of the deepest layer,
                up to that.

        Returns:
            name -> (1, C, h, w), and (1, C, h, w), in the encoder's precision.
        """
        for name in layers:
            self._need(name)
        wanted = {LAYERS[name]: name for name in layers}
        kept: dict[str, Tensor] = {}
        if not begin:
            # (1, 3, H, W) -> (1, C, h, w), from module to module
            value = ((value - self.mean) / self.std).to(self.precision, memory_format=torch.channels_last)
        index, last = self._ends[begin], max(wanted, default=-1) if end is None else self._ends[end] - 1
        while index <= last:
            index, value = self._pass(index, value, wanted)
            if index in wanted:
                kept[wanted[index]] = value
            index += 1
        return kept, value

    def _pass(self, index: int, value: Tensor, wanted: Collection[int]) -> tuple[int, Tensor]:
        """Apply a convolution with its ReLU, or a pooling; return the last module's index and its output."""
        module = self.features[index]
        if not isinstance(module, ReplicateConv2d):
            return index, module(value)
        pooling = self.features[index + 2] if index + 2 < len(self.features) else None
        if index + 1 in wanted or not isinstance(pooling, MaxPool) or module.filters(value):
            return index + 1, module.rectified(value)
        # A maximum and a ReLU commute, and after pooling the map has a quarter of the positions. Not in
        # place: pooling returns a view, and that would cost a copy for the gradient.
        return index + 2, F.relu(pooling(module(value)))


def _stages(features: Iterable[nn.Module]) -> Iterator[Stage]:
    """Yield the convolutions and poolings among a network's modules."""
    stage = Stage(convolution=False, before=3, channels=3, stride=1, reach=0)
    for module in features:
        if isinstance(module, nn.Conv2d):
            reach = stage.reach + stage.stride
            stage = Stage(True, stage.channels, module.out_channels, stage.stride, reach)
        elif isinstance(module, nn.ReLU):
            continue
        else:
            stage = Stage(False, stage.channels, stage.channels, 2 * stage.stride, stage.reach)
        yield stage
