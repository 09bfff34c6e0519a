"""Photo and styles at the size that is painted, and the canvas from one size to the next."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nst.image.colors import is_grey, luminance, match_palette, with_luminance
from nst.image.masks import Region, at, divide, within
from nst.image.tensors import MAX_SIDE, fit_area, resize
from nst.inputs import Inputs
from nst.optimization.objective import Objective
from nst.optimization.pyramid import Scale
from nst.settings import Settings
from nst.vgg.encoder import Encoder


class WorkingPictures:
    """Photo, styles and masks at the current size, in the colours that are painted.

    Args:
        inputs: tensors on one device, the masks prepared.
        settings: how to paint.
        alpha: (1, 1, H, W) of the photo, if the painting is to have it too.

    Raises:
        InputError: nothing is left to paint, or no style to paint it with.
    """

    def __init__(self, inputs: Inputs[Tensor], settings: Settings, alpha: Tensor | None = None) -> None:
        self.inputs, self.settings, self.alpha = inputs, settings, alpha
        # If all pictures are grey, so is the painting: only luminance is painted.
        self.grey = all(map(is_grey, (inputs.photo, *inputs.paintings)))
        self.regions, self.painted = self._divide(settings)
        self.photo, self.styles = inputs.photo, inputs.paintings
        self.parts = self._parts(self.styles)

    def set_scale(self, scale: Scale) -> None:
        """Resize photo and styles for a scale."""
        self.photo = self.colored(resize(self.inputs.photo, scale.size).clamp(0, 1))
        self.styles = [
            self._at_scale(style, mask, scale)
            for style, mask in zip(self.inputs.paintings, self.inputs.masks_of_styles, strict=True)
        ]
        self.parts = self._parts(self.styles)

    def steer(self, settings: Settings) -> None:
        """Change the settings.

        Raises:
            InputError: nothing is left to paint, or no style to paint it with; nothing has changed then.
        """
        self.regions, self.painted = self._divide(settings)
        self.settings = settings

    @property
    def resumed(self) -> Tensor | None:
        """The canvas to go on with, if there is one."""
        return None if self.inputs.resume is None else self.colored(self.inputs.resume)

    def objective(self, encoder: Encoder, scale: Scale) -> Objective:
        """Return what is to be minimised at the current scale."""
        return Objective(
            encoder,
            self.photo,
            self.styles,
            self.settings,
            [region.at(scale.size) for region in self.regions],
            None if self.painted is None else at(self.painted, scale.size),
            scale.blocks,
            self.parts,
        )

    def _divide(self, settings: Settings) -> tuple[Sequence[Region], Tensor | None]:
        """Return which part takes which styles, and what is painted at all; see `divide`."""
        count = len(self.inputs.styles)
        masks = (*self.inputs.regions, *[None] * (count - len(self.inputs.regions)))
        regions, painted = divide(settings.blend[:count], masks, self.inputs.keep)
        return regions if self.alpha is None else within(regions, self.alpha), painted

    def colored(self, picture: Tensor) -> Tensor:
        """Return a picture as it is painted: (1, 3, H, W) in colour, or (1, 1, H, W), its luminance alone."""
        return luminance(picture) if self.grey or self.settings.colors == "luminance" else picture

    def _parts(self, styles: Sequence[Tensor]) -> list[Tensor | None]:
        """Return the styles' masks at the size of the styles."""
        return [
            None if mask is None else at(mask, (style.shape[-1], style.shape[-2]))
            for style, mask in zip(styles, self.inputs.masks_of_styles, strict=True)
        ]

    def _at_scale(self, style: Tensor, mask: Tensor | None, scale: Scale) -> Tensor:
        """Return a style resized for a scale, its colours matched to the photo's if the settings say so."""
        area = min(round(scale.pixels * self.settings.style_scale**2), MAX_SIDE**2)
        style = self.colored(resize(style, fit_area(style.shape[-1], style.shape[-2], area)).clamp(0, 1))
        if self.settings.colors in ("luminance", "match-before"):
            part = None if mask is None else at(mask, (style.shape[-1], style.shape[-2]))
            style = match_palette(style, self.photo, part).clamp(0, 1)
        return style

    def first_canvas(self) -> Tensor:
        """Return the picture to begin with, as large as the photo."""
        photo = self.photo
        initial, noisy = self.settings.initial, self.settings.initial_noise
        if initial == "content":
            begin = photo
        elif initial == "style":
            begin = _cover(self.styles[0], photo)
        elif initial == "picture" and self.inputs.start is not None:
            begin = self.colored(_cover(self.inputs.start, photo))
        else:
            begin, noisy = photo, 1.0
        if not noisy:
            return begin
        # Drawn on the CPU, so that a seed means the same picture on every device.
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(self.settings.seed))
        noise = (0.5 + 0.15 * noise).clamp(0, 1).to(photo.device)
        return noise if noisy == 1 else torch.lerp(begin, noise, noisy)

    def enlarged(self, canvas: Tensor) -> Tensor:
        """Return a canvas as large as the photo, with the photo's detail that it was too small for.

        Without that it would be blurred, which costs iterations.
        """
        size = (self.photo.shape[-1], self.photo.shape[-2])
        before = resize(self.photo, (canvas.shape[-1], canvas.shape[-2]))
        return resize(canvas, size) + self.photo - resize(before, size)

    def finished(self, canvas: Tensor) -> Tensor:
        """Return the finished picture of a canvas: in colour, with the photo where it was kept, and alpha."""
        canvas = self._colored_back(canvas)
        if self.alpha is None:
            return canvas
        return torch.cat([canvas, at(self.alpha, (canvas.shape[-1], canvas.shape[-2]))], 1)

    def _colored_back(self, canvas: Tensor) -> Tensor:
        colors = self.settings.colors
        if self.grey:
            canvas = canvas.expand(-1, 3, -1, -1)
        if colors in ("style", "match-before") and self.painted is None:
            return canvas
        size = (canvas.shape[-1], canvas.shape[-2])
        photo = resize(self.inputs.photo, size).clamp(0, 1)
        painted = None if self.painted is None else at(self.painted, size)
        if colors == "luminance":
            canvas = with_luminance(photo, canvas)
        elif colors == "match-after":
            counts = painted
            if self.alpha is not None:
                seen = at(self.alpha, size)
                counts = seen if painted is None else painted * seen
            canvas = match_palette(canvas.clamp(0, 1), photo, counts).clamp(0, 1)
        return canvas if painted is None else torch.lerp(photo, canvas.clamp(0, 1), painted)


def _cover(picture: Tensor, photo: Tensor) -> Tensor:
    """Return a picture that fills the photo's size: cropped to its shape, not squeezed into it."""
    height, width = photo.shape[-2:]
    fill = max(width / picture.shape[-1], height / picture.shape[-2])
    size = (max(width, round(picture.shape[-1] * fill)), max(height, round(picture.shape[-2] * fill)))
    cover = resize(picture, size)
    top, left = (cover.shape[-2] - height) // 2, (cover.shape[-1] - width) // 2
    return cover[..., top : top + height, left : left + width].clamp(0, 1)
