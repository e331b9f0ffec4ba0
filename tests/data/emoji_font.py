"""A font of colour bitmaps, made by the library that reads it."""

import io

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import newTable
from fontTools.ttLib.tables import C_B_D_T_, E_B_L_C_, BitmapGlyphMetrics
from PIL import Image

_LINE_METRICS = (
    *("ascender", "descender", "widthMax", "caretSlopeNumerator", "caretSlopeDenominator", "caretOffset"),
    *("minOriginSB", "minAdvanceSB", "maxBeforeBL", "minAfterBL", "pad1", "pad2"),
)


def make(path, characters, ligatures, colours, size=(136, 128)):
    """Write a font.

    Args:
        path: the file.
        characters: dict of code point to glyph.
        ligatures: dict of a sequence of glyphs to the glyph that stands for it.
        colours: dict of glyph to RGBA of its picture.
        size: (width, height) of the pictures.
    """
    glyphs = [".notdef", *dict.fromkeys([*characters.values(), *ligatures.values()])]
    builder = FontBuilder(1024, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap(characters)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1024, 0)))
    builder.setupHorizontalHeader()
    builder.setupNameTable({})
    builder.setupOS2()
    builder.setupPost()
    font = builder.font
    if ligatures:
        rules = "".join(f"sub {' '.join(parts)} by {whole};" for parts, whole in ligatures.items())
        addOpenTypeFeaturesFromString(font, f"feature ccmp {{{rules}}} ccmp;")
    if colours:
        _add_bitmaps(font, {glyph: _png(colour, size) for glyph, colour in colours.items()})
    font.save(path)


def _png(colour, size):
    content = io.BytesIO()
    Image.new("RGBA", size, colour).save(content, "PNG")
    return content.getvalue()


def _add_bitmaps(font, pictures):
    numbers = sorted(map(font.getGlyphID, pictures))
    font["CBDT"], font["CBLC"] = data, places = newTable("CBDT"), newTable("CBLC")
    data.version = places.version = 3.0
    data.strikeData = [{name: _glyph(font, content) for name, content in pictures.items()}]
    strike, sizes = E_B_L_C_.Strike(), E_B_L_C_.BitmapSizeTable()
    for side in ("hori", "vert"):
        setattr(sizes, side, E_B_L_C_.SbitLineMetrics())
        for name in _LINE_METRICS:
            setattr(getattr(sizes, side), name, 0)
    sizes.colorRef, sizes.ppemX, sizes.ppemY, sizes.bitDepth, sizes.flags = 0, 109, 109, 32, 1
    sizes.startGlyphIndex, sizes.endGlyphIndex = numbers[0], numbers[-1]
    index = E_B_L_C_.eblc_index_sub_table_1(b"", font)
    index.names, index.indexFormat, index.imageFormat = sorted(pictures, key=font.getGlyphID), 1, 17
    strike.bitmapSizeTable, strike.indexSubTables, places.strikes = sizes, [index], [strike]


def _glyph(font, content):
    glyph, metrics = C_B_D_T_.cbdt_bitmap_format_17(b"", font), BitmapGlyphMetrics.SmallGlyphMetrics()
    metrics.height = metrics.width = metrics.BearingX = metrics.BearingY = metrics.Advance = 1
    glyph.metrics, glyph.imageData = metrics, content
    return glyph
