"""The pictures that a painting is made from, whatever they are by now: files, pixels or tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, NamedTuple, TypeVar

from nst.image.decoding import MIN_SIDE

P = TypeVar("P")
Q = TypeVar("Q")


class Role(NamedTuple):
    """What one of the pictures is for."""

    name: str  # as messages call it, at the beginning of a sentence
    kind: Literal["photo", "style", "mask", "style mask", "start", "resume"]

    @property
    def ground(self) -> float:
        """What is behind its transparent parts, 0 black or 1 white: in a mask they do not count."""
        return 0.0 if self.kind in ("mask", "style mask") else 1.0

    @property
    def alpha(self) -> bool:
        """Whether its transparency may be the painting's."""
        return self.kind in ("photo", "resume")

    @property
    def least(self) -> int:
        """Pixels that it has to have on each side; those made for a long photo may be thin."""
        return 1 if self.kind in ("mask", "style mask", "resume") else MIN_SIDE


@dataclass(frozen=True)
class Inputs(Generic[P]):
    """The pictures of one painting."""

    photo: P
    styles: tuple[P | None, ...]  # None where a page has a place for a style and none in it
    keep: P | None = None  # mask of what stays the photo
    regions: tuple[P | None, ...] = ()  # for each style, as far as there are any, a mask of where it paints
    start: P | None = None  # to begin with, if the settings say so
    resume: P | None = None  # an earlier painting of the photo, to go on with
    style_masks: tuple[P | None, ...] = ()  # a mask of the style: where in it the style is taken from

    def pictures(self) -> Iterator[tuple[Role, P]]:
        """Yield those that are there, each with its role."""
        yield Role("The photo", "photo"), self.photo
        for number, style in enumerate(self.styles, 1):
            if style is not None:
                yield Role("The style picture" if number == 1 else f"Style picture {number}", "style"), style
        if self.keep is not None:
            yield Role("The mask of what to keep", "mask"), self.keep
        for number, region in enumerate(self.regions, 1):
            if region is not None:
                yield Role(f"The region of style {number}", "mask"), region
        if self.start is not None:
            yield Role("The picture to start from", "start"), self.start
        if self.resume is not None:
            yield Role("The painting to go on with", "resume"), self.resume
        for number, mask in enumerate(self.style_masks, 1):
            if mask is not None:
                yield Role(f"The mask of style {number}", "style mask"), mask

    def map(self, change: Callable[[Role, P], Q]) -> Inputs[Q]:
        """Return the same roles played by what `change` makes of each picture, in the order of `pictures`."""
        return self.replaced([change(role, picture) for role, picture in self.pictures()])

    def replaced(self, pictures: Sequence[Q]) -> Inputs[Q]:
        """Return the same roles played by others.

        Args:
            pictures: as many as `pictures` yields, in its order.
        """
        following = iter(pictures)

        def next_for(picture: P | None) -> Q | None:
            return None if picture is None else next(following)

        # In the order of `pictures`.
        return Inputs(
            photo=next(following),
            styles=tuple(map(next_for, self.styles)),
            keep=next_for(self.keep),
            regions=tuple(map(next_for, self.regions)),
            start=next_for(self.start),
            resume=next_for(self.resume),
            style_masks=tuple(map(next_for, self.style_masks)),
        )

    @property
    def paintings(self) -> list[P]:
        """The styles that are there."""
        return [style for style in self.styles if style is not None]

    @property
    def masks_of_styles(self) -> list[P | None]:
        """Where in each style it is taken from, as many as there are places for styles."""
        return [*self.style_masks, *[None] * (len(self.styles) - len(self.style_masks))]

    def compact(self) -> tuple[Inputs[P], tuple[int, ...]]:
        """Return the same without the empty places among the styles, and from which places they come."""
        places = tuple(place for place, style in enumerate(self.styles) if style is not None)
        regions = (*self.regions, *[None] * (len(self.styles) - len(self.regions)))
        masks = self.masks_of_styles
        closed_up = replace(
            self,
            styles=tuple(self.styles[place] for place in places),
            regions=tuple(regions[place] for place in places),
            style_masks=tuple(masks[place] for place in places),
        )
        return closed_up, places
