"""What a setting is: its name, default, range and help text, and how a value is checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nst.errors import InputError

# Nothing that a knob means is longer, and all of it is logged, linked and written into pictures.
LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Knob:
    """What page, command line, API and saved pictures need to know about one setting."""

    name: str
    kind: type
    default: Any
    label: str
    help: str
    low: float = 0.0  # of numbers
    high: float = 0.0
    step: float = 0.0
    choices: dict[str, str] = field(default_factory=dict)  # value -> what people read
    suggestions: dict[str, str] = field(default_factory=dict)  # of many possible texts, as `choices`
    former: dict[str, str] = field(default_factory=dict)  # what a value was called once -> what it is called
    refuse: Callable[[str], None] | None = None  # raises InputError for a text that cannot be used
    live: bool = False  # may change while a painting is on its way
    local: bool = False  # names a file or limit of the host: never offered to visitors

    def check(self, value: Any) -> Any:
        """Return `value` in the knob's own type.

        Raises:
            InputError: naming the knob and what it accepts.
        """
        if getattr(value, "ndim", None) == 0:  # a number of numpy's or torch's
            value = value.item()
        if self.kind is bool:
            if isinstance(value, bool):
                return value
            raise InputError(f"{self.label} ({self.name}) is either true or false, not {shown(value)}.")
        if self.kind is str:
            if not isinstance(value, str):
                raise InputError(f"{self.label} ({self.name}) is a text, not {shown(value)}.")
            if len(value) > LONGEST_TEXT:
                raise InputError(
                    f"{self.label} ({self.name}) is a text of at most {LONGEST_TEXT} letters;"
                    f" this one has {len(value)}."
                )
            value = self.former.get(value, value)
            if self.choices and value not in self.choices:
                raise InputError(
                    f"{self.label} ({self.name}) is one of {', '.join(self.choices)}, not {shown(value)}."
                )
            if self.refuse:
                self.refuse(value)
            return value
        number = self.kind is int
        wanted = f"a{' whole' if number else ''} number from {self.low:g} to {self.high:g}"
        refusal = InputError(f"{self.label} ({self.name}) is {wanted}, not {shown(value)}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal
        # Compared before any conversion: int() of a NaN and float() of a huge int both raise.
        if not self.low <= value <= self.high or (number and value != math.floor(value)):
            raise refusal
        return self.kind(value)


def shown(value: Any) -> str:
    """Return `value` as short, quoted text for an error message."""
    if isinstance(value, dict | list | tuple):  # what it holds may be a path of this host
        return "a list" if isinstance(value, list | tuple) else "an object"
    try:
        text = repr(value)
    except ValueError:  # integers of more than 4,300 digits refuse to print
        text = "a number that long"
    return text if len(text) <= 40 else text[:37] + "..."
