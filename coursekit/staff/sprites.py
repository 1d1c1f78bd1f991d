"""Draw the sprite sheet of EmojiScenes: one row of tiles a class, one tile a glyph, from Debian's Noto Color Emoji."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from coursekit.errors import UsageError
from coursekit.vision.scenes import CLASSES
from coursekit.vision.sprites import MARGIN, TILE

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
STRIKE = 109  # the one size at which the font holds bitmaps

# Glyphs that a person names with the class's word alone: no hybrids (a house with a tree), no near neighbours
# (a mammoth, a guide dog in the cat's yellow), no people.
GLYPHS = {
    "cat": "🐈🐱",
    "dog": "🐕🐶🐩",
    "elephant": "🐘",
    "panda": "🐼",
    "monkey": "🐒🐵",
    "bird": "🐦🕊🦅🦜",
    "frog": "🐸",
    "deer": "🦌",
    "airplane": "✈🛩",
    "car": "🚗🚙",
    "ship": "🚢🛳⛴",
    "truck": "🚚🚛",
    "flamingo": "🦩",
    "teddy bear": "🧸",
    "fish": "🐟🐠",
    "butterfly": "🦋",
    "snake": "🐍",
    "beetle": "🪲🐞",
    "coffee cup": "☕",
    "necktie": "👔",
    "house": "🏠",
    "tree": "🌳🌲",
    "mushroom": "🍄",
    "bicycle": "🚲",
}


def make_sprites(destination: Path, font: Path = FONT) -> int:
    """Write the sheet to destination as an RGBA PNG, the same bytes each time, and return its size in bytes.

    The sheet has a row for each entry of CLASSES and a column for each glyph; a tile without a glyph is transparent.

    Raises:
        UsageError: the font is not installed, or destination is no place for a picture.
    """
    if destination.suffix.lower() != ".png" or destination.is_dir() or not destination.absolute().parent.is_dir():
        raise UsageError(f"{destination} cannot be written: name a .png file in a folder that is there")
    if not font.is_file():
        raise UsageError(f"the emoji font {font} is missing; install it with: apt-get install fonts-noto-color-emoji")
    strikes = ImageFont.truetype(str(font), STRIKE, layout_engine=ImageFont.Layout.BASIC)
    columns = max(len(glyphs) for glyphs in GLYPHS.values())
    sheet = Image.new("RGBA", (columns * TILE, len(CLASSES) * TILE))
    for row, name in enumerate(CLASSES):
        for column, glyph in enumerate(GLYPHS[name]):
            sheet.paste(_tile(glyph, strikes), (column * TILE, row * TILE))
    sheet.save(destination, optimize=True)
    return destination.stat().st_size


def _tile(glyph: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """Draw one glyph centred in a transparent tile, its longer side reaching from margin to margin."""
    canvas = Image.new("RGBA", (2 * TILE, 2 * TILE))
    ImageDraw.Draw(canvas).text((TILE // 4, TILE // 4), glyph, font=font, embedded_color=True)
    box = canvas.getchannel("A").getbbox()
    if box is None:
        raise UsageError(f"the emoji font has no picture for {glyph!r} (U+{ord(glyph):X}); install a newer font")
    drawn = canvas.crop(box)
    ratio = (TILE - 2 * MARGIN) / max(drawn.size)
    width, height = (round(side * ratio) for side in drawn.size)
    tile = Image.new("RGBA", (TILE, TILE))
    tile.paste(drawn.resize((width, height), Image.Resampling.LANCZOS), ((TILE - width) // 2, (TILE - height) // 2))
    return tile
