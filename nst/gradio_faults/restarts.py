"""Gradio 6.31.0: it draws another `app_id` at each start, at which open pages load themselves again.

They lose their pictures by that.
"""

import json
import zlib

import gradio as gr


def keep_open_pages(demo: gr.Blocks) -> None:
    """Have the same `app_id` for as long as the page stays the same."""
    made = json.dumps(demo.get_config_file()["dependencies"], default=str, sort_keys=True)
    demo.app_id = zlib.crc32(made.encode())
