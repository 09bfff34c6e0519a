"""Work-arounds of faults and costs of Gradio 6.31, each in a module of its own.

Whoever imports Gradio imports this first.
"""

from nst.gradio_faults import address  # noqa: F401 (before Gradio is imported)
from nst.gradio_faults.socks import leave_out
from nst.gradio_faults.stubs import write_none

write_none()
leave_out()
