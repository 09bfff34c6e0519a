"""The heart: a photo and one or more styles in, frames of the painting out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Union

import torch
from PIL import Image
from torch import Tensor

from nst.errors import InputError
from nst.host.allocator import give_back, give_back_when_idle, keep_freed
from nst.host.device import describe
from nst.image.border import trim
from nst.image.colors import is_grey, luminance, match_palette, with_luminance
from nst.image.files import MAX_SIDE, fit, fit_area, load_image, resize, to_pixels
from nst.image.masks import Region, at, divide, prepare
from nst.optimization.estimate import Estimate
from nst.optimization.frames import Frame
from nst.optimization.memory import MOST_STRIPS, available, needed, strips_within
from nst.optimization.objective import Evaluation, Objective
from nst.optimization.optimizers import OPTIMIZERS
from nst.optimization.pace import Pace
from nst.optimization.pyramid import COARSEST, Scale, plan
from nst.settings import MOST_STYLES, Settings
from nst.vgg.encoder import Encoder
from nst.vgg.layers import content_weights, style_weights
from nst.vgg.weights import encoder_choice, load_encoders

log = logging.getLogger(__name__)

Picture = Union[str, Path, bytes, IO[bytes], Image.Image, Tensor]  # noqa: UP007 (a runtime alias on 3.10)

# After so many roll-backs in a row the last good picture is as good as it gets.
_PATIENCE = 5


def stylize(
    content: Picture,
    styles: Picture | Sequence[Picture],
    settings: Settings | None = None,
    *,
    keep: Picture | None = None,
    regions: Sequence[Picture | None] = (),
    start: Picture | None = None,
    resume: Picture | None = None,
    encoder: Encoder | tuple[Encoder, ...] | None = None,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
    interval: float = 0.25,
) -> Iterator[Frame]:
    """Paint `content` in the manner of `styles`, yielding the canvas as it develops.

    Gatys, Ecker and Bethge (CVPR 2016), coarse to fine. Everything is checked before this returns; the
    work happens while the frames are taken. The first frame comes after one evaluation at the coarsest
    size, further ones at most every `interval` seconds and so that a consumer of up to 30 ms costs two per
    cent at most; the last has `final` set. Closing the iterator ends the work.

    A loss that is not finite rolls the canvas back to the last good one and goes on with shorter steps;
    running out of memory goes on strip by strip, or else finishes at a smaller size. What changes the
    picture is told in the frames' `notice`.

    Args:
        content: the photo: anything `load_image` takes, or a (1, 3, H, W) float tensor in [0, 1].
        styles: one painting or up to four, whose statistics are blended by `settings.blend`.
        settings: how to paint; the defaults if left out.
        keep: mask of the photo's proportions; where it is white the photo stays.
        regions: for each style, in their order, a mask of where it paints and nowhere else, or None. Styles
            without one are blended over the rest; if all have one, what none covers stays the photo.
        start: the picture to start from, which `settings.initial` "picture" asks for.
        resume: a painting to go on with, such as an earlier frame, of the photo's proportions. The sizes
            smaller than it are left out.
        encoder: the features to use instead of those that the settings name; two take turns as the settings
            say, "refined" if they do not.
        stop: asked at every iteration; once it returns true the canvas as it is becomes the final frame.
        steer: asked at every iteration for settings; the knobs of theirs that are `live` count from then on,
            with no restart. None for no change.
        interval: seconds between frames, 0 for every iteration.

    Returns:
        The frames. Same pictures, settings, encoder and machine: the same bytes.

    Raises:
        InputError: a picture or the combination of settings cannot be used.
    """
    settings = settings or Settings()
    several = isinstance(styles, Sequence) and not isinstance(styles, str | bytes)
    paintings = list(styles) if several else [styles]
    if not paintings:
        raise InputError("There is no style picture; add at least one.")
    if len(paintings) > MOST_STYLES:
        raise InputError(f"There are {len(paintings)} style pictures; {MOST_STYLES} are the most.")
    if len(regions) > len(paintings):
        raise InputError("There are more regions than style pictures; give each style at most one.")
    photo = _decode(content, "The photo")
    looks = [_decode(style, "The style picture") for style in paintings]
    if settings.trim_border:
        looks = [trim(look) for look in looks]
    plan(photo.shape[-1], photo.shape[-2], settings)  # refuses before anything is loaded
    begin = None
    if settings.initial == "picture":
        if start is None:
            raise InputError("There is no picture to start from; add one, or start from the photo.")
        begin = _decode(start, "The picture to start from")
    canvas = None if resume is None else _canvas(resume, photo)
    masks = [
        None if region is None else _mask(region, photo, settings, f"The region of style {number}")
        for number, region in enumerate(regions, 1)
    ]
    masks += [None] * (len(looks) - len(masks))
    kept = None if keep is None else _mask(keep, photo, settings, "The mask of what to keep")
    divide(settings.blend[: len(looks)], masks, kept)  # refuses
    turns = encoder_choice(settings)
    if encoder is None:
        eyes = load_encoders(settings)
    else:
        eyes = encoder if isinstance(encoder, tuple) else (encoder,)
        turns = "" if len(eyes) == 1 else "layout" if settings.encoder == "layout" else "refined"
    for eye in eyes:  # refuses layers that are not there
        style_weights(settings.style_layers, eye.layers)
        content_weights(settings.content_layer, eye.layers)
    scales = plan(photo.shape[-1], photo.shape[-2], settings, turns)
    if canvas is not None:
        reached = max(canvas.shape[-2:])
        scales = [scale for scale in scales if max(scale.width, scale.height) >= reached] or scales[-1:]
    return _Painting(
        photo, looks, settings, eyes, scales, masks, kept, begin, canvas, stop, steer, interval
    ).frames()


def _decode(picture: Picture, what: str) -> Tensor:
    return picture.float() if isinstance(picture, Tensor) else load_image(picture, what)


def _canvas(picture: Picture, photo: Tensor) -> Tensor:
    what = "The painting to go on with"
    canvas = _decode(picture, what)
    height, width = photo.shape[-2:]
    # A small frame's sides are rounded by up to half a pixel.
    if abs(canvas.shape[-1] * height / width - canvas.shape[-2]) > 1 + 0.01 * canvas.shape[-2]:
        raise InputError(f"{what} has other proportions than the photo; take one that was painted from it.")
    return canvas


def _mask(picture: Picture, photo: Tensor, settings: Settings, what: str) -> Tensor:
    # What is transparent in a mask is not painted on: it counts as black.
    found = picture.float() if isinstance(picture, Tensor) else load_image(picture, what, ground=0.0)
    return prepare(found, photo, settings.edge, what)


class _Painting:
    """One run of the optimisation: what its generator needs to keep between frames."""

    def __init__(
        self,
        photo: Tensor,
        looks: list[Tensor],
        settings: Settings,
        encoders: tuple[Encoder, ...],
        scales: list[Scale],
        masks: list[Tensor | None],
        keep: Tensor | None,
        begin: Tensor | None,
        canvas: Tensor | None,
        stop: Callable[[], bool],
        steer: Callable[[], Settings | None] | None,
        interval: float,
    ) -> None:
        device = encoders[0].device
        self.photo = photo.to(device)
        self.looks = [look.to(device) for look in looks]
        self.settings = settings
        # Without a colour anywhere none may appear: then light alone is painted.
        self.grey = all(is_grey(picture) for picture in (photo, *looks))
        self.masks = [None if mask is None else mask.to(device) for mask in masks]
        self.keep = None if keep is None else keep.to(device)
        self.regions, self.painted = self._divide()
        self.begin = None if begin is None else begin.to(device)
        self.encoders = encoders
        self.names = ", then ".join(encoder.name for encoder in encoders)
        self.scales = scales
        self.stop = stop
        self.steer = steer
        self.device = describe(device)
        self.started = time.monotonic()
        self.pace = Pace(interval, time.monotonic)
        self.estimate = Estimate([encoder.name for encoder in encoders], self.device)
        self.done = 0
        self.busy = 0.0  # seconds of optimisation
        self.notice = ""
        self.canvas = None if canvas is None else self._view(canvas.to(device))
        self.seen: Evaluation | None = None  # of the canvas as it is

    def frames(self) -> Iterator[Frame]:
        """Yield frames, the last one final."""
        position = 0
        ended = False
        keep_freed()
        self._make_fit()
        try:
            while position < len(self.scales) and not ended:
                try:
                    ended = yield from self._paint(position)
                    position += 1
                except (RuntimeError, MemoryError) as error:
                    if not _is_out_of_memory(error):
                        raise
                    self._relieve(position)
            yield self._frame(max(position - 1, 0), final=True)
        finally:
            give_back_when_idle()

    def _paint(self, position: int) -> Iterator[Frame]:
        """Paint one scale; return whether the whole painting is to end here."""
        began = time.monotonic()
        scale = self.scales[position]
        size = (scale.width, scale.height)
        photo = self._view(resize(self.photo, size).clamp(0, 1))
        looks = [self._look(look, photo, scale) for look in self.looks]
        make_objective = partial(self._objective, self.encoders[scale.encoder], photo, looks, scale.strips)
        objective = make_objective()
        # A tensor of its own, contiguous: the optimisers change it in place through a flat view.
        canvas = self._start(photo, looks[0]) if self.canvas is None else self._enlarged(photo)
        canvas = canvas.clone(memory_format=torch.contiguous_format)
        make_optimizer = OPTIMIZERS[self.settings.optimizer]
        optimizer = make_optimizer(canvas)
        good, good_seen = canvas.clone(), self.seen
        caution, failures = 1.0, 0
        last_scale = position == len(self.scales) - 1
        self.busy += time.monotonic() - began

        for index in range(scale.iterations):
            began = time.monotonic()
            if self._steered():
                # What was learned of the old objective does not hold for the new one.
                objective, optimizer = make_objective(), make_optimizer(canvas, caution=caution)
            evaluation = objective(canvas)
            self.done += 1
            over = time.monotonic() - self.started > self.settings.time_limit
            ending = over or self.stop() or (last_scale and index == scale.iterations - 1)
            due = self.pace.due()
            looking = ending or due or index == 0 or self.done % optimizer.check_every == 0
            astray = looking and not _is_finite(evaluation)
            if looking and not astray:
                good.copy_(canvas)
                good_seen, failures = evaluation, 0
            spent = time.monotonic() - began
            self.busy += spent

            if astray:
                log.warning("non-finite loss at iteration %d, rolled back", self.done)
                self.notice = "The optimisation went astray and was taken back to its last good picture."
                failures += 1
                caution /= 2
                canvas.copy_(good)
                self.canvas, self.seen = canvas, good_seen
                optimizer = make_optimizer(canvas, caution=caution)
                if ending or failures >= _PATIENCE:
                    return True
                continue
            self.canvas, self.seen = canvas, evaluation
            if over:
                self.notice = f"The time limit of {self.settings.time_limit:g} seconds was reached."
            if ending:
                return True
            if due:
                self.pace.hand_out()
                yield self._frame(position, left=scale.iterations - index - 1)
                self.pace.taken_back()
            began = time.monotonic()
            optimizer.step(evaluation.loss, evaluation.gradient)
            stepped = time.monotonic() - began
            self.busy += stepped
            self.estimate.saw(scale, spent + stepped)
        return False

    def _divide(self) -> tuple[list[Region], Tensor | None]:
        return divide(self.settings.blend[: len(self.looks)], self.masks, self.keep)

    def _objective(self, encoder: Encoder, photo: Tensor, looks: list[Tensor], strips: int) -> Objective:
        size = (photo.shape[-1], photo.shape[-2])
        painted = None if self.painted is None else at(self.painted, size)
        return Objective(
            encoder,
            photo,
            looks,
            self.settings,
            [region.at(size) for region in self.regions],
            painted,
            strips,
        )

    def _steered(self) -> bool:
        """Take over what is wanted by now; return whether that changed anything."""
        wanted = self.steer() if self.steer else None
        if wanted is None or (settings := self.settings.steered(wanted)) == self.settings:
            return False
        before, self.settings = self.settings, settings
        try:
            self.regions, self.painted = self._divide()
        except InputError as error:  # such as all shares 0: the painting goes on as it was
            self.settings, self.notice = before, str(error)
            return False
        return True

    def _view(self, picture: Tensor) -> Tensor:
        """Return a picture as it is painted: in colour, or its luminance alone."""
        return luminance(picture) if self.grey or self.settings.colors == "luminance" else picture

    def _look(self, look: Tensor, photo: Tensor, scale: Scale) -> Tensor:
        """Return a style as it is to be seen beside `photo` at a scale."""
        area = min(round(scale.pixels * self.settings.style_scale**2), MAX_SIDE**2)
        look = self._view(resize(look, fit_area(look.shape[-1], look.shape[-2], area)).clamp(0, 1))
        if self.settings.colors in ("luminance", "match-before"):
            look = match_palette(look, photo).clamp(0, 1)
        return look

    def _start(self, photo: Tensor, look: Tensor) -> Tensor:
        """Return the first canvas, of the photo's size."""
        initial, share = self.settings.initial, self.settings.initial_noise
        if initial == "content":
            begin = photo
        elif initial == "style":
            begin = _cover(look, photo)
        elif initial == "picture":
            begin = self._view(_cover(self.begin, photo))
        else:
            begin, share = photo, 1.0
        if not share:
            return begin
        # Drawn on the CPU, so that a seed means the same picture on every device.
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(self.settings.seed))
        noise = (0.5 + 0.15 * noise).clamp(0, 1).to(photo.device)
        return noise if share == 1 else torch.lerp(begin, noise, share)

    def _enlarged(self, photo: Tensor) -> Tensor:
        """Return the canvas at the size of `photo`, with the detail of the photo that it was too small for.

        A blurred start costs iterations: with this 40 at the last size come as far as 60 did without it.
        """
        height, width = photo.shape[-2:]
        before = resize(photo, (self.canvas.shape[-1], self.canvas.shape[-2]))
        return resize(self.canvas, (width, height)) + photo - resize(before, (width, height))

    def _frame(self, position: int, *, left: int = 0, final: bool = False) -> Frame:
        scale, later = self.scales[position], self.scales[position + 1 :]
        cost = self.estimate.cost(scale)
        end = self.scales[-1]
        # A picture that ends early still has the size that was asked for.
        canvas = resize(self.canvas, (end.width, end.height)) if final else self.canvas
        pixels = to_pixels(self._finished(canvas))
        return Frame(
            image=pixels,
            iteration=self.done,
            total=self.done + (0 if final else left + sum(s.iterations for s in later)),
            target=(end.width, end.height),
            losses=self.seen.named() if self.seen else {},
            seconds=time.monotonic() - self.started,
            optimising=self.busy,
            rate=1 / cost if cost else 0.0,
            remaining=0.0 if final else self.estimate.remaining(left, scale, later),
            encoder=self.names,
            device=self.device,
            settings=self.settings,
            final=final,
            notice=self.notice,
        )

    def _finished(self, canvas: Tensor) -> Tensor:
        """Return a canvas as people get it: in its colours, the photo where it was to be kept."""
        colors = self.settings.colors
        if self.grey:
            canvas = canvas.expand(-1, 3, -1, -1)
        if colors in ("style", "match-before") and self.painted is None:
            return canvas
        size = (canvas.shape[-1], canvas.shape[-2])
        photo = resize(self.photo, size).clamp(0, 1)
        painted = None if self.painted is None else at(self.painted, size)
        if colors == "luminance":
            canvas = with_luminance(photo, canvas)
        elif colors == "match-after":
            canvas = match_palette(canvas.clamp(0, 1), photo, painted).clamp(0, 1)
        return canvas if painted is None else torch.lerp(photo, canvas.clamp(0, 1), painted)

    def _make_fit(self) -> None:
        """Plan strips, or else a smaller end, if this host's memory will not do; Linux kills who tries."""
        if self.photo.device.type != "cpu" or (left := available()) is None:
            return
        end, style_scale = self.scales[-1], self.settings.style_scale
        if needed(self.encoders[end.encoder], end.width, end.height, style_scale) > left:
            give_back()  # what the painting before has left
            left = available() or left
        position = 0
        while position < len(self.scales):
            scale = self.scales[position]
            encoder = self.encoders[scale.encoder]
            strips = strips_within(left, encoder, scale.width, scale.height, style_scale)
            if strips is None:
                self._shrink(position)
            else:
                self.scales[position] = replace(scale, strips=strips)
                position += 1

    def _relieve(self, position: int) -> None:
        """As a scale turned out too large for the memory, cut it into strips, or else plan a smaller end."""
        scale = self.scales[position]
        if scale.strips < MOST_STRIPS:
            self.scales[position] = replace(scale, strips=4 * scale.strips)
            log.warning("too little memory for %d x %d, going on in strips", scale.width, scale.height)
        else:
            self._shrink(position)

    def _shrink(self, position: int) -> None:
        """As a scale is too large for the memory, plan a smaller end, or end with the scale before."""
        failed = self.scales[position]
        smaller = int(max(failed.width, failed.height) * 0.75)
        below = (
            max(self.scales[position - 1].width, self.scales[position - 1].height)
            if position
            else COARSEST - 1
        )
        if smaller > below:
            width, height = fit(failed.width, failed.height, smaller)
            self.scales[position:] = [replace(failed, width=width, height=height)]
        elif position:
            del self.scales[position:]
        else:
            raise InputError("This host has not enough memory for even a small painting; try again later.")
        end = max(self.scales[-1].width, self.scales[-1].height)
        self.notice = (
            f"There was not enough memory to finish with {self.encoders[failed.encoder].name}."
            if position and max(failed.width, failed.height) == below
            else f"There was not enough memory for {self.settings.size} px, so this is painted at {end} px."
        )
        log.warning("too little memory for %d x %d, going on at %d px", failed.width, failed.height, end)


def _cover(picture: Tensor, photo: Tensor) -> Tensor:
    """Return a picture that fills the photo's size: cropped to its shape, not squeezed into it."""
    height, width = photo.shape[-2:]
    fill = max(width / picture.shape[-1], height / picture.shape[-2])
    size = (max(width, round(picture.shape[-1] * fill)), max(height, round(picture.shape[-2] * fill)))
    cover = resize(picture, size)
    top, left = (cover.shape[-2] - height) // 2, (cover.shape[-1] - width) // 2
    return cover[..., top : top + height, left : left + width].clamp(0, 1)


def _is_finite(evaluation: Evaluation) -> bool:
    # The gradient overflows before the loss does; its sum is finite only if all of it is.
    return bool(torch.isfinite(evaluation.loss + evaluation.gradient.sum()))


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        # The CPU allocator raises a plain RuntimeError.
        "not enough memory" in str(error) or "can't allocate memory" in str(error)
    )
