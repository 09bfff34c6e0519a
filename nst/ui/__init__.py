"""The page in the browser; the only place that knows Gradio."""

from nst.ui.stubs import write_none

write_none()
