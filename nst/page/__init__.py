"""The Gradio page, and nothing else."""

from collections.abc import Callable

import nst.gradio_faults  # noqa: F401 (before Gradio)
from nst.host.starting import start
from nst.host.threads import prepare

prepare()  # before torch


def main() -> int:
    """Serve the page; return the exit code."""

    def program() -> Callable[[], int]:
        from nst.page.server import main

        return main

    return start(program, "page")
