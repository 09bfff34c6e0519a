"""The pictures of a painting, whatever they are by now."""

from __future__ import annotations

from nst.inputs import Inputs

ALL = Inputs("photo", ("one", None, "three"), "keep", (None, None, "where"), "start", "resume", ("there",))


def test_empty_places_among_the_styles_are_closed_up_with_their_masks():
    closed_up, places = ALL.compact()
    assert places == (0, 2)
    assert closed_up.styles == ("one", "three")
    assert closed_up.regions == (None, "where")
    assert closed_up.style_masks == ("there", None)
    assert (closed_up.photo, closed_up.keep, closed_up.resume) == ("photo", "keep", "resume")
    assert Inputs("photo", (None, "two")).compact()[0].regions == (None,)
