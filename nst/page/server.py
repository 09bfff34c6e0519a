"""Serving the page."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from nst.errors import InputError
from nst.gradio_faults import sessions
from nst.gradio_faults.address import host_of, port_of
from nst.gradio_faults.console import print_what_there_is
from nst.gradio_faults.loopback import spare_own_requests
from nst.gradio_faults.tools import describe_pictures
from nst.guard import connections, logs
from nst.guard.guard import Guard
from nst.guard.service import Service
from nst.host.allocator import keep_freed
from nst.page.document import Document
from nst.page.layout import build
from nst.page.static import ICON, styles
from nst.runs.limits import Limits
from nst.runs.own_folder import remove_own_folder

log = logging.getLogger(__name__)

# From the wish to end, such as SIGTERM, to the end.
_LAST_SECONDS = 4.0
# In the light and in the dark: one accent for what one presses, slides and waits for.
_COLORS: dict[str, Any] = {
    "button_secondary_text_color_hover": "*button_secondary_text_color",  # Monochrome's is too pale to read
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_border_color": "*primary_600",
    "button_primary_text_color": "white",
}
_THEME = gr.themes.Monochrome(
    primary_hue="indigo",
    spacing_size="md",
    radius_size="md",
    text_size="md",
    font_mono=["ui-monospace", "Consolas", "monospace"],
    font=["ui-sans-serif", "system-ui", "Segoe UI", "Helvetica Neue", "Arial", "sans-serif"],
).set(
    **_COLORS,
    **{f"{place}_dark": color for place, color in _COLORS.items()},
    slider_color="*primary_600",
    slider_color_dark="*primary_400",
)


@contextlib.contextmanager
def served(limits: Limits, *, warm: bool = False, **more: Any) -> Iterator[gr.Blocks]:
    """Serve the page for as long as the context lasts, `warm` ready to paint at once; yield it.

    The others are further arguments of `launch`, such as the port; InputError says that it is taken.
    """
    connections.bound()
    service = Service(limits)
    demo = build(service)
    try:
        try:
            demo.launch(
                prevent_thread_lock=True,
                theme=_THEME,
                css=styles(),
                footer_links=[],  # the page has a foot of its own
                favicon_path=str(ICON),
                max_file_size="40mb",
                enable_monitoring=False,
                mcp_server=True,
                run_history=False,
                # A server of pages before this one would be a second door, and this one not before it.
                ssr_mode=False,
                # Nor does the start depend on a request to itself, which a rush of visitors may hold up.
                _frontend=False,
                state_session_capacity=sessions.MOST,
                # Each run that waits is one of Gradio's jobs, though it takes no thread.
                max_threads=limits.waiting + 60,
                app_kwargs={
                    "middleware": [Middleware(Guard, service=service, demo=demo), Middleware(Document)]
                },
                **more,
            )
        except OSError as error:
            raise InputError(
                "The page cannot be served there; choose a free port with --port, or an address of this"
                " machine with --host."
            ) from error
        sessions.make_small()
        describe_pictures(demo)
        service.files.start()
        service.decoder.start()
        if warm:
            service.painter.start()
        yield demo
    finally:
        demo.close(verbose=False)
        service.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until it is interrupted; return the exit code."""
    parser = argparse.ArgumentParser(description="Serve the style transfer page.")
    parser.add_argument(
        "--host", help="address to listen on (default: this machine only, or GRADIO_SERVER_NAME)"
    )
    parser.add_argument("--port", help="port (default: the first free one from 7860, or GRADIO_SERVER_PORT)")
    parser.add_argument("--share", action="store_true", help="also make a public link through Gradio")
    chosen = parser.parse_args(arguments)
    print_what_there_is()
    logs.begin()
    keep_freed()
    try:
        host, port = host_of(chosen.host), port_of(chosen.port)
        spare_own_requests(host)
        with served(
            Limits.of_host(), warm=True, server_name=host, server_port=port, share=chosen.share
        ) as demo:
            if chosen.share and not demo.share_url:
                print(  # noqa: T201
                    f"There is no public link, as Gradio's relay cannot be reached from here;"
                    f" the page itself is up at {demo.local_url}",
                    flush=True,
                )
            logs.catch_prints()
            signal.signal(signal.SIGTERM, _interrupt)
            demo.block_thread()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    finally:
        remove_own_folder()
    return 0


def _interrupt(*_: object) -> None:
    """End as Ctrl-C does, and within seconds even if a connection does not want to close."""
    watchdog = threading.Timer(_LAST_SECONDS, _leave)
    watchdog.daemon = True
    watchdog.start()
    raise KeyboardInterrupt


def _leave() -> None:
    remove_own_folder()
    os._exit(0)
