"""Writes the images *.golden.{png,jpg,gif} and the references image-*.golden.npz for image.test.ts.

Made with Pillow 13.0.0, transformers 5.24.0 (its Pillow backend), numpy 2.4.6:  python make_image_golden.py
"""
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image
from transformers.image_transforms import convert_to_rgb
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
y, x = np.mgrid[0:37, 0:53]
smooth = np.stack([128 + 127 * np.sin(x / 5), 128 + 127 * np.cos(y / 3), 4 * (x + y)], -1)
noisy = np.clip(smooth + rng.integers(-60, 60, smooth.shape) * (x > 26)[..., None], 0, 255).astype(np.uint8)
image = Image.fromarray(noisy)
image.save(here / "rgb.golden.png")

small = image.crop((20, 10, 27, 15))
alpha = small.copy()
alpha.putalpha(Image.fromarray((np.arange(35).reshape(5, 7) * 7.5).astype(np.uint8)))
alpha.save(here / "rgba.golden.png")
grey = small.convert("L")
grey.save(here / "grey.golden.png")
palette = small.quantize(16)
palette.save(here / "palette.golden.png")
palette.save(here / "holes.golden.png", transparency=bytes(range(0, 256, 17)))
palette.save(here / "hole.golden.gif", transparency=3)
small.convert("CMYK").save(here / "cmyk.golden.jpg", quality=95)


def png16(name, kind, values):
    """A PNG of 16 bits a channel, which Pillow does not write in colour."""
    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (here / f"{name}.golden.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


wide = np.random.default_rng(16).integers(0, 65536, (5, 7, 4))
wide[0, :, 0] = [0, 1, 254, 255, 256, 300, 65535]
png16("grey16", 0, wide[..., 0])
png16("greya16", 4, wide[..., :2])
png16("rgb16", 2, wide[..., :3])
png16("rgba16", 6, wide)
decoded = ["rgb.png", "rgba.png", "grey.png", "palette.png", "holes.png", "hole.gif", "cmyk.jpg", "grey16.png", "greya16.png",
           "rgb16.png", "rgba16.png"]
np.savez_compressed(
    here / "image-decoded.golden.npz",
    **{file: convert_to_rgb(Image.open(here / file.replace(".", ".golden.")), return_numpy=True) for file in decoded},
)
np.savez_compressed(
    here / "image-resized.golden.npz",
    **{f"{resample}_{w}x{h}": np.array(image.resize((w, h), resample))
       for w, h, filters in [(16, 14, range(6)), (53, 20, [3]), (61, 80, [3])]
       for resample in filters},
)


def process(processor=CLIPImageProcessorPil, **options):
    return processor(**options)(image, return_tensors="np")["pixel_values"][0].astype(np.float32)


np.savez_compressed(
    here / "image-processed.golden.npz",
    clip=process(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24}),
    enlarged=process(size={"shortest_edge": 45}, crop_size=41),
    padded=process(size={"shortest_edge": 10}, crop_size={"height": 15, "width": 13}),
    vit=process(ViTImageProcessorPil, size={"height": 14, "width": 14}),
    bit=process(BitImageProcessorPil, size={"shortest_edge": 20}, crop_size={"height": 14, "width": 14}),
    siglip=process(SiglipImageProcessorPil, size={"height": 14, "width": 14}),
    plain=process(size={"height": 9, "width": 12}, do_center_crop=False, do_normalize=False, resample=2),
)
