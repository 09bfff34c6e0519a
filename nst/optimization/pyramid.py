"""The sizes that a painting goes through, coarse to fine, and how many iterations each gets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nst.errors import InputError
from nst.image.decoding import MIN_SIDE, fit
from nst.settings import Settings

COARSEST = 64
# Below this short side a picture holds too little for the deep layers to see.
_SHORTEST = 32


@dataclass(frozen=True)
class Scale:
    """One size of the pyramid."""

    width: int
    height: int
    iterations: int
    encoder: int = 0  # which of the encoders looks at it
    strips: int = 1  # in how many it is looked at, for want of memory

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.width, self.height

    @property
    def longest(self) -> int:
        """The longer side."""
        return max(self.width, self.height)


def plan(width: int, height: int, settings: Settings, schedule: str = "") -> list[Scale]:
    """Return the scales for a photo of `width` x `height`, coarsest first.

    Sizes halve from `settings.size` down to 64 pixels. All up to 600 get the same share of
    `settings.iterations`: each has to form strokes that no smaller one can hold. Above it they get fewer,
    since by then only the sharpness is missing (quality.md).

    Args:
        width: of the photo.
        height: of the photo.
        settings: size and iterations.
        schedule: "refined" where a second encoder looks within the last size; anything else is one encoder
            throughout. Measured with the narrow network and VGG-19: 25 and 15 iterations in place of 55 come
            to VGG-19's own residual in half its time.

    Raises:
        InputError: the photo is so narrow that at this size nothing would be left of its short side.
    """
    final = fit(width, height, settings.size)
    if min(final) < MIN_SIDE:
        raise InputError(
            f"At {settings.size} px this photo's short side would have {min(final)} pixels, and {MIN_SIDE}"
            " are needed; crop it or choose a larger size."
        )
    sizes = [final]
    longest = settings.size // 2
    while settings.coarse_to_fine and longest >= COARSEST and min(fit(width, height, longest)) >= _SHORTEST:
        sizes.insert(0, fit(width, height, longest))
        longest //= 2
    shares = _share(settings.iterations, [_appetite(max(size)) for size in sizes])
    scales = [Scale(w, h, n) for (w, h), n in zip(sizes, shares, strict=True)]
    *before, last = scales
    if schedule == "refined":
        begun, finished = round(last.iterations * 25 / 55), max(1, round(last.iterations * 15 / 55))
        scales = [*before, replace(last, iterations=begun), replace(last, iterations=finished, encoder=1)]
    return [scale for scale in scales if scale.iterations]


def _appetite(longest: int) -> float:
    """Return the relative number of iterations for a size: 1 up to 600 px, then falling with the side."""
    return min(1.0, 600 / longest)


def _share(total: int, weights: list[float]) -> list[int]:
    """Split `total` in proportion to `weights`; the last gets at least 1, the sum is exact."""
    whole = sum(weights)
    shares = [int(total * weight / whole) for weight in weights]
    shares[-1] = max(shares[-1], 1)
    shares[0] += total - sum(shares)
    return shares
