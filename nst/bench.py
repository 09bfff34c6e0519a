"""How fast it is, always as a ratio between things measured in the same run.

python -m nst.bench iteration --weights vgg19.safetensors
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from nst.devices import pick_device, pick_precision
from nst.encoder import Encoder
from nst.errors import InputError
from nst.memory import keep_freed
from nst.objective import Objective
from nst.optimizers import LBFGS
from nst.settings import Settings
from nst.weights import find_vgg19, load_encoders

_DEPTH = 8  # convolutions of the built-in encoder


def iteration(sizes: Sequence[int], rounds: int, weights: str) -> str:
    """Return a table of seconds per iteration (evaluation and L-BFGS step), encoder against encoder.

    VGG-19 is cut to the built-in encoder's depth. The two take turns, so that whatever else the machine does
    hits both.

    Args:
        sizes: longest sides; the pictures are noise, 4 : 3.
        rounds: how often each is measured, after three that do not count.
        weights: file of VGG-19's weights, or "" to find them as for painting.

    Raises:
        InputError: VGG-19's weights cannot be had.
    """
    (own,) = load_encoders(Settings(encoder="builtin"))
    tensors = dict(list(find_vgg19(weights).items())[: 2 * _DEPTH])
    peer = Encoder(tensors, name="VGG-19", device=own.device, precision=own.precision)
    encoders = {"vgg19": peer, "builtin": own}
    lines = [f"{'size':>6} {'encoder':18} {'median ms':>10} {'least ms':>9} {'of VGG-19':>10} {'least':>7}"]
    for size in sizes:
        steps = {name: _stepper(encoder, size) for name, encoder in encoders.items()}
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for turn in range(rounds + 3):
            for name, step in steps.items():
                began = time.perf_counter()
                step()
                if turn >= 3:
                    seconds[name].append(time.perf_counter() - began)
        base = seconds["vgg19"]
        for name, found in seconds.items():
            middle, least = statistics.median(found), min(found)
            lines.append(
                f"{size:6} {name:18} {1e3 * middle:10.1f} {1e3 * least:9.1f}"
                f" {middle / statistics.median(base):10.3f} {least / min(base):7.3f}"
            )
    return "\n".join(lines)


def _stepper(encoder: Encoder, size: int) -> Callable[[], None]:
    """Return what does one iteration of a painting that is under way."""
    generator = torch.Generator().manual_seed(0)
    photo, style = (
        torch.rand(1, 3, size * 3 // 4, size, generator=generator).to(encoder.device) for _ in range(2)
    )
    objective = Objective(encoder, photo, [style], Settings())
    canvas = photo.clone()
    optimizer = LBFGS(canvas)

    def step() -> None:
        evaluation = objective(canvas)
        optimizer.step(evaluation.loss, evaluation.gradient)
        if canvas.is_cuda:
            torch.cuda.synchronize()

    for _ in range(optimizer.history):
        step()
    return step


def describe_host() -> str:
    """Return processor or GPU, threads, precision and versions in one line."""
    device = pick_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else _processor()
    precision = str(pick_precision(device)).removeprefix("torch.")
    return (
        f"{name}, {torch.get_num_threads()} threads, {precision}, torch {torch.__version__},"
        f" Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.bench", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("iteration", help="seconds per iteration, built-in encoder against VGG-19")
    one.add_argument("--sizes", type=int, nargs="+", default=[512], help="longest sides in pixels")
    one.add_argument("--rounds", type=int, default=25, help="measurements of each")
    one.add_argument("--weights", default="", help="file of VGG-19's weights")
    options = parser.parse_args(arguments)
    keep_freed()
    print(describe_host())
    try:
        print(iteration(options.sizes, options.rounds, options.weights))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
