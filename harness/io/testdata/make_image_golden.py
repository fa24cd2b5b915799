"""Writes the *.golden.png and image-*.golden.npy references for image.test.ts.

Made with Pillow 13.0.0, transformers 5.23.0 (its Pillow backend), numpy 2.4.6:  python make_image_golden.py
"""
import pathlib

import numpy as np
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
y, x = np.mgrid[0:37, 0:53]
smooth = np.stack([128 + 127 * np.sin(x / 5), 128 + 127 * np.cos(y / 3), 4 * (x + y)], -1)
noisy = np.clip(smooth + rng.integers(-60, 60, smooth.shape) * (x > 26)[..., None], 0, 255).astype(np.uint8)
image = Image.fromarray(noisy)
image.save(here / "rgb.golden.png")

small = image.crop((20, 10, 27, 15))
alpha = small.copy()
alpha.putalpha(Image.fromarray((np.arange(35).reshape(5, 7) * 7).astype(np.uint8)))
alpha.save(here / "rgba.golden.png")
grey = small.convert("L")
grey.save(here / "grey.golden.png")
palette = small.quantize(16)
palette.save(here / "palette.golden.png")
np.savez_compressed(
    here / "image-decoded.golden.npz",
    rgb=noisy,
    rgba=np.array(alpha.convert("RGB")),
    grey=np.array(grey.convert("RGB")),
    palette=np.array(palette.convert("RGB")),
)
np.savez_compressed(
    here / "image-resized.golden.npz",
    **{f"{resample}_{w}x{h}": np.array(image.resize((w, h), resample))
       for w, h, filters in [(16, 14, range(6)), (53, 20, [3]), (61, 80, [3])]
       for resample in filters},
)


def process(**options):
    return CLIPImageProcessorPil(**options)(image, return_tensors="np")["pixel_values"][0].astype(np.float32)


np.savez_compressed(
    here / "image-processed.golden.npz",
    clip=process(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24}),
    enlarged=process(size={"shortest_edge": 45}, crop_size=41),
    padded=process(size={"shortest_edge": 10}, crop_size={"height": 15, "width": 13}),
    plain=process(size={"height": 9, "width": 12}, do_center_crop=False, do_normalize=False, resample=2),
)
