"""Making the narrow network: VGG-19's layout, trained to have the features of a teacher, VGG-19.

    python -m nst.lab.distill --images FOLDER --teacher vgg19.safetensors -o narrow.safetensors

1. Closed form, layer by layer (after He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural
   Networks", ICCV 2017): choose the teacher's channels that linearly explain the others best, then solve
   least squares from the narrow network's own features to their pre-activations.
2. All layers together, by gradient: errors of features and Gram matrices against the teacher's, on crops of
   the pictures and on paintings that the optimisation makes with the narrow network as it is by then, so that
   it is trained where its own gradients lead.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from huggingface_hub.utils import tqdm
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nst.errors import InputError
from nst.host.allocator import keep_freed
from nst.host.device import pick_device, pick_precision
from nst.lab.narrow import BLOCK_COUNT, DEPTH, NAMES, TAPS, NarrowNetwork, new_block
from nst.lab.training_pictures import TrainingPictures
from nst.optimization.objective import Objective
from nst.optimization.optimizers import LBFGS
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.layers import LAYERS, PRESETS
from nst.vgg.moments import total
from nst.vgg.packed import CODES, pack, unpack
from nst.vgg.weights import find_vgg19

_SCORED = 192  # pixels on a side of what is held out
_STOCK = 1024  # crops at hand, a few of them new in each step
_PAINTED = 384  # snapshots of paintings at hand


def choose(moments: Tensor, count: int) -> list[int]:
    """Return the channels from which the others follow best by linear regression, greedily.

    Args:
        moments: (C, C) second moments of the channels.
        count: how many.
    """
    rest = moments.double().clone()
    chosen: list[int] = []
    for _ in range(count):
        diagonal = rest.diagonal().clamp_min(1e-12)
        gain = rest.square().sum(0) / diagonal
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        rest -= rest[:, best : best + 1] @ rest[best : best + 1] / diagonal[best]
    return chosen


def _loaded(file: Path) -> dict[str, Tensor]:
    """Return an encoder's tensors, packed or not."""
    state = load_file(file)
    return unpack(file) if any(key.endswith(f".{CODES}") for key in state) else state


def _ridge(square: Tensor, cross: Tensor) -> Tensor:
    """Solve min |X W - Y|^2 + small |W|^2 from X^T X and X^T Y."""
    identity = torch.eye(len(square), dtype=square.dtype, device=square.device)
    return torch.linalg.solve(square + 1e-6 * square.diagonal().mean() * identity, cross)


@torch.no_grad()
def solve(narrow: NarrowNetwork, teacher: Encoder, crops: list[Tensor], begun: int = 0) -> None:
    """Set the weights layer by layer in closed form, but for the first `begun` convolutions'."""
    narrow.mean.copy_(teacher.mean)
    narrow.std.copy_(teacher.std)
    targets = [((crop - teacher.mean) / teacher.std).to(teacher.precision) for crop in crops]
    given = [target.float() for target in targets]
    for index, name in enumerate(tqdm(NAMES, desc="closed form")):
        convolution, theirs = narrow.layers[index], teacher.features[LAYERS[name] - 1]
        moments = square = cross = torch.zeros((), dtype=torch.float64, device=teacher.device)
        for number in range(len(crops)):
            if new_block(index):
                targets[number], given[number] = (
                    F.max_pool2d(targets[number], 2),
                    F.max_pool2d(given[number], 2),
                )
            targets[number] = theirs(targets[number])
            patches = F.unfold(F.pad(given[number], (1, 1, 1, 1), mode="replicate"), 3)[0].T
            take = torch.randperm(len(patches), device=patches.device)[:3000]
            x = F.pad(patches[take], (0, 1), value=1)
            y = targets[number].float().flatten(2)[0].T[take]
            active = F.relu(y)
            moments = moments + (active.T @ active).double()
            square, cross = square + (x.T @ x).double(), cross + (x.T @ y).double()
        if index >= begun:
            chosen = choose(moments, convolution.out_channels)
            solution = _ridge(square, cross[:, chosen]).float().T
            convolution.weight.copy_(solution[:, :-1].view_as(convolution.weight))
            convolution.bias.copy_(solution[:, -1])  # type: ignore[union-attr]
        targets, given = (
            [F.relu(target) for target in targets],
            [F.relu(convolution(value)) for value in given],
        )
        if name in narrow.maps:
            pairs = [
                (value.flatten(2)[0].T, target.float().flatten(2)[0].T)
                for value, target in zip(given, targets, strict=True)
            ]
            square = total((x.T @ x).double() for x, _ in pairs)
            cross = total((x.T @ y).double() for x, y in pairs)
            narrow.maps[name].copy_(_ridge(square, cross).float().T)


def errors(value: Tensor, target: Tensor, *, gram: bool = True) -> tuple[Tensor, Tensor]:
    """Return the mean relative squared errors of (N, C, H, W) features and, or 0, of their Gram matrices."""
    feature = (value - target).square().sum((1, 2, 3)) / target.square().sum((1, 2, 3)).clamp_min(1e-6)
    if not gram:
        return feature.mean(), feature.new_zeros(())
    a, b = value.flatten(2), target.flatten(2)
    g, h = a @ a.mT, b @ b.mT
    difference = (g - h).square().sum((1, 2)) / h.square().sum((1, 2)).clamp_min(1e-6)
    return feature.mean(), difference.mean()


def paint_with(narrow: NarrowNetwork, pictures: TrainingPictures, size: int) -> list[Tensor]:
    """Return snapshots of one small painting made with the network as it is."""
    settings = Settings(
        content_weight=pictures.random.uniform(0, 9),
        smoothness=pictures.random.choice([0.0, 2.5, 5.0]),
        large_shapes=pictures.random.uniform(3, 8),
    )
    objective = Objective(narrow.encoder(), pictures.crop(size), [pictures.crop(size)], settings)
    canvas = pictures.crop(size).contiguous()
    optimizer = LBFGS(canvas, history=10)
    snapshots = []
    for iteration in range(1, 61):
        evaluation = objective(canvas)
        optimizer.step(evaluation.loss, evaluation.gradient)
        if iteration in (4, 15, 60) and torch.isfinite(canvas).all():
            snapshots.append(canvas.clone())
    return snapshots


def cosine(step: int, steps: int) -> float:
    """Return the share of the highest rate at a step."""
    return min(1, (step + 1) / 30) * (0.02 + 0.98 * (1 + math.cos(math.pi * step / max(steps, 1))) / 2)


def _loss(features: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
    """Return the mean of the relative errors, not squared: relu1_1's, a hundred times smaller, count too."""
    parts = []
    for name, target in targets.items():
        for error in errors(features[name].float(), target.float(), gram=name in PRESETS["gatys"]):
            parts.append((error + 1e-6).sqrt())
    return torch.stack(parts).mean()


def tune(
    narrow: NarrowNetwork,
    teacher: Encoder,
    pictures: TrainingPictures,
    output: Path,
    *,
    steps: int,
    batch: int,
    rate: float,
    crop: int,
    paint_every: int,
) -> None:
    """Train all layers together; the state is written every 500 steps and taken up again if it is there."""
    device = teacher.device
    optimizer = torch.optim.AdamW(narrow.parameters(), lr=rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, steps))
    begin, state = 0, _state_of(output)
    if state.exists():
        kept = torch.load(state, weights_only=True)
        narrow.load_state_dict(kept["student"])  # as states of earlier versions name it
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        begin = kept["step"]
        pictures.random.seed(begin)
    stock: list[Tensor] = []
    painted: list[Tensor] = []
    with tqdm(total=steps, initial=begin, desc="training") as bar:
        for step in range(begin, steps):
            if step % paint_every == 0:
                painted = (painted + paint_with(narrow, pictures, crop))[-_PAINTED:]
            stock = (stock + [pictures.crop(crop) for _ in range(max(1, batch // 6))])[-_STOCK:]
            own = pictures.random.sample(painted, min(batch // 2, len(painted)))
            images = torch.cat(own + pictures.random.choices(stock, k=batch - len(own)))
            with torch.no_grad():
                targets = teacher(images, TAPS)
            with torch.autocast(device.type, torch.bfloat16, enabled=teacher.precision == torch.bfloat16):
                features = narrow(images)
            loss = _loss(features, targets)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(narrow.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            bar.update()
            if (step + 1) % 500 == 0 or step + 1 == steps:
                bar.set_postfix(loss=f"{loss.item():.4f}", refresh=False)
                save(narrow, output)
                torch.save(
                    {
                        "student": narrow.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "schedule": schedule.state_dict(),
                        "step": step + 1,
                    },
                    state,
                )


def _state_of(output: Path) -> Path:
    return output.with_suffix(".state")


def save(narrow: NarrowNetwork, file: Path) -> None:
    """Write the narrow network as an encoder's packed file."""
    save_file(pack(narrow.export()), file)


@torch.no_grad()
def score(narrow: NarrowNetwork, teacher: Encoder, pictures: TrainingPictures) -> str:
    """Return a table of relative errors on the held-out pictures."""
    images = torch.cat([pictures.crop(_SCORED, held_out=n) for n in range(len(pictures.held_out))])
    targets, features = teacher(images, TAPS), narrow(images)
    rows = [(name, *errors(features[name], targets[name].float())) for name in TAPS]
    return "\n".join(
        ["layer     features  Gram"] + [f"{name:9} {float(f):8.3f}  {float(g):.4f}" for name, f, g in rows]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nst.lab.distill", description="Make the narrow network.")
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures to learn from")
    parser.add_argument(
        "--exclude", type=Path, help="folder of test pictures; pictures like these are left out"
    )
    parser.add_argument(
        "--teacher", default="", help="file of VGG-19's weights; by default found as for painting"
    )
    parser.add_argument(
        "--widths",
        type=int,
        nargs="+",
        default=(32, 32, 64, 64, 128, 64, 64, 128, 192, 256, 192, 256, 512),
        help="channels of the five blocks, or of all thirteen convolutions",
    )
    parser.add_argument("--crops", type=int, default=400, help="crops for the closed form")
    parser.add_argument(
        "--begin", type=Path, help="an encoder to take convolutions from, up to the first of another width"
    )
    parser.add_argument("--steps", type=int, default=16000, help="steps of training")
    parser.add_argument("--batch", type=int, default=16, help="crops in a step")
    parser.add_argument("--crop", type=int, default=256, help="pixels on a side of a crop")
    parser.add_argument("--paint-every", type=int, default=40, help="steps from one painting to the next")
    parser.add_argument("--rate", type=float, default=1e-3, help="AdamW's highest rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True, help="safetensors file to write")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(options.widths) not in (BLOCK_COUNT, DEPTH):
        parser.error(f"--widths takes {BLOCK_COUNT} or {DEPTH} numbers")
    try:
        keep_freed()
        torch.manual_seed(options.seed)
        device = pick_device()
        weights = find_vgg19(options.teacher)
        widths = {name: weights[f"features.{LAYERS[name] - 1}.weight"].shape[0] for name in TAPS}
        teacher = Encoder(weights, name="teacher", device=device, precision=pick_precision(device))
        pictures = TrainingPictures(options.images, options.exclude, device, options.seed)
        print(f"{len(pictures.pictures)} pictures, {len(pictures.left_out)} left out: {pictures.left_out}")
        narrow = NarrowNetwork(options.widths, widths).to(device)
        if not _state_of(options.output).exists():
            begun = narrow.take(_loaded(options.begin)) if options.begin else 0
            solve(narrow, teacher, [pictures.crop(options.crop) for _ in range(options.crops)], begun)
            print("closed form, held-out pictures\n" + score(narrow, teacher, pictures), flush=True)
        tune(
            narrow,
            teacher,
            pictures,
            options.output,
            steps=options.steps,
            batch=options.batch,
            rate=options.rate,
            crop=options.crop,
            paint_every=options.paint_every,
        )
    except (InputError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("trained, held-out pictures\n" + score(narrow, teacher, pictures))
    save(narrow, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
