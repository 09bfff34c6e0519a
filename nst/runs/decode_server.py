"""What the server imports from which the decoding processes are forked.

A process begins by importing the program that started it anew, which here would be Gradio and torch for every
file; none of that is needed to decode one.
"""

from multiprocessing import spawn

import nst.runs.decode_worker  # noqa: F401 (for all that are forked)

spawn._fixup_main_from_name = spawn._fixup_main_from_path = lambda _: None  # type: ignore[attr-defined]
