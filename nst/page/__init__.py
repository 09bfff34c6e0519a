"""The Gradio page, and nothing else."""

import sys

import nst.gradio_faults  # noqa: F401 (before Gradio)
from nst.host.threads import prepare

prepare()  # before torch


def main() -> int:
    """Serve the page; return the exit code."""
    try:
        from nst.page.server import main as serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("nst"):
            raise
        print(f'error: The page needs {error.name}; install it with: pip install ".[page]"', file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
    return serve()
