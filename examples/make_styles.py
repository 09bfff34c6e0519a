"""The example styles: paintings made by seeded code, so that they belong to nobody else.

    python examples/make_styles.py [NAME ...]

writes examples/styles/NAME.jpg, the same picture every time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent / "styles"
WIDTH, HEIGHT = 1120, 840
FINE = 2  # drawn so many times larger, then reduced: smooth edges

Array = np.ndarray


def colour(text: str) -> Array:
    """Return "#rrggbb" as three floats in [0, 1]."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def ramp(value: Array, stops: list[str]) -> Array:
    """Return colours along `stops` for values in [0, 1]."""
    colours = np.stack([colour(stop) for stop in stops])
    place = np.clip(value, 0, 1) * (len(stops) - 1)
    low = np.minimum(place.astype(int), len(stops) - 2)
    part = (place - low)[..., None]
    return colours[low] * (1 - part) + colours[low + 1] * part


def noise(rng: np.random.Generator, size: tuple[int, int], cell: float, octaves: int = 4) -> Array:
    """Return smooth noise in [0, 1], (height, width), its largest features about `cell` pixels."""
    width, height = size
    total = np.zeros((height, width))
    for octave in range(octaves):
        step = cell / 2**octave
        grid = rng.random((max(3, round(height / step) + 2), max(3, round(width / step) + 2))).astype(
            np.float32
        )
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) / 2**octave
    total -= total.min()
    return total / total.max()


def image(pixels: Array) -> Image.Image:
    """Return floats in [0, 1] as a picture."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))


def floats(picture: Image.Image) -> Array:
    """Return a picture as floats in [0, 1]."""
    return np.asarray(picture, dtype=np.float32) / 255


def grid(width: int, height: int) -> tuple[Array, Array]:
    """Return x and y of every pixel."""
    y, x = np.mgrid[0:height, 0:width]
    return x.astype(float), y.astype(float)


def strokes(
    rng: np.random.Generator,
    target: Array,
    angle: Array,
    layers: list[tuple[int, float, float, float]],
    *,
    ground: Array,
    jitter: float = 0.06,
) -> Image.Image:
    """Paint `target` with bristle strokes along `angle`, thick paint catching light from the upper left.

    Each layer is (number of strokes, length, width, how far colours may wander).
    """
    height, width = angle.shape
    size = (width * FINE, height * FINE)
    canvas = Image.new("RGB", size, tuple(int(255 * c) for c in ground))
    thickness = Image.new("L", size, 128)
    pen, ridge = ImageDraw.Draw(canvas), ImageDraw.Draw(thickness)
    for count, length, breadth, wander in layers:
        starts = rng.random((count, 2)) * [width, height]
        for x, y in starts:
            base = target[int(y), int(x)] + rng.normal(0, wander, 3) * 0.6 + rng.normal(0, wander)
            points = []
            steps = max(3, int(length * rng.uniform(0.6, 1.3) / 6))
            for _ in range(steps):
                ix, iy = int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))
                turn = angle[iy, ix]
                points.append((x, y, turn))
                x, y = x + 6 * math.cos(turn), y + 6 * math.sin(turn)
            bristles = max(3, int(breadth * FINE / 2.2))
            for b in range(bristles):
                across = (b / (bristles - 1) - 0.5) * breadth
                begin = int(rng.integers(0, max(1, steps // 4)))
                finish = steps - int(rng.integers(0, max(1, steps // 3)))
                if finish - begin < 2:
                    continue
                line = [
                    ((px - across * math.sin(t)) * FINE, (py + across * math.cos(t)) * FINE)
                    for px, py, t in points[begin:finish]
                ]
                lift = rng.normal(0, 1)
                tone = np.clip(base + lift * jitter, 0, 1)
                thick = int(rng.integers(2, 5))
                pen.line(line, fill=tuple(int(255 * c) for c in tone), width=thick, joint="curve")
                ridge.line(line, fill=int(np.clip(128 + 50 * lift, 0, 255)), width=thick)
    slope = floats(ImageChops.subtract(thickness, ImageChops.offset(thickness, 2, 2), 1, 128)) - 0.5
    light = Image.fromarray((slope * 0.5 + 0.0).astype(np.float32))
    shaded = floats(canvas) + np.asarray(light)[..., None]
    return image(shaded).resize((width, height), Image.Resampling.LANCZOS)


def night_current() -> Image.Image:
    """Swirling night over hills, in long oil strokes."""
    rng = np.random.default_rng(3)
    x, y = grid(WIDTH, HEIGHT)
    dx, dy = np.ones_like(x), 0.35 * np.sin(x / 170 + 1) + 0.25 * np.sin(y / 90)
    sky = ramp(
        0.25 + 0.5 * noise(rng, (WIDTH, HEIGHT), 260) + 0.25 * (y / HEIGHT),
        ["#101d4a", "#1d3f86", "#2f6fae", "#7fb2c4", "#d7d9a8"],
    )
    for cx, cy, radius, spin in [
        (250, 190, 150, 1),
        (610, 250, 190, -1),
        (930, 150, 120, 1),
        (420, 420, 110, 1),
    ]:
        rx, ry = x - cx, y - cy
        near = np.hypot(rx, ry)
        pull = np.exp(-((near / radius) ** 2))[..., None] * 3.2
        turn = np.stack([-ry, rx], -1) / np.maximum(near, 1)[..., None] * spin
        dx, dy = (
            dx * (1 - pull[..., 0] / 3.4) + pull[..., 0] * turn[..., 0],
            dy * (1 - pull[..., 0] / 3.4) + pull[..., 0] * turn[..., 1],
        )
        glow = np.exp(-((near / (radius * 0.42)) ** 2))[..., None]
        rings = 0.5 + 0.5 * np.cos(near / radius * 9)[..., None]
        eye = np.clip(1 - near / 16, 0, 1)[..., None]
        glow = np.maximum(glow, eye)
        sky = sky * (1 - glow) + glow * (
            colour("#f6d155") * (0.55 + 0.45 * rings) + colour("#fff3bf") * 0.25 * (1 - rings)
        )
    hills = 600 + 60 * np.sin(x / 210) + 30 * np.sin(x / 83 + 2)
    land = y > hills
    field = ramp(noise(rng, (WIDTH, HEIGHT), 120), ["#0f2a2e", "#1f4d3a", "#4f7a3a", "#b59a3c", "#12303f"])
    target = np.where(land[..., None], field, sky)
    dx, dy = np.where(land, 1, dx), np.where(land, 0.45 * np.cos(x / 110 + y / 60), dy)
    angle = np.arctan2(dy, dx)
    return strokes(
        rng,
        target,
        angle,
        [(2600, 90, 22, 0.05), (5200, 70, 13, 0.07), (6500, 48, 8, 0.08)],
        ground=colour("#1a2c55"),
        jitter=0.07,
    )


def woodblock_waves() -> Image.Image:
    """Rolling waves under a graded sky, in flat woodblock colours with dark key lines."""
    rng = np.random.default_rng(21)
    width, height = WIDTH * FINE, HEIGHT * FINE
    _, y = grid(width, height)
    sky = ramp(y / height * 1.5, ["#c98d6b", "#e6c9a0", "#efe1c1", "#eadbb8", "#d9c9a3"])
    canvas = image(sky)
    pen = ImageDraw.Draw(canvas)
    sun = (width * 0.7, height * 0.22, height * 0.1)
    pen.ellipse([sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], fill="#b9452f")
    blues = ["#9fb8b4", "#6f98a8", "#3f7090", "#2a5378", "#1c3b60", "#14294a"]
    ink, foam = "#12203a", "#f1e8d0"
    for row in range(9):
        base = height * (0.36 + 0.075 * row)
        length = width * (0.15 + 0.028 * row)
        rise = height * (0.05 + 0.014 * row)
        phase = rng.uniform(0, length)
        t = np.arange(-length, width + length, 4)
        u = ((t + phase) % length) / length
        climb = np.where(u < 0.84, (u / 0.84) ** 2.3, np.clip((1 - u) / 0.16, 0, 1) ** 1.3)
        crest = rise * (climb * 2.0 - 0.5) * (1 + 0.2 * np.sin(t / 610 + row))
        top = list(zip(t.tolist(), (base - crest).tolist(), strict=True))
        fill = blues[min(row * len(blues) // 9, 5)]
        pen.polygon([*top, (width + length, height), (-length, height)], fill=fill)
        for k in range(1, 7):  # lines that follow the wave's body
            drop = k * rise * 0.24
            body = [(px + drop * 0.4, py + drop * (1 + 0.15 * math.sin(px / 160 + k))) for px, py in top]
            tone = blues[max(0, min(row * len(blues) // 9, 5) - 1 - (k % 2))] if k % 2 else ink
            pen.line(body, fill=tone, width=5 if k % 2 else 3)
        pen.line(top, fill=foam, width=16)
        pen.line([(px, py - 9) for px, py in top], fill=ink, width=6)
        for start in np.arange(-phase, width + length, length):  # curling foam on each crest
            cx, cy = start + 0.84 * length, base - rise * 1.45
            for finger in range(9):
                a = math.pi * (0.05 + 0.13 * finger)
                reach = rise * (0.55 - 0.03 * finger) * rng.uniform(0.8, 1.15)
                fx, fy = cx + reach * math.cos(a) * 1.3, cy + rise * 0.25 - reach * math.sin(a) * 0.9
                r = rise * rng.uniform(0.09, 0.17)
                pen.ellipse([fx - r, fy - r, fx + r, fy + r], fill=foam, outline=ink, width=5)
                pen.arc(
                    [fx - r * 0.5, fy - r * 0.5, fx + r * 0.5, fy + r * 0.5], 20, 250, fill=blues[2], width=4
                )
            for _ in range(16):
                fx, fy = cx + rng.normal(0.4, 0.5) * rise, cy - abs(rng.normal(0, 0.35)) * rise
                r = rng.uniform(3, 9)
                pen.ellipse([fx - r, fy - r, fx + r, fy + r], fill=foam)
    small = floats(canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))
    grain = noise(rng, (WIDTH, HEIGHT), 5, 2) - 0.5
    fibre = (
        np.asarray(
            Image.fromarray(rng.random((HEIGHT, WIDTH // 14)).astype(np.float32)).resize((WIDTH, HEIGHT))
        )
        - 0.5
    )
    return image(small + 0.07 * grain[..., None] + 0.035 * fibre[..., None])


def stained_glass() -> Image.Image:
    """A rose window: leaded panes of uneven, glowing glass."""
    rng = np.random.default_rng(5)
    width, height = WIDTH * FINE, HEIGHT * FINE
    centre = np.array([width * 0.5, height * 0.52])
    seeds, tints = [], []
    palettes = [
        ["#f4c430", "#f2942b", "#d7301f"],
        ["#c21f32", "#8e1146", "#e0562b"],
        ["#1f4fa3", "#123a7d", "#2c86c7"],
        ["#1b7a5a", "#2aa198", "#0d5c63"],
        ["#5b2a86", "#34358f", "#7a1f5c"],
        ["#123a7d", "#0e6b8a", "#2b2f77"],
    ]
    for ring in range(1, 15):
        count = 6 + 5 * ring
        for k in range(count):
            a = 2 * math.pi * (k + 0.5 * (ring % 2)) / count
            r = ring * height * 0.056
            seeds.append(centre + r * np.array([math.cos(a), math.sin(a)]) + rng.normal(0, height * 0.005, 2))
            tints.append(
                colour(palettes[(ring // 2 + (k * 12 // count) % 2) % 6][int(rng.integers(3))])
                * rng.uniform(0.8, 1.15)
            )
    points, tints_array = np.array(seeds), np.array(tints)
    coarse = 2
    gx, gy = grid(width // coarse, height // coarse)
    warp_x = (noise(rng, (width // coarse, height // coarse), 80, 2) - 0.5) * 14
    warp_y = (noise(rng, (width // coarse, height // coarse), 80, 2) - 0.5) * 14
    first = np.full(gx.shape, np.inf)
    second = np.full(gx.shape, np.inf)
    owner = np.zeros(gx.shape, dtype=int)
    for index, (px, py) in enumerate(points / coarse):
        distance = np.hypot(gx + warp_x - px, gy + warp_y - py)
        closer = distance < first
        second = np.where(closer, first, np.minimum(second, distance))
        owner = np.where(closer, index, owner)
        first = np.where(closer, distance, first)
    edge = second - first
    small = (gx.shape[1], gx.shape[0])
    glass = tints_array[owner] * (0.72 + 0.5 * noise(rng, small, 46, 4))[..., None]
    streak = noise(rng, small, 14, 2)[..., None]
    glass = glass + 0.22 * (streak - 0.5) + 0.16 * np.exp(-first / 16)[..., None]
    lead = np.clip((edge - 4.0) / 2.5, 0, 1)[..., None]
    shine = np.clip(1 - abs(edge - 2.2) / 1.4, 0, 1)[..., None] * 0.20
    return image(glass * lead + (1 - lead) * (colour("#15140f") + shine)).resize(
        (WIDTH, HEIGHT), Image.Resampling.LANCZOS
    )


def ink_wash() -> Image.Image:
    """Mountains in mist, ink on rice paper."""
    rng = np.random.default_rng(34)
    x, y = grid(WIDTH, HEIGHT)
    paper = (
        colour("#efe7d6")
        + 0.03 * (noise(rng, (WIDTH, HEIGHT), 6, 2) - 0.5)[..., None]
        + 0.03 * (noise(rng, (WIDTH, HEIGHT), 300) - 0.5)[..., None]
    )
    ink = np.zeros((HEIGHT, WIDTH))
    for layer in range(6):
        depth = layer / 5
        ridge = np.interp(np.arange(WIDTH), np.linspace(0, WIDTH, 10 + 3 * layer), rng.random(10 + 3 * layer))
        fine = noise(rng, (WIDTH, 3), 70, 5)[1]
        top = HEIGHT * (0.16 + 0.13 * layer) - ridge * 170 * (1 - 0.4 * depth) + 70 * (fine - 0.5) + 40
        below = y - top[None]
        fade = np.exp(-np.clip(below, 0, None) / (70 + 60 * (1 - depth)))
        edge = np.exp(-np.clip(below, 0, None) / 7)
        wash = noise(rng, (WIDTH, HEIGHT), 110, 5)
        dry = noise(rng, (WIDTH, HEIGHT), 9, 3)
        rock = (
            np.clip(np.sin(below / 9 + 9 * wash) - 0.35, 0, 1)
            * np.exp(-np.clip(below, 0, None) / 110)
            * (dry > 0.42)
        )
        mass = (0.16 + 0.75 * depth) * (
            fade * (0.45 + 0.75 * wash) + 0.55 * edge * (dry > 0.36) + 0.55 * depth * rock
        )
        mist = np.clip(below / 240, 0, 1) ** 1.5
        ink = np.where(below > 0, np.maximum(ink * (1 - fade * 0.9) * (1 - 0.5 * mist), mass), ink)
    bled = floats(image(ink).filter(ImageFilter.GaussianBlur(1.0)))
    tone = paper * (1 - bled[..., None]) + bled[..., None] * colour("#1b1d22")
    sun = np.hypot(x - 880, y - 150) < 46 + 2 * noise(rng, (WIDTH, HEIGHT), 20)
    return image(np.where((sun & (ink < 0.25))[..., None], 0.2 * tone + 0.8 * colour("#b43a2c"), tone))


def marbling() -> Image.Image:
    """Ink dropped on water and combed (Jaffer and others' mathematical marbling)."""
    rng = np.random.default_rng(55)
    width, height = WIDTH * FINE, HEIGHT * FINE
    x, y = grid(width, height)
    # Undo the combing from last to first, then see which drop a point came from.
    for step in range(10):
        if step % 2:
            y = y - 150 * np.sin(x / (95 + 14 * step) + step)
        else:
            x = x - 110 * np.sin(y / (120 + 9 * step) + 2 * step)
    cx, cy, strength = width * 0.5, height * 0.5, 700
    near = np.hypot(x - cx, y - cy)
    turn = strength / (near + 260)
    x, y = (
        cx + (x - cx) * np.cos(turn) - (y - cy) * np.sin(turn),
        cy + (x - cx) * np.sin(turn) + (y - cy) * np.cos(turn),
    )
    palette = [
        colour(c)
        for c in ["#16324f", "#f3ead7", "#c4402f", "#e9b44c", "#2a7f7a", "#f3ead7", "#7a2438", "#6fa8b8"]
    ]
    drops = []
    for _ in range(170):
        drops.append(
            (
                rng.uniform(-0.3, 1.3) * width,
                rng.uniform(-0.3, 1.3) * height,
                rng.uniform(60, 170),
                int(rng.integers(len(palette))),
            )
        )
    owner = np.full(x.shape, -1)
    px, py = x, y
    for dx, dy, radius, tint in reversed(drops):
        rx, ry = px - dx, py - dy
        square = rx**2 + ry**2
        inside = (square < radius**2) & (owner < 0)
        owner = np.where(inside, tint, owner)
        shrink = np.sqrt(np.clip(1 - radius**2 / np.maximum(square, 1), 0, 1))
        px, py = dx + rx * shrink, dy + ry * shrink
    ground = (np.sin(px / 90 + py / 140) > 0).astype(int) * 2 + 4
    picture = np.stack(palette)[np.where(owner < 0, ground % len(palette), owner)]
    small = floats(image(picture).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))
    return image(small * (0.94 + 0.1 * noise(rng, (WIDTH, HEIGHT), 7, 3))[..., None])


def cut_paper() -> Image.Image:
    """Leaves and stars cut from painted paper and pasted in blocks."""
    rng = np.random.default_rng(144)
    width, height = WIDTH * FINE, HEIGHT * FINE
    canvas = Image.new("RGB", (width, height), "#f2ead8")
    tints = [
        "#e4572e",
        "#f3a712",
        "#2e6f95",
        "#1f4e5f",
        "#a8c686",
        "#d7263d",
        "#f6d8ae",
        "#32936f",
        "#5f3b73",
        "#111827",
    ]

    def paste(shape: list[tuple[float, float]], tint: str) -> None:
        """Lay one piece of paper down, brush marks in its paint and a soft shadow under it."""
        mask = Image.new("L", (width, height), 0)
        ImageDraw.Draw(mask).polygon(shape, fill=255)
        box = mask.getbbox()
        if box is None:
            return
        box = (max(0, box[0] - 24), max(0, box[1] - 24), min(width, box[2] + 24), min(height, box[3] + 24))
        part = mask.crop(box)
        shadow = ImageChops.offset(part.filter(ImageFilter.GaussianBlur(6)), 6, 8).point(lambda v: v * 0.38)
        canvas.paste(Image.new("RGB", part.size, "#1a1410"), box[:2], shadow)
        brush = noise(rng, part.size, 60, 3) * 0.6 + 0.4 * np.asarray(
            Image.fromarray(rng.random((max(2, part.size[1] // 7), 3)).astype(np.float32)).resize(
                part.size, Image.Resampling.BICUBIC
            )
        )
        painted = np.clip(colour(tint) * (0.86 + 0.26 * brush)[..., None], 0, 1)
        canvas.paste(image(painted), box[:2], part)

    columns, rows = 5, 4
    for row in range(rows):
        for column in range(columns):
            left, top = column * width / columns, row * height / rows
            right, bottom = left + width / columns, top + height / rows
            j = lambda: rng.uniform(-14, 14)  # noqa: E731 (a hand that is not steady)
            ground, figure = rng.choice(len(tints), 2, replace=False)
            paste(
                [
                    (left + j(), top + j()),
                    (right + j(), top + j()),
                    (right + j(), bottom + j()),
                    (left + j(), bottom + j()),
                ],
                tints[ground],
            )
            cx, cy, reach = (left + right) / 2, (top + bottom) / 2, (right - left) * 0.46
            lobes = int(rng.integers(3, 8))
            tilt = rng.uniform(0, 2 * math.pi)
            kind = (row + column) % 3
            outline = []
            for a in np.linspace(0, 2 * math.pi, 240, endpoint=False):
                wave = math.cos(lobes * a)
                if kind == 0:  # seaweed
                    r = reach * (0.52 + 0.40 * wave + 0.08 * math.sin(11 * a + row))
                elif kind == 1:  # leaf with fingers
                    r = reach * (0.34 + 0.62 * abs(math.sin(lobes * a / 2)) ** 0.6)
                else:  # star
                    r = reach * (0.42 + 0.5 * max(0.0, wave) ** 1.6)
                outline.append((cx + r * math.cos(a + tilt) * 0.95, cy + r * math.sin(a + tilt) * 1.02))
            paste(outline, tints[figure])
            if rng.random() < 0.6:
                third = tints[int(rng.integers(len(tints)))]
                paste(
                    [
                        (cx + reach * 0.16 * math.cos(a), cy + reach * 0.16 * math.sin(a))
                        for a in np.linspace(0, 6.28, 40)
                    ],
                    third,
                )
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


STYLES: dict[str, Callable[[], Image.Image]] = {
    f.__name__: f
    for f in (
        night_current,
        woodblock_waves,
        stained_glass,
        ink_wash,
        marbling,
        cut_paper,
    )
}


def main(names: list[str]) -> None:
    """Make the styles named, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or STYLES:
        STYLES[name]().save(FOLDER / f"{name}.jpg", quality=72)
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
