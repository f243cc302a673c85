"""Makes the small pictures in images/ and, in images/expected/, what Pillow reads from each (as PPM).

    python Tests/ReferenceValues/generate_images.py

Needs Pillow and numpy. Pillow cannot write some kinds (interlaced or 16-bit RGB PNG, tiled TIFF, …): those files are put
together here byte by byte. Pillow says what is in them all the same, except where a comment "By hand" tells why not.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

HERE = Path(__file__).parent / "images"
EXPECTED = HERE / "expected"
WIDTH, HEIGHT = 23, 17  # odd sides: paddings, partial blocks, partial tiles


def picture(width=WIDTH, height=HEIGHT, seed=1):
    """Smooth colours with a little noise, different in every corner: a swap or a flip shows."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    channels = [
        40 + 180 * x / width + 20 * np.sin(y / 2.5),
        220 - 160 * y / height + 20 * np.cos(x / 3.0),
        128 + 100 * np.sin((x + 2 * y) / 9.0),
    ]
    pixels = np.stack(channels, -1) + random.normal(0, 6, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def expect(name, image):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(np.ascontiguousarray(image))
    image.convert("RGB").save(EXPECTED / f"{name}.ppm")


def keep(name, data, expected=None):
    """Writes a file and what is to be read from it: `expected`, or else what Pillow sees (turned upright)."""
    (HERE / name).write_bytes(data)
    if expected is None:
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    expect(name, expected)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def png(pixels, depth, colour, interlaced=False, palette=None, transparency=None):
    """A PNG written by hand. `pixels`: height × width × channels, values within `depth` bits."""
    height, width, channels = pixels.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def rows(part):
        out = b""
        for row in part:
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            elif depth == 8:
                packed = row.astype(np.uint8).tobytes()
            else:
                bits = "".join(f"{value:0{depth}b}" for value in row.reshape(-1))
                bits += "0" * (-len(bits) % 8)
                packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
            out += b"\0" + packed
        return out

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    if interlaced:
        data = b""
        for x, y, dx, dy in passes:
            part = pixels[y::dy, x::dx]
            if part.size:
                data += rows(part)
    else:
        data = rows(pixels)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
    if palette is not None:
        out += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparency is not None:
        out += chunk(b"tRNS", transparency)
    return out + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def tiff(pixels, photometric, order="<", tile=None, extra=None, orientation=None, planar=False):
    """An uncompressed TIFF written by hand: strips of 5 rows, tiles, or a plane per channel."""
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    values = pixels.astype(pixels.dtype.newbyteorder(order))
    if tile:
        padded = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, channels), values.dtype)
        padded[:height, :width] = values
        parts = [
            padded[y : y + tile, x : x + tile].tobytes() for y in range(0, height, tile) for x in range(0, width, tile)
        ]
    elif planar:
        parts = [values[..., c].tobytes() for c in range(channels)]
    else:
        parts = [values[y : y + 5].tobytes() for y in range(0, height, 5)]
    entries = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * channels),
        259: ("H", [1]),
        262: ("H", [photometric]),
        277: ("H", [channels]),
        284: ("H", [2 if planar else 1]),
    }
    if orientation:
        entries[274] = ("H", [orientation])
    if extra is not None:
        entries[338] = ("H", [extra])
    offsets, at = [], 8
    for part in parts:
        offsets.append(at)
        at += len(part)
    if tile:
        entries[322], entries[323] = ("I", [tile]), ("I", [tile])
        entries[324], entries[325] = ("I", offsets), ("I", [len(part) for part in parts])
    else:
        entries[278] = ("I", [height if planar else 5])
        entries[273], entries[279] = ("I", offsets), ("I", [len(part) for part in parts])
    body = b"".join(parts)
    directory_at = 8 + len(body) + len(body) % 2
    body += b"\0" * (len(body) % 2)
    values_at = directory_at + 2 + 12 * len(entries) + 4
    directory, behind = struct.pack(order + "H", len(entries)), b""
    for tag, (kind, items) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(items)}{kind}", *items)
        directory += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[kind], len(items))
        if len(packed) <= 4:
            directory += packed.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", values_at + len(behind))
            behind += packed
    head = b"II" if order == "<" else b"MM"
    return head + struct.pack(order + "HI", 42, directory_at) + body + directory + struct.pack(order + "I", 0) + behind


def bmp(rows, bits, width, height, palette=b"", compression=0, masks=b""):
    """A BMP written by hand; `rows`: packed rows in file order, `height` < 0: from the top down."""
    data = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    offset = 14 + 40 + len(masks) + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + masks + palette + data


def main():
    EXPECTED.mkdir(parents=True, exist_ok=True)
    for old in [*HERE.glob("*.*"), *EXPECTED.glob("*.ppm")]:
        old.unlink()

    rgb = picture()
    image = Image.fromarray(rgb)
    grey = image.convert("L")
    alpha = Image.fromarray(picture(seed=2)[..., 0])
    rgba = image.copy()
    rgba.putalpha(alpha)
    palette = image.quantize(13)
    # Low bytes at odds with the high ones, so that rounding differs from cutting.
    wide = picture().astype(np.uint16) * 256 + (255 - picture(seed=3))

    # JPEG
    keep("rgb420.jpg", saved(image, "JPEG", quality=90))
    keep("rgb422.jpg", saved(image, "JPEG", quality=90, subsampling="4:2:2"))
    keep("rgb444.jpg", saved(image, "JPEG", quality=90, subsampling="4:4:4"))
    keep("grey.jpg", saved(grey, "JPEG", quality=90))
    keep("progressive.jpg", saved(image, "JPEG", quality=90, progressive=True))
    keep("restarts.jpg", saved(image, "JPEG", quality=90, restart_marker_blocks=1))
    keep("stored_rgb.jpg", saved(image, "JPEG", quality=90, keep_rgb=True))
    inks = np.concatenate([255 - rgb, picture(seed=4)[..., :1] // 3], -1)
    cmyk = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    keep("cmyk.jpg", cmyk)
    adobe = cmyk.index(b"Adobe")
    assert cmyk[adobe + 11] == 0
    keep("ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        keep(f"orientation_{orientation}.jpg", saved(image, "JPEG", quality=90, exif=exif))
    # Between two segments, where "extraneous bytes" lose nothing.
    plain = saved(image, "JPEG", quality=90)
    keep("extraneous.jpg", plain[:-2] + b"\1\2\3" + plain[-2:])
    keep("no_end_marker.jpg", plain[:-2], Image.open(io.BytesIO(plain)))
    large = saved(Image.fromarray(picture(127, 97)), "JPEG", quality=85)
    (HERE / "scaled.jpg").write_bytes(large)
    for divisor in (2, 4):
        draft = Image.open(io.BytesIO(large))
        draft.draft("RGB", (127 // divisor, 97 // divisor))
        assert draft.size == (-(-127 // divisor), -(-97 // divisor))
        expect(f"scaled_{divisor}", draft)

    # PNG
    keep("rgb.png", saved(image, "PNG"))
    keep("rgba.png", saved(rgba, "PNG"))
    keep("grey.png", saved(grey, "PNG"))
    keep("grey_alpha.png", saved(rgba.convert("LA"), "PNG"))
    keep("palette.png", saved(palette, "PNG"))
    keep("palette_transparent.png", saved(palette, "PNG", transparency=bytes(range(0, 130, 10))))
    keep("rgb16.png", png(wide, 16, 2))
    keep("rgb_interlaced.png", png(rgb, 8, 2, interlaced=True))
    keep("grey2_interlaced.png", png(rgb[..., :1] >> 6, 2, 0, interlaced=True))
    keep("grey1.png", png(rgb[..., :1] >> 7, 1, 0))
    keep("grey4.png", png(rgb[..., :1] >> 4, 4, 0))
    keep("rgb_key.png", png(rgb, 8, 2, transparency=struct.pack(">HHH", *map(int, rgb[3, 5]))))
    # By hand: Pillow clips 16-bit grey at 255 instead of scaling it, which turns almost everything white.
    keep("grey16.png", png(wide[..., :1], 16, 0), np.repeat(wide[..., :1] >> 8, 3, -1).astype(np.uint8))

    # WebP
    keep("lossy.webp", saved(image, "WEBP", quality=80))
    keep("lossless.webp", saved(image, "WEBP", lossless=True))
    keep("alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))

    # TIFF
    keep("rgb.tif", saved(image, "TIFF"))
    keep("rgba.tif", saved(rgba, "TIFF"))
    keep("grey.tif", saved(grey, "TIFF"))
    keep("palette.tif", saved(palette, "TIFF"))
    keep("bilevel.tif", saved(image.convert("1"), "TIFF"))
    keep("fax.tif", saved(image.convert("1"), "TIFF", compression="group4"))
    keep("lzw.tif", saved(image, "TIFF", compression="tiff_lzw"))
    keep("deflate.tif", saved(image, "TIFF", compression="tiff_adobe_deflate"))
    keep("packbits.tif", saved(image, "TIFF", compression="packbits"))
    keep("jpeg.tif", saved(image, "TIFF", compression="jpeg", quality=95))
    keep("pages.tif", saved(image, "TIFF", save_all=True, append_images=[Image.fromarray(picture(9, 5, 8))]))
    keep("rgb16.tif", tiff(wide, 2))
    keep("rgb16_big_endian.tif", tiff(wide, 2, order=">"))
    keep("tiled.tif", tiff(rgb, 2, tile=16))
    keep("planes.tif", tiff(rgb, 2, planar=True))
    keep("white_is_zero.tif", tiff(rgb[..., :1], 0))
    keep("grey16.tif", tiff(wide[..., :1], 1), np.repeat(wide[..., :1] >> 8, 3, -1).astype(np.uint8))
    keep("orientation_6.tif", tiff(rgb, 2, orientation=6), np.rot90(rgb, -1))

    # BMP
    keep("rgb.bmp", saved(image, "BMP"))
    keep("palette.bmp", saved(palette, "BMP"))
    keep("grey.bmp", saved(grey, "BMP"))
    keep("bilevel.bmp", saved(image.convert("1"), "BMP"))
    colours = picture(16, 1, 5)[0]
    table = b"".join(bytes([*colour[::-1], 0]) for colour in colours)
    indices = rgb[..., 0] >> 4
    nibbles = np.pad(indices, ((0, 0), (0, 1)))
    packed = [bytes(row[0::2] << 4 | row[1::2]) for row in nibbles[::-1]]
    keep("palette4.bmp", bmp(packed, 4, WIDTH, HEIGHT, table))
    keep("top_down.bmp", bmp([row[:, ::-1].tobytes() for row in rgb], 24, WIDTH, -HEIGHT))
    four = np.concatenate([rgb[..., ::-1], picture(seed=6)[..., :1]], -1)
    keep("rgb32.bmp", bmp([row.tobytes() for row in four[::-1]], 32, WIDTH, HEIGHT))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    packed = (rgb[..., 0].astype(np.uint16) >> 3 << 11) | (rgb[..., 1].astype(np.uint16) >> 2 << 5) | rgb[..., 2] >> 3
    keep("rgb565.bmp", bmp([row.astype("<u2").tobytes() for row in packed[::-1]], 16, WIDTH, HEIGHT, b"", 3, masks))

    # PNM
    keep("rgb.ppm", saved(image, "PPM"))
    keep("grey.pgm", saved(grey, "PPM"))
    keep("bilevel.pbm", saved(image.convert("1"), "PPM"))
    text = " ".join(map(str, rgb.reshape(-1)))
    keep("rgb_text.ppm", f"P3\n# a comment\n{WIDTH} {HEIGHT}\n255\n{text}\n".encode())
    text = " ".join(map(str, (rgb[..., 0] >> 4).reshape(-1)))
    keep("grey_text.pgm", f"P2\n{WIDTH} {HEIGHT} # to the right, down\n15\n{text}".encode())
    bits = rgb[..., 0] >> 7
    text = "\n".join("".join(map(str, row)) for row in bits)
    keep("bilevel_text.pbm", f"P1\n{WIDTH} {HEIGHT}\n{text}\n".encode())
    keep("rgb16.ppm", f"P6\n{WIDTH} {HEIGHT}\n65535\n".encode() + wide.astype(">u2").tobytes())
    keep("rgb_maxval.ppm", f"P6 {WIDTH} {HEIGHT} 63\n".encode() + (rgb >> 2).tobytes())
    # By hand: Pillow reads 16-bit grey as 32-bit integers and clips them.
    level = (wide[..., :1].astype(np.int64) * 255 + 32767) // 65535
    keep("grey16.pgm", f"P5\n{WIDTH} {HEIGHT}\n65535\n".encode() + wide[..., :1].astype(">u2").tobytes(),
         np.repeat(level, 3, -1).astype(np.uint8))

    files = [*HERE.glob("*.*"), *EXPECTED.glob("*.ppm")]
    print(f"{len(files)} files, {sum(file.stat().st_size for file in files)} bytes, Pillow {PIL.__version__}")


if __name__ == "__main__":
    main()
