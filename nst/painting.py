"""The heart: a photo and one or more styles in, frames of the painting out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Union

import torch
from PIL import Image
from torch import Tensor

from nst.devices import describe
from nst.encoder import Encoder
from nst.errors import InputError
from nst.estimate import Estimate
from nst.footprint import available, needed
from nst.frames import Frame
from nst.images import fit, fit_area, load_image, resize, to_pixels
from nst.memory import give_back, keep_freed
from nst.objective import Evaluation, Objective
from nst.optimizers import OPTIMIZERS
from nst.pace import Pace
from nst.pyramid import COARSEST, Scale, plan
from nst.settings import Settings
from nst.weights import load_encoders

log = logging.getLogger(__name__)

Picture = Union[str, Path, bytes, IO[bytes], Image.Image, Tensor]  # noqa: UP007 (a runtime alias on 3.10)

# After so many roll-backs in a row the last good picture is as good as it gets.
_PATIENCE = 5


def stylize(
    content: Picture,
    styles: Picture | Sequence[Picture],
    settings: Settings | None = None,
    *,
    encoder: Encoder | tuple[Encoder, ...] | None = None,
    stop: Callable[[], bool] = bool,
    interval: float = 0.25,
) -> Iterator[Frame]:
    """Paint `content` in the manner of `styles`, yielding the canvas as it develops.

    Gatys, Ecker and Bethge (CVPR 2016), coarse to fine. Everything is checked before this returns; the
    work happens while the frames are taken. The first frame comes after one evaluation at the coarsest
    size, further ones at most every `interval` seconds and so that a slow consumer costs a few per cent
    at most; the last has `final` set. Closing the iterator ends the work.

    A loss that is not finite rolls the canvas back to the last good one and goes on with shorter steps;
    running out of memory finishes at a smaller size. Both are told in the frames' `notice`.

    Args:
        content: the photo: anything `load_image` takes, or a (1, 3, H, W) float tensor in [0, 1].
        styles: one painting or several, whose statistics are averaged.
        settings: how to paint; the defaults if left out.
        encoder: the features to use instead of those that the settings name; of two encoders the second
            finishes the picture.
        stop: asked at every iteration; once it returns true the canvas as it is becomes the final frame.
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
    photo = _decode(content, "The photo")
    looks = [_decode(style, "The style picture") for style in paintings]
    plan(photo.shape[-1], photo.shape[-2], settings)  # refuses before anything is loaded
    if encoder is None:
        eyes = load_encoders(settings)
    else:
        eyes = encoder if isinstance(encoder, tuple) else (encoder,)
    scales = plan(photo.shape[-1], photo.shape[-2], settings, finish=len(eyes) > 1)
    return _Painting(photo, looks, settings, eyes, scales, stop, interval).frames()


def _decode(picture: Picture, what: str) -> Tensor:
    return picture.float() if isinstance(picture, Tensor) else load_image(picture, what)


class _Painting:
    """One run of the optimisation: what its generator needs to keep between frames."""

    def __init__(
        self,
        photo: Tensor,
        looks: list[Tensor],
        settings: Settings,
        encoders: tuple[Encoder, ...],
        scales: list[Scale],
        stop: Callable[[], bool],
        interval: float,
    ) -> None:
        device = encoders[0].device
        self.photo = photo.to(device)
        self.looks = [look.to(device) for look in looks]
        self.settings = settings
        self.encoder, self.finisher = encoders[0], encoders[-1]
        self.names = ", then ".join(encoder.name for encoder in encoders)
        self.scales = scales
        self.stop = stop
        self.device = describe(device)
        self.started = time.monotonic()
        self.pace = Pace(interval, time.monotonic)
        self.estimate = Estimate(self.encoder.name, self.finisher.name, self.device)
        self.done = 0
        self.busy = 0.0  # seconds of optimisation
        self.notice = ""
        self.canvas: Tensor | None = None
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
                    self._shrink(position)
        finally:
            give_back()
        yield self._frame(max(position - 1, 0), final=True)

    def _paint(self, position: int) -> Iterator[Frame]:
        """Paint one scale; return whether the whole painting is to end here."""
        began = time.monotonic()
        scale = self.scales[position]
        size = (scale.width, scale.height)
        photo = resize(self.photo, size).clamp(0, 1)
        looks = [
            resize(look, fit_area(look.shape[-1], look.shape[-2], scale.pixels)).clamp(0, 1)
            for look in self.looks
        ]
        encoder = self.finisher if scale.finishing else self.encoder
        objective = Objective(encoder, photo, looks, self.settings)
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
            evaluation = objective(canvas)
            self.done += 1
            spent = time.monotonic() - began
            self.busy += spent

            over = time.monotonic() - self.started > self.settings.time_limit
            ending = over or self.stop() or (last_scale and index == scale.iterations - 1)
            due = self.pace.due()
            looking = ending or due or index == 0 or self.done % optimizer.check_every == 0
            if looking and not _is_finite(evaluation):
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
            if looking:
                good.copy_(canvas)
                good_seen, failures = evaluation, 0
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

    def _start(self, photo: Tensor, look: Tensor) -> Tensor:
        """Return the first canvas, of the photo's size."""
        if self.settings.initial == "content":
            return photo
        if self.settings.initial == "style":
            # Cropped to the photo's shape, not squeezed into it.
            height, width = photo.shape[-2:]
            fill = max(width / look.shape[-1], height / look.shape[-2])
            cover = resize(
                look, (max(width, round(look.shape[-1] * fill)), max(height, round(look.shape[-2] * fill)))
            )
            top, left = (cover.shape[-2] - height) // 2, (cover.shape[-1] - width) // 2
            return cover[..., top : top + height, left : left + width].clamp(0, 1)
        # Drawn on the CPU, so that a seed means the same picture on every device.
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(self.settings.seed))
        return (0.5 + 0.15 * noise).clamp(0, 1).to(photo.device)

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
        pixels = to_pixels(canvas)
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
            final=final,
            notice=self.notice,
        )

    def _make_fit(self) -> None:
        """Plan a smaller end if this host's memory will not do; Linux kills who tries."""
        left = available() if self.photo.device.type == "cpu" else None
        position = 0
        while left is not None and position < len(self.scales):
            scale = self.scales[position]
            encoder = self.finisher if scale.finishing else self.encoder
            if needed(encoder, scale.width, scale.height) > left:
                self._shrink(position)
            else:
                position += 1

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
            f"There was not enough memory to finish with {self.finisher.name}."
            if failed.finishing
            else f"There was not enough memory for {self.settings.size} px, so this is painted at {end} px."
        )
        log.warning("too little memory for %d x %d, going on at %d px", failed.width, failed.height, end)


def _is_finite(evaluation: Evaluation) -> bool:
    # The gradient overflows before the loss does; its sum is finite only if all of it is.
    return bool(torch.isfinite(evaluation.loss + evaluation.gradient.abs().sum()))


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        # The CPU allocator raises a plain RuntimeError.
        "not enough memory" in str(error) or "can't allocate memory" in str(error)
    )
