"""The benchmarks' command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.host.allocator import keep_freed
from nst.lab.bench import __doc__ as about
from nst.lab.bench import convolution_seconds, crowd, idle, iteration, scaling, speed, startup
from nst.lab.bench.host import describe_host, host_line
from nst.settings import Settings

# Of each what `measure` takes is sizes, rounds and weights.
_OF_SIZES = {"iteration": iteration, "convolution": convolution_seconds, "scaling": scaling}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    keep_freed()
    print(host_line(), flush=True)
    try:
        findings, table = _measure(options)
        print(table)
        if options.json:
            options.json.write_text(json.dumps({"host": describe_host(), **findings}, indent=1))
        if options.command == "speed" and options.plot:
            speed.plot(findings, options.plot)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename} cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Return the findings, and as text."""
    if options.command == "startup":
        findings = startup.measure(iterations=options.iterations)
        return findings, startup.table(findings)
    if options.command == "idle":
        findings = idle.measure(seconds=options.seconds)
        return findings, idle.table(findings)
    if options.command == "crowd":
        findings = crowd.measure(
            size=options.size, busy=options.busy, quotas=options.quotas, rounds=options.rounds
        )
        return findings, crowd.table(findings)
    if options.command == "speed":
        if options.plot:
            speed.need_matplotlib()
        findings = speed.measure(
            photo=options.photo,
            style=options.style,
            settings=replace(Settings.from_json(options.settings), weights=options.weights),
            painters=options.by,
            ladder=options.ladder,
            iterations=options.iterations,
        )
        return findings, speed.table(findings)
    module = _OF_SIZES[options.command]
    findings = module.measure(sizes=options.sizes, rounds=options.rounds, weights=options.weights)
    return findings, module.table(findings)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", type=Path, help="file for the findings")
    weighty = argparse.ArgumentParser(add_help=False)
    weighty.add_argument("--weights", default="", help="VGG-19's weights; by default found as for painting")

    parser = argparse.ArgumentParser(prog="python -m nst.lab.bench", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in _OF_SIZES.items():
        sizes, rounds = ([128, 256, 512, 1024, 2048], 7) if name == "scaling" else ([512], 25)
        one = commands.add_parser(name, help=_first_line(module.__doc__), parents=[common, weighty])
        one.add_argument("--sizes", type=int, nargs="+", default=sizes, help="longest sides in pixels")
        one.add_argument("--rounds", type=int, default=rounds, help="iterations measured of each")
    one = commands.add_parser("speed", help=_first_line(speed.__doc__), parents=[common, weighty])
    one.add_argument("--photo", type=Path, required=True)
    one.add_argument("--style", type=Path, required=True)
    one.add_argument("--by", nargs="+", default=speed.PAINTERS, choices=speed.PAINTERS, help="our encoders")
    one.add_argument("--settings", default="{}", help='JSON of how ours paint, such as {"style_weight": 7}')
    one.add_argument(
        "--ladder", type=int, nargs="+", default=speed.LADDER, help="numbers of iterations for ours"
    )
    one.add_argument("--iterations", type=int, default=500, help="iterations of the classic recipe")
    one.add_argument("--plot", type=Path, help="picture file for residual against seconds; needs matplotlib")
    one = commands.add_parser("startup", help=_first_line(startup.__doc__), parents=[common])
    one.add_argument("--iterations", type=int, default=Settings().iterations, help="iterations of the run")
    one = commands.add_parser("crowd", help=_first_line(crowd.__doc__), parents=[common])
    one.add_argument("--size", type=int, default=Settings().size, help="longest side in pixels")
    one.add_argument("--busy", type=int, nargs="*", default=[0, 1, 2, 4], help="numbers of busy processes")
    one.add_argument("--quotas", type=float, nargs="*", default=[0.5, 1.0, 1.5], help="of cores")
    one.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    one = commands.add_parser("idle", help=_first_line(idle.__doc__), parents=[common])
    one.add_argument("--seconds", type=float, default=10.0, help="for which each page is looked at")
    return parser


def _first_line(text: str | None) -> str:
    return (text or "").splitlines()[0].rstrip(".").lower()


if __name__ == "__main__":
    sys.exit(main())
