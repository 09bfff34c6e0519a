"""What README shows to programs does what it says."""

import base64
import json
import re
import shlex
import shutil
import subprocess

import pytest
from conftest import ROOT, complete
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from pictures import jpeg
from PIL import Image
from served import LIMITS

from nst.cli import main
from nst.settings import KNOBS

ADDRESS = "http://127.0.0.1:7860"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def block(language: str, word: str, url: str = ADDRESS) -> str:
    """Return the one block of README in a language that holds a word, for the page at an address."""
    (found,) = [text for kind, text in BLOCKS if kind == language and word in text]
    return found.replace(ADDRESS, url.rstrip("/"))


@pytest.fixture(autouse=True)
def beside_the_pictures(tmp_path, photo, painting, monkeypatch):
    Image.open(painting).convert("RGB").save(tmp_path / "painting.jpg")
    monkeypatch.chdir(tmp_path)


def test_the_command_line():  # Python's lines are in tests/unit/test_installed.py
    command = block("bash", "python -m nst photo.jpg").replace("--size 768", "--size 64 --iterations 20")
    program, arguments = shlex.split(command)[:3], shlex.split(command)[3:]
    assert program == ["python", "-m", "nst"]
    assert main(arguments) == 0
    assert Image.open("out.png").size == (64, 43)
    assert json.loads(Image.open("out.png").info["Settings"])["style_weight"] == 7


def test_gradio_client(url):
    found: dict[str, str] = {}
    code = block("python", "gradio_client", url)
    exec(code.replace("=7,", "=7, iterations=20,"), found)
    assert Image.open(found["painting"]).format == "PNG"


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl(url):
    command = block("bash", "curl", url).replace(": 7}", ': 7, \\"iterations\\": 20}')
    subprocess.run(["bash", "-c", command], check=True, timeout=120)
    assert Image.open("out.png").size == (256, 171)


def test_the_mcp_tool(url):
    (server,) = json.loads(block("json", "mcpServers", url))["mcpServers"].values()
    picture = "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode()
    given = {"photo": picture, "style": picture, "size": 64}

    async def use():
        async with (
            streamablehttp_client(server["url"]) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            (tool,) = (await session.list_tools()).tools
            painted, refused = [
                await session.call_tool(tool.name, {**given, "iterations": iterations})
                for iterations in (20, 20_000)
            ]
        return tool, painted, refused

    tool, painted, refused = complete(use())
    assert tool.name == "stylize"
    assert tool.description.startswith("Paint a photo in the manner of a painting")
    arguments = tool.inputSchema["properties"]
    taken = {"photo", "style", "style_2", "style_3", "style_4", "keep", "start", "resume"}
    taken |= {f"{kind}_{number}" for kind in ("region", "style_mask") for number in (1, 2, 3, 4)}
    assert set(arguments) == taken | {name for name, knob in KNOBS.items() if not knob.local}
    assert all(each["description"] for each in arguments.values())
    assert f"From 64 to {LIMITS.size}." in arguments["size"]["description"]
    for name in taken:
        # Anything else that it might announce, it would then refuse.
        assert arguments[name]["format"] == "uri"
        assert "data: URL" in arguments[name]["description"]
        assert "http" not in json.dumps(arguments[name])
    assert [each.type for each in painted.content] == ["image", "text"]
    assert refused.isError
    assert "whole number from 10 to 1000" in refused.content[0].text
