"""The loop: for each size, for each iteration, evaluate, step, hand out a frame."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nst.errors import InputError
from nst.host.allocator import give_back, give_back_when_idle
from nst.image.tensors import resize, to_pixels
from nst.optimization.frames import Frame
from nst.optimization.memory_plan import Plan, is_out_of_memory
from nst.optimization.objective import Evaluation
from nst.optimization.pace import Pace
from nst.optimization.progress import Progress
from nst.optimization.pyramid import Scale
from nst.optimization.replay import GraphedObjective
from nst.optimization.rollback import GuardedOptimizer
from nst.optimization.working_pictures import WorkingPictures
from nst.settings import Settings
from nst.vgg.encoder import Encoder

log = logging.getLogger(__name__)

# From so many pixels on, returning free memory to the system is worth the tenth of a second that it takes.
_LARGE = 2_000_000
_DIVERGED = "The optimisation went astray and was taken back to its last good picture."


@dataclass(frozen=True)
class Controls:
    """How the caller steers and stops a painting; see `stylize`."""

    stop: Callable[[], bool] = bool
    steer: Callable[[], Settings | None] | None = None
    interval: float = 0.25


class Optimization:
    """One run of the optimisation.

    Args:
        pictures: what is painted from, on the encoders' device.
        settings: how to paint.
        encoders: those that take turns.
        scales: the sizes, coarse to fine.
        controls: how the caller steers and stops it.
    """

    def __init__(
        self,
        pictures: WorkingPictures,
        settings: Settings,
        encoders: Sequence[Encoder],
        scales: Sequence[Scale],
        controls: Controls,
    ) -> None:
        self.settings, self.encoders, self.controls = settings, encoders, controls
        self.pictures = pictures
        self.plan = Plan(scales, encoders, settings)
        self.progress = Progress(encoders, self.plan)
        self.pace = Pace(controls.interval, time.monotonic)
        self.canvas = pictures.resumed
        self.evaluation: Evaluation | None = None  # of the canvas as it is
        self.notice = ""
        self.ended = False
        self.unpainted = 0  # iterations that were left when it was ended early

    def frames(self) -> Generator[Frame, None, None]:
        """Yield frames, the last one final."""
        self.notice = self.plan.make_fit() or self.notice
        try:
            while (scale := self.plan.scale) and not self.ended:
                try:
                    yield from self._optimize(scale)
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    self.notice = self.plan.relieve() or self.notice
            yield self._frame(left=None)
        finally:
            give_back_when_idle()

    def _optimize(self, scale: Scale) -> Iterator[Frame]:
        """Minimise the objective at one size, from the canvas of the size before."""
        encoder, progress = self.encoders[scale.encoder], self.progress
        with progress.watch:
            self.pictures.set_scale(scale)
            optimizer = GuardedOptimizer(self._next_canvas(), self.settings.optimizer, self.evaluation)
            evaluate = GraphedObjective(self.pictures.objective(encoder, scale), optimizer.canvas)
            if scale.pixels >= _LARGE:  # the evaluations cannot reuse the targets' buffers
                give_back()
        for left in reversed(range(scale.iterations)):
            with progress.watch:
                if self._steered():
                    evaluate = GraphedObjective(self.pictures.objective(encoder, scale), optimizer.canvas)
                    optimizer.restart()
                evaluation = evaluate()
                progress.iterations += 1
                late = progress.seconds > self.settings.time_limit
                ending = late or self.controls.stop() or (self.plan.at_last and not left)
                due = self.pace.due()
                first = left == scale.iterations - 1
                looking = ending or due or first or progress.iterations % optimizer.check_every == 0
                steady = optimizer.accept(evaluation, looking=looking)
            evaluating = progress.watch.last
            self.canvas, self.evaluation = optimizer.canvas, optimizer.evaluation
            if not steady:
                log.warning("non-finite loss at iteration %d, rolled back", progress.iterations)
                self.notice = _DIVERGED
            elif late:
                self.notice = f"The time limit of {self.settings.time_limit:g} seconds was reached."
            if ending or optimizer.hopeless:
                self.ended = True
                self.unpainted = left + sum(each.iterations for each in self.plan.later)
                return
            if not steady:
                continue
            if due:
                self.pace.hand_out()
                yield self._frame(left)
                self.pace.taken_back()
            with progress.watch:
                optimizer.step()
            progress.estimate.saw(scale, evaluating + progress.watch.last)
        self.plan.go_on()

    def _next_canvas(self) -> Tensor:
        """Return the canvas to go on with, (1, C, H, W), as large as the photo is by now."""
        pictures = self.pictures
        canvas = pictures.first_canvas() if self.canvas is None else pictures.enlarged(self.canvas)
        # A contiguous copy: the optimisers change it in place through a flat view.
        return canvas.clone(memory_format=torch.contiguous_format)

    def _steered(self) -> bool:
        """Apply the settings that the caller wants now; return whether they changed."""
        wanted = self.controls.steer() if self.controls.steer else None
        if wanted is None or (settings := self.settings.steered(wanted)) == self.settings:
            return False
        try:
            self.pictures.steer(settings)
        except InputError as error:  # such as all shares 0: the painting goes on as it was
            self.notice = str(error)
            return False
        self.settings = settings
        return True

    def _frame(self, left: int | None) -> Frame:
        """Return the canvas as a frame, the final one if no number of iterations is left to it."""
        canvas = self.canvas
        if canvas is None:
            raise RuntimeError("nothing was painted")
        if left is None:  # a picture that ends early still has the size that was asked for
            canvas = resize(canvas, self.plan.scales[-1].size)
        pixels = to_pixels(self.pictures.finished(canvas))
        return self.progress.frame(pixels, self.evaluation, self.settings, self.notice, left, self.unpainted)
