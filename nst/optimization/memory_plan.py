"""How much memory a painting takes, and strips or a smaller size if the host has less."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch

from nst.errors import NoRoomError
from nst.host.allocator import give_back
from nst.host.memory import available
from nst.image.tensors import fit
from nst.optimization.optimizers import HISTORY
from nst.optimization.pyramid import COARSEST, Scale
from nst.settings import Settings
from nst.vgg import winograd
from nst.vgg.description import ROWS
from nst.vgg.encoder import Encoder

log = logging.getLogger(__name__)

# Images of float32 besides the encoder's activations and what L-BFGS remembers: gradient, move, canvas,
# photo, styles and their copies.
_IMAGES = 16
# The peak against what is counted: buffers are padded, reordered for oneDNN and lie idle between two uses;
# in bfloat16 some exist as float32 as well. A plan must not be exceeded, so these are higher than what was
# measured, in bfloat16 with an earlier way of counting.
_SLACK = {torch.float32: 1.3, torch.bfloat16: 1.55}
# Besides the pictures: what threads and libraries set up at their first use.
ONCE = 150_000_000
# Blocks of the network that may be looked at in strips: deeper ones hold little, and see far beyond a strip.
MOST_BLOCKS = 3
TOO_LITTLE_MEMORY = "This host has not enough memory for even a small painting; try again later."


def needed(
    encoder: Encoder,
    width: int,
    height: int,
    style_scale: float = 1.0,
    blocks: int = 0,
    steps: int = HISTORY + 1,
) -> int:
    """Return about how many bytes a painting at this size holds at its peak, on a CPU.

    Counted from the layers: each convolution keeps its padded input and its output for the way back, pooling
    its output and 8 bytes of index for each; on the way back the largest activation is there twice more.
    Winograd's filtering keeps its kernels, and a block at a time. L-BFGS keeps two images for each move from
    one of the `steps` to the next, up to its history.
    Of the first `blocks` only a strip holds all this. Describing the style, `style_scale` times as large,
    holds only one convolution's buffers.
    """
    each = encoder.precision.itemsize
    remembered = 2 * min(steps - 1, HISTORY)
    images = 4 * 3 * width * height * (_IMAGES + remembered)
    activations, largest, largest_of_style, joined = 0.0, 0.0, 0.0, 0
    kernels, block = 0, 0  # of Winograd's filtering
    filters = encoder.precision == torch.float32 and encoder.device.type == "cpu"
    end = next(reversed(encoder.blocks[:blocks]), None)
    for stage in encoder.stages:
        in_strip = end is not None and (stage == end or stage.stride < end.stride)
        rows = min(height, ROWS + 2 * (end.reach + end.stride)) if end and in_strip else height
        positions = (width // stage.stride) * (rows // stage.stride)
        made = stage.channels * positions * each
        if stage.convolution:
            activations += stage.before * positions * each + made
            largest = max(largest, made)
            largest_of_style = max(largest_of_style, made * (style_scale if in_strip else style_scale**2))
            if filters and winograd.worthwhile(stage.before, stage.channels, positions):
                own, passing = winograd.held(stage.before, stage.channels, positions)
                kernels, block = kernels + own, max(block, passing)
        else:
            activations += made + 8 * stage.channels * positions
        if stage == end:  # the strips', put together
            joined = 2 * stage.channels * (width // stage.stride) * (height // stage.stride) * each
    slack = _SLACK[encoder.precision]
    together = slack * (joined + max(activations + 2 * largest, 4 * largest_of_style))
    return round(images + together + kernels + block + ONCE)


def blocks_within(memory: int, encoder: Encoder, scale: Scale, style_scale: float = 1.0) -> int | None:
    """Return of how few blocks to hold a strip only so that a scale fits into `memory`, None if it cannot."""
    for blocks in range(MOST_BLOCKS + 1):
        if needed(encoder, scale.width, scale.height, style_scale, blocks, scale.iterations) <= memory:
            return blocks
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that there is not enough memory, on a CPU or a GPU."""
    # Of the CPU allocator, of a GPU without room for its own libraries, of oneDNN: they have no type.
    texts = (
        "not enough memory",
        "can't allocate memory",
        "Cannot allocate memory",
        "out of memory",
        "_STATUS_ALLOC_FAILED",
        "could not create a primitive",
    )
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        text in str(error) for text in texts
    )


class Plan:
    """The scales of a painting, one after the other, changed if they do not fit into memory.

    A scale that is too large is seen in strips; if that is not enough, the painting ends smaller.

    Args:
        scales: what was planned.
        encoders: those that take turns.
        settings: size and style scale.
    """

    def __init__(self, scales: Sequence[Scale], encoders: Sequence[Encoder], settings: Settings) -> None:
        self.scales = list(scales)
        self.encoders, self.settings = encoders, settings
        self.position = 0

    @property
    def scale(self) -> Scale | None:
        """The scale to paint, None after the last."""
        return self.scales[self.position] if self.position < len(self.scales) else None

    @property
    def at_last(self) -> bool:
        """Whether the scale to paint is the last one."""
        return self.position == len(self.scales) - 1

    @property
    def later(self) -> list[Scale]:
        """The scales after the current one."""
        return self.scales[self.position + 1 :]

    def go_on(self) -> None:
        """Move to the next scale."""
        self.position += 1

    def make_fit(self) -> str:
        """Plan strips, or else a smaller final size, to fit into memory, as Linux kills what exceeds it.

        Returns:
            A sentence for people if the painting will be smaller, else "".

        Raises:
            NoRoomError: there is not enough for even the coarsest scale.
        """
        notice = ""
        if self.encoders[0].device.type != "cpu" or (left := available()) is None:
            return notice
        end, style_scale = self.scales[-1], self.settings.style_scale
        if blocks_within(left, self.encoders[end.encoder], end, style_scale) != 0:
            give_back()  # what the painting before has freed
            left = available() or left
        position = 0
        while position < len(self.scales):
            scale = self.scales[position]
            encoder = self.encoders[scale.encoder]
            blocks = blocks_within(left, encoder, scale, style_scale)
            if blocks is None:
                notice = self._shrink(position)
            else:
                self.scales[position] = replace(scale, blocks=blocks)
                position += 1
        return notice

    def relieve(self) -> str:
        """Have a scale that ran out of memory hold less in strips, or else plan a smaller final size.

        Returns:
            A sentence for people if the painting will be smaller, else "".

        Raises:
            NoRoomError: it is the coarsest, and as small as can be.
        """
        scale = self.scales[self.position]
        if scale.blocks < MOST_BLOCKS:
            self.scales[self.position] = replace(scale, blocks=scale.blocks + 1)
            log.warning("too little memory for %d x %d, going on in strips", scale.width, scale.height)
            return ""
        return self._shrink(self.position)

    def _shrink(self, position: int) -> str:
        """Replace a scale that is too large by a smaller last one, or end with the one before; say so."""
        failed = self.scales[position]
        smaller = int(max(failed.width, failed.height) * 0.75)
        below = self.scales[position - 1].longest if position else COARSEST - 1
        if smaller > below:
            width, height = fit(failed.width, failed.height, smaller)
            self.scales[position:] = [replace(failed, width=width, height=height)]
        elif position:
            del self.scales[position:]
        else:
            raise NoRoomError(TOO_LITTLE_MEMORY)
        end = self.scales[-1].longest
        log.warning("too little memory for %d x %d, going on at %d px", failed.width, failed.height, end)
        if position and failed.longest == below:
            return f"There was not enough memory to finish with {self.encoders[failed.encoder].name}."
        return f"There was not enough memory for {self.settings.size} px, so this is painted at {end} px."
