"""The sizes that a painting goes through, coarse to fine, and how many iterations each gets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nst.errors import InputError
from nst.image.decoding import MIN_SIDE, fit
from nst.settings import Settings

COARSEST = 64
# A picture whose short side is below this is too small for the deep layers.
_SHORTEST = 32


@dataclass(frozen=True)
class Scale:
    """One size of the pyramid."""

    width: int
    height: int
    iterations: int
    encoder: int = 0  # the number of the encoder that is used
    blocks: int = 0  # of how many of the network only a strip is held at a time

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
    `settings.iterations`, since each forms strokes that no smaller one can hold. Larger sizes get fewer, as
    only sharpness is missing there.

    Args:
        width: of the photo.
        height: of the photo.
        settings: size and iterations.
        schedule: "refined" if a second encoder finishes the last size; anything else is one encoder
            throughout. 25 and 15 of 55 iterations there come to VGG-19's own residual in half its time.

    Raises:
        InputError: the photo is so long that at this size its short side would be too short.
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
    """Return the relative number of iterations for a size: 1 up to 600 px, falling above it."""
    return min(1.0, 600 / longest)


def _share(total: int, weights: list[float]) -> list[int]:
    """Split `total` in proportion to `weights`; the last gets at least 1, the sum is exact."""
    whole = sum(weights)
    shares = [int(total * weight / whole) for weight in weights]
    shares[-1] = max(shares[-1], 1)
    shares[0] += total - sum(shares)
    return shares
