"""The page in the browser."""

import nst.gradio_faults  # noqa: F401 (before Gradio)
