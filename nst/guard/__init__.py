"""What stands between the open internet and Gradio."""

import nst.gradio_faults  # noqa: F401 (before Gradio)
