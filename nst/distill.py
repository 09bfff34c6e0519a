"""Making the built-in encoder: a narrow network that sees what a teacher's VGG-19 sees.

    python -m nst.distill --images FOLDER --teacher vgg19.safetensors -o student.safetensors

1. Closed form, layer by layer (after He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural
   Networks", ICCV 2017): choose the teacher's channels that linearly explain the others best, then solve
   least squares from the student's own features to their pre-activations.
2. All layers together, by gradient: errors of features and Gram matrices against the teacher's, on crops of
   the pictures and on paintings that the optimisation makes with the student of the moment, so that the
   student is not fooled where its own judgement leads.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from huggingface_hub.utils import tqdm
from safetensors.torch import save_file
from torch import Tensor, nn

from nst.devices import pick_device, pick_precision
from nst.encoder import Encoder
from nst.errors import InputError
from nst.images import load_image, resize, to_pixels
from nst.layers import CONVOLUTIONS, LAYERS
from nst.memory import keep_freed
from nst.objective import Objective
from nst.optimizers import LBFGS
from nst.settings import Settings
from nst.weights import find_vgg19

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu3_3", "relu3_4")
_DEPTH = 8  # convolutions 1_1 to 3_4
_BLOCKS = (0, 0, 1, 1, 2, 2, 2, 2)
_CROP = 128
_SCORED = 192  # pixels on a side of what is held out
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Pictures:
    """A folder of pictures as random crops, some of them held out for scoring.

    Pictures that look like one in `exclude` are left out, also as stylised copies: their blurred grey
    thumbnails correlate.
    """

    def __init__(self, folder: Path, exclude: Path | None = None, seed: int = 0) -> None:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
        barred = (
            []
            if exclude is None
            else [
                _thumbnail(load_image(path))
                for path in sorted(exclude.rglob("*"))
                if path.suffix.lower() in _SUFFIXES
            ]
        )
        self.pictures: list[Tensor] = []
        self.left_out: list[str] = []
        for path in tqdm(files, desc="reading"):
            picture = load_image(path)
            if any(float(thumb @ _thumbnail(picture)) > 0.8 for thumb in barred):
                self.left_out.append(path.name)
                continue
            # Kept as bytes: a thousand pictures in float would not fit beside the training.
            self.pictures.append(torch.from_numpy(to_pixels(picture)).permute(2, 0, 1)[None].clone())
        if len(self.pictures) < 20:
            raise InputError(
                f"{folder.name} holds {len(self.pictures)} usable pictures; at least 20 are needed."
            )
        self.random = random.Random(seed)  # noqa: S311 (no secret)
        self.random.shuffle(self.pictures)
        self.held_out, self.pictures = self.pictures[:16], self.pictures[16:]

    def crop(self, size: int = _CROP, *, held_out: int | None = None) -> Tensor:
        """Return a random crop, (1, 3, size, size), at a random scale; a fixed one of the held-out ones."""
        chance = self.random if held_out is None else random.Random(held_out)  # noqa: S311
        picture = chance.choice(self.pictures) if held_out is None else self.held_out[held_out]
        picture = picture.float() / 255
        height, width = picture.shape[-2:]
        scale = math.exp(chance.uniform(math.log(size / min(height, width)), math.log(1.2)))
        scale = max(scale, size / min(height, width))
        picture = resize(picture, (math.ceil(width * scale), math.ceil(height * scale))).clamp(0, 1)
        top = chance.randint(0, picture.shape[-2] - size)
        left = chance.randint(0, picture.shape[-1] - size)
        return picture[..., top : top + size, left : left + size]


def _thumbnail(picture: Tensor) -> Tensor:
    """Return a unit vector that two pictures of the same scene share."""
    grey = F.interpolate(picture.mean(1, keepdim=True), (16, 16), mode="area").flatten()
    grey = grey - grey.mean()
    return grey / grey.norm().clamp_min(1e-6)


class Student(nn.Module):
    """The narrow twin of VGG-19 up to relu3_4, with a linear map from each tap to the teacher's channels."""

    def __init__(self, widths: Sequence[int], teacher_widths: dict[str, int]) -> None:
        super().__init__()
        channels = [3, *(widths if len(widths) == _DEPTH else (widths[block] for block in _BLOCKS))]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")
            for before, after in pairwise(channels)
        )
        names = list(LAYERS)[:_DEPTH]
        self.maps = nn.ParameterDict(
            {name: torch.zeros(teacher_widths[name], channels[names.index(name) + 1]) for name in TAPS}
        )
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("std", torch.ones(1, 3, 1, 1))

    def layers(self, image: Tensor, depth: int = _DEPTH) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield (name, input, activation) of the first `depth` convolutions."""
        value = (image - self.mean) / self.std
        for index, name in enumerate(list(LAYERS)[:depth]):
            if index and _BLOCKS[index] != _BLOCKS[index - 1]:
                value = F.max_pool2d(value, 2)
            before, value = value, F.relu(self.convolutions[index](value))
            yield name, before, value

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the taps in the teacher's channels."""
        return {
            name: torch.einsum("oc,nchw->nohw", self.maps[name], value)
            for name, _, value in self.layers(image)
            if name in self.maps
        }

    def export(self) -> dict[str, Tensor]:
        """Return convolutions and folded taps under the names that `Encoder` reads.

        With A = self.maps[name] and A^T A = U diag(e) U^T, the tap is diag(sqrt e) U^T: as few channels as
        the student has, and the same distances between features and between Gram matrices as under A.
        """
        state = {}
        for n, convolution in zip(CONVOLUTIONS, self.convolutions, strict=False):
            state[f"features.{n}.weight"] = convolution.weight.detach().clone()
            state[f"features.{n}.bias"] = convolution.bias.detach().clone()
        for name, matrix in self.maps.items():
            energy, basis = torch.linalg.eigh((matrix.detach().double().T @ matrix.detach().double()).cpu())
            state[f"taps.{name}"] = (energy.clamp_min(0).sqrt()[:, None] * basis.T).float().to(matrix.device)
        return state

    def encoder(self) -> Encoder:
        """Return the student as an encoder to paint with."""
        return Encoder(self.export(), name="student", device=self.mean.device)


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


def _ridge(square: Tensor, cross: Tensor) -> Tensor:
    """Solve min |X W - Y|^2 + small |W|^2 from X^T X and X^T Y."""
    eye = torch.eye(len(square), dtype=square.dtype, device=square.device)
    return torch.linalg.solve(square + 1e-6 * square.diagonal().mean() * eye, cross)


@torch.no_grad()
def solve(student: Student, teacher: Encoder, crops: list[Tensor]) -> None:
    """Set the student's weights layer by layer in closed form."""
    student.mean.copy_(teacher.mean)
    student.std.copy_(teacher.std)
    for index, name in enumerate(tqdm(list(LAYERS)[:_DEPTH], desc="closed form")):
        convolution = student.convolutions[index]
        moments = square = cross = None
        pre = teacher.features[LAYERS[name] - 1]
        for crop in crops:
            goal = _before_relu(teacher, crop, name, pre)
            active = F.relu(goal)
            *_, (_, before, _) = student.layers(crop, index + 1)
            patches = F.unfold(F.pad(before, (1, 1, 1, 1), mode="replicate"), 3)[0].T
            patches = torch.cat([patches, torch.ones_like(patches[:, :1])], 1)
            take = torch.randperm(len(patches), device=patches.device)[:3000]
            x, y, a = patches[take], goal.flatten(2)[0].T[take], active.flatten(2)[0].T[take]
            sums = (a.T @ a).double(), (x.T @ x).double(), (x.T @ y).double()
            moments, square, cross = (
                sums if moments is None else (moments + sums[0], square + sums[1], cross + sums[2])
            )
        chosen = choose(moments, convolution.out_channels)
        solution = _ridge(square, cross[:, chosen]).float().T
        convolution.weight.copy_(solution[:, :-1].view_as(convolution.weight))
        convolution.bias.copy_(solution[:, -1])
        if name in student.maps:
            square = cross = 0
            for crop in crops:
                goal = F.relu(_before_relu(teacher, crop, name, pre)).flatten(2)[0].T
                *_, (_, _, value) = student.layers(crop, index + 1)
                x = value.flatten(2)[0].T
                square, cross = square + (x.T @ x).double(), cross + (x.T @ goal).double()
            student.maps[name].copy_(_ridge(square, cross).float().T)


def _before_relu(teacher: Encoder, image: Tensor, name: str, convolution: nn.Module) -> Tensor:
    """Return the teacher's pre-activations of `name`, float32."""
    value = ((image - teacher.mean) / teacher.std).to(teacher.precision)
    for module in teacher.features[: LAYERS[name] - 1]:
        value = module(value)
    return convolution(value).float()


def errors(value: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean relative squared errors of (N, C, H, W) features and of their Gram matrices."""
    feature = (value - goal).square().sum((1, 2, 3)) / goal.square().sum((1, 2, 3)).clamp_min(1e-6)
    a, b = value.flatten(2), goal.flatten(2)
    g, h = a @ a.mT, b @ b.mT
    gram = (g - h).square().sum((1, 2)) / h.square().sum((1, 2)).clamp_min(1e-6)
    return feature.mean(), gram.mean()


def paint_with(student: Student, pictures: Pictures, device: torch.device) -> list[Tensor]:
    """Return snapshots of one small painting: what the student's own judgement leads to."""
    settings = Settings(
        content_weight=pictures.random.uniform(0, 9),
        smoothness=pictures.random.choice([0.0, 2.5, 5.0]),
    )
    objective = Objective(
        student.encoder(), pictures.crop().to(device), [pictures.crop().to(device)], settings
    )
    canvas = pictures.crop().to(device).contiguous()
    optimizer = LBFGS(canvas, history=10)
    snapshots = []
    for iteration in range(1, 61):
        evaluation = objective(canvas)
        optimizer.step(evaluation.loss, evaluation.gradient)
        if iteration in (4, 15, 60) and torch.isfinite(canvas).all():
            snapshots.append(canvas.clone())
    return snapshots


def tune(
    student: Student,
    teacher: Encoder,
    pictures: Pictures,
    state: Path,
    *,
    steps: int,
    batch: int,
    rate: float,
) -> None:
    """Train all layers together; `state` is written every 100 steps and taken up again if it is there."""
    device = teacher.device
    optimizer = torch.optim.AdamW(student.parameters(), lr=rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / 30) * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2),
    )
    begin = 0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        student.load_state_dict(kept["student"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        begin = kept["step"]
        pictures.random.seed(begin)
    painted: list[Tensor] = []
    with tqdm(total=steps, initial=begin, desc="fine-tuning") as bar:
        for step in range(begin, steps):
            if step % 10 == 0:
                painted = (painted + paint_with(student, pictures, device))[-96:]
            fresh = [pictures.crop().to(device) for _ in range(batch - min(batch // 2, len(painted)))]
            images = torch.cat(fresh + pictures.random.sample(painted, batch - len(fresh)))
            with torch.no_grad():
                goals = teacher(images, TAPS)
            taps = student(images)
            parts = [errors(taps[name], goals[name].float()) for name in TAPS]
            loss = torch.stack([feature + gram for feature, gram in parts]).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.4f}", refresh=False)
            if (step + 1) % 100 == 0 or step + 1 == steps:
                torch.save(
                    {
                        "student": student.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "schedule": schedule.state_dict(),
                        "step": step + 1,
                    },
                    state,
                )


@torch.no_grad()
def score(student: Student, teacher: Encoder, pictures: Pictures) -> str:
    """Return a table of relative errors on the held-out pictures."""
    images = torch.cat([pictures.crop(_SCORED, held_out=n) for n in range(len(pictures.held_out))]).to(
        teacher.device
    )
    goals, taps = teacher(images, TAPS), student(images)
    rows = [(name, *errors(taps[name], goals[name].float())) for name in TAPS]
    return "\n".join(
        ["layer     features  Gram"] + [f"{name:9} {float(f):8.3f}  {float(g):.4f}" for name, f, g in rows]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.distill", description="Make the built-in encoder.")
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures to learn from")
    parser.add_argument(
        "--exclude", type=Path, help="folder of pictures to stay away from, for an honest test"
    )
    parser.add_argument(
        "--teacher", default="", help="file of VGG-19's weights; by default found as for painting"
    )
    parser.add_argument(
        "--widths",
        type=int,
        nargs="+",
        default=(32, 32, 64, 64, 128, 64, 64, 96),
        help="channels of blocks 1, 2 and 3, or of all eight convolutions",
    )
    parser.add_argument("--crops", type=int, default=200, help="crops for the closed form")
    parser.add_argument("--steps", type=int, default=1500, help="steps of fine-tuning")
    parser.add_argument("--batch", type=int, default=8, help="crops in a step")
    parser.add_argument("--rate", type=float, default=5e-4, help="AdamW's highest rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True, help="safetensors file to write, float16")
    options = parser.parse_args(arguments)
    if len(options.widths) not in (3, _DEPTH):
        parser.error(f"--widths takes 3 or {_DEPTH} numbers")
    try:
        keep_freed()
        torch.manual_seed(options.seed)
        device = pick_device()
        weights = find_vgg19(options.teacher)
        widths = {name: weights[f"features.{LAYERS[name] - 1}.weight"].shape[0] for name in TAPS}
        teacher = Encoder(weights, name="teacher", device=device, precision=pick_precision(device))
        pictures = Pictures(options.images, options.exclude, options.seed)
        print(f"{len(pictures.pictures)} pictures, {len(pictures.left_out)} left out: {pictures.left_out}")
        student = Student(options.widths, widths).to(device)
        state = options.output.with_suffix(".state")
        if not state.exists():
            solve(student, teacher, [pictures.crop().to(device) for _ in range(options.crops)])
            print("closed form, held-out pictures\n" + score(student, teacher, pictures), flush=True)
        tune(student, teacher, pictures, state, steps=options.steps, batch=options.batch, rate=options.rate)
    except (InputError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("fine-tuned, held-out pictures\n" + score(student, teacher, pictures))
    save_file(
        {key: value.half().cpu().contiguous() for key, value in student.export().items()}, options.output
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
