"""Three ways to move the pixels downhill, one gradient at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

# The first move, before any curvature is known: root mean square change of the pixels, white being 1.
FIRST_MOVE = 0.02
# How many moves L-BFGS remembers.
HISTORY = 12
# The longest step (root mean square): a wild one would lose the picture.
LONGEST_MOVE = 0.25


class Optimizer(Protocol):
    """Improves the image it was made with, in place."""

    # After how many steps the caller should look at the loss; looking makes a GPU wait for the host.
    check_every: int

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Move the image, given the scalar loss and its gradient at the image as it is."""


class FrequencyPreconditioner:
    """Weighs an image's spatial frequencies f, in cycles per pixel, with (f + 0.02)^-1/2.

    The objective is flatter along low frequencies than along high ones: without this, a step that is right
    for the grain is too short for the shapes. Symmetric and positive, of mean square 1.

    Args:
        shape: (..., H, W) of the image.
        device: where it is.
    """

    def __init__(self, shape: torch.Size, device: torch.device) -> None:
        height, width = self.size = (shape[-2], shape[-1])
        vertical = torch.fft.fftfreq(height, device=device)[:, None]
        horizontal = torch.fft.rfftfreq(width, device=device)[None]
        weights = (torch.hypot(vertical, horizontal) + 0.02).rsqrt()
        self.weights = weights / weights.square().mean().sqrt()  # (H, W // 2 + 1)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image, (..., H, W), with its frequencies weighed."""
        return torch.fft.irfft2(torch.fft.rfft2(image) * self.weights, s=self.size)


class LBFGS:
    """Limited-memory BFGS with unit steps and no line search: one evaluation a step.

    With a `preconditioner`, P, it moves the image in other coordinates, x = P z, with the gradient P g and a
    move of P times that of z (Nocedal and Wright, "Numerical Optimization", 2006, section 5.1:
    preconditioning is a change of variables).

    Byrd, Nocedal and Schnabel, "Representations of quasi-Newton matrices and their use in limited memory
    methods" (1994), theorem 2.2: with the last m moves as rows of S and the gradient changes as rows of Y,
    H g needs only two products with each of them and triangular solves of size m.

    It has no tolerances, so it never stops by itself, and it never clamps: cutting pixels off between
    steps would falsify the gradient changes.

    Args:
        image: any shape, contiguous, changed in place.
        history: how many moves are remembered at most; each takes 2 images.
        caution: 1, or less to make every step shorter.
        preconditioner: for an image, (..., H, W).
    """

    check_every = 1

    def __init__(
        self,
        image: Tensor,
        *,
        history: int = HISTORY,
        caution: float = 1.0,
        preconditioner: FrequencyPreconditioner | None = None,
    ) -> None:
        self.image, self.caution = image, caution
        self.preconditioner: Callable[[Tensor], Tensor] = preconditioner or torch.clone
        self.history = history
        # Each move beside its gradient change, so that one pass over memory serves both. Rows that are not
        # used yet are never touched, and take no memory.
        self.memory = image.new_empty(history, 2, image.numel())
        # float64: m x m numbers cost nothing, and their condition is the square of the problem's.
        self.cross = torch.zeros(
            history, history, dtype=torch.float64, device=image.device
        )  # S Y^T, upper part
        self.square = torch.zeros_like(self.cross)  # Y Y^T
        self.order: list[int] = []  # rows in use, oldest first
        self.last: tuple[Tensor, Tensor, Tensor] | None = None  # move, gradient and its products before it

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Move along -H g."""
        gradient = self.preconditioner(gradient.view_as(self.image)).flatten()
        fresh = self._remember(gradient)
        used = self.memory[: len(self.order)].flatten(0, 1)
        products = (used @ gradient).double().view(-1, 2)  # S g beside Y g
        if fresh is not None and self.last is not None:
            # S y and Y y for the older rows come from what is known: y is a difference of gradients.
            older = [row for row in self.order if row != fresh]
            difference = products[older] - self.last[2][older]
            self.cross[older, fresh] = difference[:, 0]
            self.square[older, fresh] = self.square[fresh, older] = difference[:, 1]
        move = self._direction(gradient, products, used)
        moved = self.preconditioner(move.view_as(self.image))
        longest = LONGEST_MOVE if self.order else FIRST_MOVE
        reach = longest / max(float(moved.norm()) / math.sqrt(moved.numel()), 1e-30)
        length = self.caution * (min(1.0, reach) if self.order else reach)
        move *= length
        self.image.add_(moved, alpha=length)
        self.last = (move, gradient, products)

    @classmethod
    def preconditioned(cls, image: Tensor, *, caution: float = 1.0) -> LBFGS:
        """Return one for an image, (..., H, W), with its `FrequencyPreconditioner`."""
        return cls(image, caution=caution, preconditioner=FrequencyPreconditioner(image.shape, image.device))

    def _remember(self, gradient: Tensor) -> int | None:
        """Store the last move if its curvature is positive; return its row."""
        if self.last is None:
            return None
        move, change = self.last[0], gradient - self.last[1]
        curvature = float(move @ change)
        if not curvature > 1e-8 * float(move.norm() * change.norm()):
            return None
        row = len(self.order) if len(self.order) < self.history else self.order.pop(0)
        self.order.append(row)
        self.memory[row, 0], self.memory[row, 1] = move, change
        self.cross[row, row] = curvature
        self.square[row, row] = change @ change
        return row

    def _direction(self, gradient: Tensor, products: Tensor, used: Tensor) -> Tensor:
        """Return -H g, given S g and Y g, (m, 2), and the rows of both, (2 m, N)."""
        if not self.order:
            return -gradient
        rows = torch.tensor(self.order, device=gradient.device)
        upper = torch.triu(self.cross[rows][:, rows])
        square = self.square[rows][:, rows]
        gamma = upper[-1, -1] / square[-1, -1]
        along, across = products[rows, :1], products[rows, 1:]
        solved = torch.linalg.solve_triangular(upper, along, upper=True)
        middle = upper.diagonal()[:, None] * solved + gamma * (square @ solved - across)
        weights = torch.empty_like(products)
        weights[rows, 0] = torch.linalg.solve_triangular(upper.T, middle, upper=False)[:, 0]
        weights[rows, 1] = -gamma * solved[:, 0]
        return -(gradient * gamma.to(gradient.dtype) + weights.flatten().to(gradient.dtype) @ used)


class Adam:
    """Adam (Kingma and Ba 2015) on pixels kept within [0, 1].

    A long memory for the squares (0.99) and the step 0.02 of white.

    Args:
        image: any shape, contiguous, changed in place.
        caution: 1, or less to make every step shorter.
    """

    check_every = 10

    def __init__(self, image: Tensor, *, caution: float = 1.0) -> None:
        self.image = image
        self.adam = torch.optim.Adam([image], lr=0.02 * caution, betas=(0.9, 0.99))

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Take one step of Adam and clip the pixels to [0, 1]."""
        self.image.grad = gradient.view_as(self.image)
        self.adam.step()
        self.image.clamp_(0, 1)


class GradientDescent:
    """Plain gradient descent; the step length grows while the loss falls and halves when it rises.

    A fixed length that suits every picture does not exist ("bold driver", Vogl et al. 1988). A step that
    made things worse is taken back.

    Args:
        image: any shape, contiguous, changed in place.
        caution: 1, or less to begin with a shorter step.
    """

    check_every = 1

    def __init__(self, image: Tensor, *, caution: float = 1.0) -> None:
        self.image = image
        self.caution = caution
        self.rate: float | None = None
        self.best: tuple[float, Tensor, Tensor] | None = None  # loss, image and gradient to go back to

    def step(self, loss: Tensor, gradient: Tensor) -> None:
        """Move along the negative gradient."""
        value = float(loss)
        if self.rate is None:
            length = float(gradient.norm()) / math.sqrt(gradient.numel())
            self.rate = self.caution * FIRST_MOVE / max(length, 1e-30)
        if self.best is not None and value > self.best[0]:
            self.rate *= 0.5
            self.image.copy_(self.best[1])
            gradient = self.best[2]
        else:
            if self.best is not None:
                self.rate *= 1.1
            self.best = (value, self.image.clone(), gradient.clone())
        self.image.sub_(self.rate * gradient.view_as(self.image))


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "lbfgs": LBFGS.preconditioned,
    "adam": Adam,
    "gradient-descent": GradientDescent,
}
