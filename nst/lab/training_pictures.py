"""A folder of pictures to train on."""

from __future__ import annotations

import math
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from huggingface_hub.utils import tqdm
from torch import Tensor

from nst.errors import InputError
from nst.image.picture_files import load_image
from nst.image.tensors import resize, to_pixels

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class TrainingPictures:
    """A folder of pictures as random crops, some of them held out for scoring.

    Pictures that look like one in `exclude` are left out, also as stylised copies: their blurred grey
    thumbnails correlate.

    Args:
        folder: looked through with all its folders.
        device: where the crops are made.
        seed: of the choice of those held out, and of the crops.
    """

    def __init__(
        self,
        folder: Path,
        exclude: Path | None = None,
        device: torch.device | None = None,
        seed: int = 0,
    ) -> None:
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
            # Kept as bytes, as a thousand pictures in float would not fit into memory.
            self.pictures.append(torch.from_numpy(to_pixels(picture)).permute(2, 0, 1)[None].to(device))
        if len(self.pictures) < 20:
            raise InputError(
                f"{folder.name} holds {len(self.pictures)} usable pictures; at least 20 are needed."
            )
        self.random = random.Random(seed)  # noqa: S311 (no secret)
        self.random.shuffle(self.pictures)
        self.held_out, self.pictures = self.pictures[:16], self.pictures[16:]

    def crop(self, size: int, *, held_out: int | None = None) -> Tensor:
        """Return a random crop, (1, 3, size, size), at a random scale; a fixed one of the held-out ones."""
        rng = self.random if held_out is None else random.Random(held_out)  # noqa: S311
        picture = rng.choice(self.pictures) if held_out is None else self.held_out[held_out]
        picture = picture.float() / 255
        height, width = picture.shape[-2:]
        scale = math.exp(rng.uniform(math.log(size / min(height, width)), math.log(1.2)))
        scale = max(scale, size / min(height, width))
        picture = resize(picture, (math.ceil(width * scale), math.ceil(height * scale))).clamp(0, 1)
        top = rng.randint(0, picture.shape[-2] - size)
        left = rng.randint(0, picture.shape[-1] - size)
        return picture[..., top : top + size, left : left + size]


def _thumbnail(picture: Tensor) -> Tensor:
    """Return a unit vector that two pictures of the same scene share."""
    grey = F.interpolate(picture.mean(1, keepdim=True), (16, 16), mode="area").flatten()
    grey = grey - grey.mean()
    return grey / grey.norm().clamp_min(1e-6)
