"""Going back to the last good canvas when the optimisation has diverged."""

from __future__ import annotations

import torch
from torch import Tensor

from nst.optimization.objective import Evaluation
from nst.optimization.optimizers import OPTIMIZERS, Optimizer

# After so many roll-backs in a row the painting ends with the last good picture.
_PATIENCE = 5


class GuardedOptimizer:
    """An optimiser on one canvas that goes back to the last good canvas after a loss that is not finite.

    Args:
        canvas: (1, C, H, W), contiguous, changed in place.
        optimizer: its name.
        evaluation: of the canvas, if there was one.
    """

    def __init__(self, canvas: Tensor, optimizer: str, evaluation: Evaluation | None) -> None:
        self.canvas, self.evaluation = canvas, evaluation
        self._make = OPTIMIZERS[optimizer]
        self._caution = 1.0
        self._optimizer: Optimizer = self._make(canvas)
        self._good, self._good_evaluation = canvas.clone(), evaluation
        self._failures = 0

    @property
    def check_every(self) -> int:
        """After how many steps the loss is looked at."""
        return self._optimizer.check_every

    @property
    def hopeless(self) -> bool:
        """Whether it was rolled back too often in a row."""
        return self._failures >= _PATIENCE

    def restart(self) -> None:
        """Start the optimiser anew, as the objective has changed."""
        self._optimizer = self._make(self.canvas, caution=self._caution)

    def accept(self, evaluation: Evaluation, *, looking: bool) -> bool:
        """Store the canvas's evaluation; return False if it diverged and the canvas was rolled back.

        Args:
            evaluation: of the canvas as it is.
            looking: whether its numbers are looked at, which makes a GPU wait for the host.
        """
        if looking and not _is_finite(evaluation):
            self._failures += 1
            self._caution /= 2
            self.canvas.copy_(self._good)
            self.evaluation = self._good_evaluation
            self.restart()
            return False
        if looking:
            self._good.copy_(self.canvas)
            self._good_evaluation, self._failures = evaluation, 0
        self.evaluation = evaluation
        return True

    def step(self) -> None:
        """Move the canvas by its evaluation."""
        if self.evaluation is not None:
            self._optimizer.step(self.evaluation.loss, self.evaluation.gradient)


def _is_finite(evaluation: Evaluation) -> bool:
    # The gradient overflows before the loss does; its sum is finite only if all of it is.
    return bool(torch.isfinite(evaluation.loss + evaluation.gradient.sum()))
