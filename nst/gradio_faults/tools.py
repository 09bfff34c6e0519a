"""Gradio 6.31.0: assistants are promised that any address is fetched, which this host does not do."""

from typing import Any

import gradio as gr

_HOW = "A data: URL (base64), or the address of a file uploaded to this host; no other address is taken."


def describe_pictures(demo: gr.Blocks) -> None:
    """Have the schema of the MCP tool say how pictures are sent; Gradio's promises any address of the web."""
    server = demo.mcp_server_obj
    if server is None:  # without Gradio's extra for MCP
        return
    simplified = server.simplify_filedata_schema

    def simplify(schema: dict[str, Any]) -> tuple[dict[str, Any], list[list[str | int]]]:
        found, positions = simplified(schema)
        for position in positions:
            node: Any = found
            for step in position:
                node = node[step] if step in node else node["properties"][step]
            node["format"] = "uri"
            node["description"] = f"{node.get('description', '')} {_HOW}".strip()
        return found, positions

    server.simplify_filedata_schema = simplify  # type: ignore[method-assign]
