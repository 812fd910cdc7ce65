"""Makes reference-pictures.txt: small files of all kinds, and the checksum of the RGB pixels that Pillow (over libjpeg-turbo) reads out of each.
Needs python3 with Pillow and numpy, ImageMagick's convert, and cjpeg.   usage: make-reference-pictures.py > reference-pictures.txt"""
import base64, io, os, struct, subprocess, tempfile, zlib
import numpy as np
from PIL import Image, ImageOps

H, W = 19, 37
y, x = np.mgrid[0:H, 0:W]
base = np.stack([140 + 80 * np.sin(x / 7 + y / 9), 128 + 100 * np.cos(x / 5), 128 + 100 * np.sin(y / 6 + 1)], 2).clip(0, 255).astype(np.uint8)
rgb = Image.fromarray(base); grey = rgb.convert("L"); os.chdir(tempfile.mkdtemp()); rgb.save("rgb.png"); rgb.save("rgb.ppm"); rgb.crop((0, 0, 20, 11)).save("small.png")

def pixels(data):
    image = Image.open(io.BytesIO(data)); image = ImageOps.exif_transpose(image)
    if image.mode == "P": image = image.convert("RGBA") if "transparency" in image.info else image.convert("RGB")
    if image.mode.startswith("I"): image = Image.fromarray((np.array(image).astype(np.uint32) >> 8).astype(np.uint8))
    return np.array(image.convert("RGB") if image.mode != "RGBA" else image)[..., :3]
def put(name, data):
    p = pixels(data)
    print(name, p.shape[1], p.shape[0], f"{zlib.crc32(p.tobytes()):08x}", base64.b64encode(data).decode())
def save(image, **how):
    b = io.BytesIO(); image.save(b, **how); return b.getvalue()
def tool(*command): return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
def without(data, marker):
    o, i = data[:2], 2
    while data[i + 1] != 0xDA:
        n = struct.unpack(">H", data[i + 2:i + 4])[0]
        if data[i + 1] != marker: o += data[i:i + 2 + n]
        i += 2 + n
    return o + data[i:]

jpeg = lambda image=rgb, **how: save(image, format="JPEG", optimize=True, **how)
for sampling in ("4:4:4", "4:2:2", "4:2:0"):
    put(f"jpeg-{sampling.replace(':', '')}", jpeg(quality=85, subsampling=sampling)); put(f"jpeg-progressive-{sampling.replace(':', '')}", jpeg(quality=85, subsampling=sampling, progressive=True))
for factors in ("1x2", "4x1", "4x2", "2x2,1x1,2x1"): put(f"jpeg-{factors.replace(',', '-')}", tool("convert", "rgb.png", "-sampling-factor", factors, "-quality", "85", "JPEG:-"))
put("jpeg-coarse", jpeg(quality=5)); put("jpeg-grey", jpeg(grey, quality=85)); put("jpeg-grey-progressive", jpeg(grey, quality=85, progressive=True))
for w, h in ((1, 1), (1, 9), (9, 1), (2, 3), (3, 2), (17, 16)): put(f"jpeg-{w}-by-{h}", jpeg(rgb.resize((w, h)), quality=85))
put("jpeg-restart", tool("cjpeg", "-restart", "1B", "rgb.ppm")); put("jpeg-restart-progressive", tool("cjpeg", "-progressive", "-restart", "1", "rgb.ppm")); put("jpeg-rgb", tool("cjpeg", "-rgb", "rgb.ppm"))
open("scans", "w").write("0;\n1;\n2;\n"); put("jpeg-separate-scans", tool("cjpeg", "-scans", "scans", "-restart", "2B", "-sample", "2x1", "rgb.ppm"))
cmyk, ycck = jpeg(rgb.convert("CMYK"), quality=85), tool("convert", "small.png", "-colorspace", "CMYK", "-quality", "85", "JPEG:-")
put("jpeg-cmyk", cmyk); put("jpeg-cmyk-unmarked", without(cmyk, 0xEE)); put("jpeg-ycck", ycck); put("jpeg-ycck-unmarked", without(ycck, 0xEE))
whole = jpeg(quality=85, subsampling="4:4:4"); n = struct.unpack(">H", whole[4:6])[0]
put("jpeg-jfif-and-adobe", whole[:4 + n] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" + whole[4 + n:])
put("jpeg-adobe-rgb", whole[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" + whole[4 + n:])
put("jpeg-trailing", whole + bytes(range(200))); put("jpeg-junk", whole[:-2] + b"\0\x12\x34" * 9 + whole[-2:])
for turn in range(1, 9):
    exif = rgb.getexif(); exif[0x0112] = turn; put(f"jpeg-orientation-{turn}", jpeg(quality=85, exif=exif))

def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(bits, colour, rows, extra=b""):
    raw = b"".join(b"\0" + row for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, 0)) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
grey16 = (np.array(grey).astype(np.uint16) * 257 - 77 * (x % 2)).clip(0, 65535).astype(">u2"); rgb16 = (base.astype(np.uint32) * 256 + (x[..., None] * 5) % 256).astype(">u2")
alpha = np.full((H, W), 30000, ">u2")
sets = {"rgb": save(rgb, format="PNG"), "grey": save(grey, format="PNG"), "one": save(rgb.convert("1"), format="PNG"), "rgba": save(Image.fromarray(np.dstack([base, (x * 255 // W).astype(np.uint8)])), format="PNG"),
    "la": save(Image.merge("LA", (grey, Image.fromarray((x * 255 // W).astype(np.uint8)))), format="PNG"), "palette": save(rgb.quantize(200), format="PNG"), "palette-4": save(rgb.quantize(16), format="PNG", bits=4),
    "palette-2": save(rgb.quantize(4), format="PNG", bits=2), "palette-transparent": save(rgb.quantize(64), format="PNG", transparency=bytes([0, 128] + [255] * 62)),
    "grey-16": png(16, 0, [r.tobytes() for r in grey16]), "rgb-16": png(16, 2, [r.tobytes() for r in rgb16]), "rgba-16": png(16, 6, [r.tobytes() for r in np.dstack([rgb16, alpha]).astype(">u2")]),
    "rgb-transparent": png(8, 2, [r.tobytes() for r in base], chunk(b"tRNS", struct.pack(">HHH", *[int(v) for v in base[5, 5]])))}
for bits in (1, 2, 4):
    rows = []
    for r in np.array(grey) >> (8 - bits):
        s = "".join(format(int(q), f"0{bits}b") for q in r); s += "0" * (-len(s) % 8); rows.append(int(s, 2).to_bytes(len(s) // 8, "big"))
    sets[f"grey-{bits}"] = png(bits, 0, rows)
for name, data in sets.items():
    put(f"png-{name}", data); open("t.png", "wb").write(data); put(f"png-{name}-interlaced", tool("convert", "t.png", "-interlace", "PNG", "PNG:-"))
for filtering in range(6): put(f"png-filter-{filtering}", tool("convert", "rgb.png", "-define", f"png:compression-filter={filtering}", "PNG:-"))

def bmp(width, height, bits, compression, data, extra=b"", colours=0):
    offset = 54 + len(extra)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, colours, 0) + extra + data
put("bmp-rgb", save(rgb, format="BMP")); put("bmp-grey", save(grey, format="BMP")); put("bmp-one", save(rgb.convert("1"), format="BMP")); put("bmp-palette", save(rgb.quantize(200), format="BMP"))
put("bmp-os2", tool("convert", "rgb.png", "-type", "TrueColor", "BMP2:-")); put("bmp-runs-8", tool("convert", "rgb.png", "-compress", "RLE", "-type", "Palette", "BMP3:-"))
bgr = base[:, :, ::-1]; rows = [r.tobytes() + bytes((-W * 3) % 4) for r in bgr]
put("bmp-topdown", bmp(W, -H, 24, 0, b"".join(rows)))
five = base.astype(int) >> 3; pad = bytes((-W * 2) % 4); low = lambda q: b"".join(r.tobytes() + pad for r in q.astype("<u2")[::-1])
put("bmp-555", bmp(W, H, 16, 0, low(five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2])))
put("bmp-565", bmp(W, H, 16, 3, low(five[..., 0] << 11 | (base[..., 1].astype(int) >> 2) << 5 | five[..., 2]), struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
put("bmp-32", bmp(W, H, 32, 0, np.dstack([bgr, (x % 7).astype(np.uint8)])[::-1].tobytes()))
