"""A GPU whose memory others have taken: here is none, so one is called so that refuses."""

from types import SimpleNamespace

import pytest
import torch

from nst import Settings, painting, stylize
from nst.errors import NoRoomError

QUICK = Settings(size=64, iterations=10, encoder="narrow")
NOTICE = "The GPU has no memory left for this, so it is painted on the CPU."


@pytest.fixture
def gpu_that(monkeypatch):
    """Return a function that has all but the CPU raise an error, at once or with the first frame."""
    real, load = painting.optimization, painting.load_encoders

    def refuses(error: Exception, *, at_once: bool) -> None:
        def raise_it(*_):
            raise error
            yield

        def optimization(pictures, settings, encoder=None, controls=None):
            if settings.device == "cpu" or at_once:
                return real(pictures, settings, encoder, controls)
            encoders = [SimpleNamespace(device=torch.device("cuda"))]
            return SimpleNamespace(encoders=encoders, frames=raise_it)

        monkeypatch.setattr(painting, "optimization", optimization)
        monkeypatch.setattr(painting, "pick_device", lambda name: torch.device(name or "cuda"))
        monkeypatch.setattr(
            painting, "load_encoders", lambda wanted: load(wanted) if wanted.device else next(raise_it())
        )

    return refuses


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("unable to mmap 2925007 bytes from file: Cannot allocate memory (12)"),
        NoRoomError(),
    ],
)
def test_where_it_has_no_room_the_cpu_paints_and_says_so(gpu_that, photo, painting, error):
    gpu_that(error, at_once=not isinstance(error, NoRoomError))
    frames = list(stylize(photo, painting, QUICK))
    assert frames[-1].final
    assert {(frame.notice, frame.device) for frame in frames} == {(NOTICE, "CPU")}


def test_another_fault_stays_what_it_was(gpu_that, photo, painting):
    gpu_that(RuntimeError("CUDA error: an illegal memory access was encountered"), at_once=True)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        stylize(photo, painting, QUICK)
