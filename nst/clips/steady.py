"""What holds a frame to the one before it."""

from __future__ import annotations

import torch
from torch import Tensor

from nst.optimization.objective import Evaluation, Objective


class SteadyObjective:
    """An objective that also counts how far the image is from what the frame before has become here.

    The temporal loss of Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (GCPR 2016),
    equation 7: the squared difference, where the flow can be relied on. As the other terms it is relative, to
    the variance of what it is compared with.

    Args:
        objective: of the frame.
        before: (1, C, H, W), the painting before, moved.
        holds: (1, 1, H, W), from 0 to 1, how far it is to be relied on.
        weight: of the term.
    """

    def __init__(self, objective: Objective, before: Tensor, holds: Tensor, weight: float) -> None:
        self.objective, self.blocks = objective, objective.blocks
        self._before, self._weight = before, weight
        variance = before.var().clamp_min(1e-3)
        self._weights = weight * holds / (before.numel() * variance)

    def __call__(self, image: Tensor) -> Evaluation:
        """Evaluate objective and gradient at `image`, shaped as the frame."""
        seen = self.objective(image)
        difference = image.detach() - self._before
        weighted = self._weights * difference
        temporal = (weighted * difference).sum()
        terms = torch.cat([seen.terms, temporal.view(1) / self._weight])
        gradient = torch.add(seen.gradient, weighted, alpha=2)
        return Evaluation(seen.loss + temporal, gradient, terms, (*seen.names, "temporal"))
