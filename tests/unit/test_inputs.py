"""The pictures of a painting, whatever they are by now."""

from __future__ import annotations

from nst.inputs import Inputs

ALL = Inputs("photo", ("one", None, "three"), "keep", (None, None, "where"), "start", "resume", ("there",))


def test_each_picture_has_the_name_of_its_place():
    assert [(role.name, role.kind, picture) for role, picture in ALL.pictures()] == [
        ("The photo", "photo", "photo"),
        ("The style picture", "style", "one"),
        ("Style picture 3", "style", "three"),
        ("The mask of what to keep", "mask", "keep"),
        ("The region of style 3", "mask", "where"),
        ("The picture to start from", "start", "start"),
        ("The painting to go on with", "resume", "resume"),
        ("The mask of style 1", "style mask", "there"),
    ]


def test_empty_places_among_the_styles_are_closed_up_with_their_masks():
    closed_up, places = ALL.compact()
    assert places == (0, 2)
    assert closed_up.styles == ("one", "three")
    assert closed_up.regions == (None, "where")
    assert closed_up.style_masks == ("there", None)
    assert (closed_up.photo, closed_up.keep, closed_up.resume) == ("photo", "keep", "resume")
    assert Inputs("photo", (None, "two")).compact()[0].regions == (None,)
