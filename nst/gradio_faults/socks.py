"""Gradio 6.31.0: where a SOCKS proxy is named it cannot even be imported, for want of a package."""

import importlib.util
import logging
import os

log = logging.getLogger(__name__)


def leave_out() -> None:
    """Name no proxy that cannot be used; what would be asked through it is asked without."""
    for name, value in list(os.environ.items()):
        socks = name.lower().endswith("_proxy") and value.lower().startswith("socks")
        if socks and importlib.util.find_spec("socksio") is None:
            log.warning("%s is not used: a SOCKS proxy needs pip install httpx[socks]", name)
            del os.environ[name]
