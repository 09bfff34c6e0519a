"""An objective's evaluations of one canvas, on a GPU as one CUDA graph."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
from torch import Tensor

from nst.optimization.objective import Evaluation, Objective

log = logging.getLogger(__name__)

# Calls before a graph is recorded, in which libraries choose kernels and set up workspaces; at least one.
_EAGER = 2


class GraphedObjective:
    """Evaluates an objective at a canvas that is changed in place between the calls.

    An evaluation is a few hundred small kernels, and launching them one by one takes a host longer than a
    GPU takes to run them. From the third call on they are launched together, recorded as a CUDA graph; not in
    strips, which are computed twice, nor where recording fails.

    Args:
        objective: what to evaluate.
        canvas: (1, C, H, W), shaped as its photo; its memory stays where it is.
    """

    def __init__(self, objective: Objective, canvas: Tensor) -> None:
        self.objective, self.canvas = objective, canvas
        self._recordable = canvas.is_cuda and not objective.blocks
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._made: Evaluation | None = None

    def __call__(self) -> Evaluation:
        """Return the objective and its gradient at the canvas as it is now."""
        if self._graph is None and self._recordable and self._calls >= _EAGER:
            self._record()
        self._calls += 1
        if self._graph is None or self._made is None:
            return self.objective(self.canvas)
        self._graph.replay()
        # Copied, since the next call overwrites the graph's tensors.
        made = self._made
        return replace(made, loss=made.loss.clone(), gradient=made.gradient.clone(), terms=made.terms.clone())

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            # Other threads may use the GPU meanwhile.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._made = self.objective(self.canvas)
        except RuntimeError as error:  # out of memory, or something that cannot be recorded
            log.warning("no CUDA graph at %d x %d: %s", *self.canvas.shape[:1:-1], error)
            self._recordable = False
            return
        self._graph = graph
