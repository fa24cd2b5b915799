/** @file Decoded pixels of any kind to 8-bit RGB, byte for byte as Pillow 13 and transformers 5.24 compute it. */

/** a · b / 255, rounded, for bytes. */
function times255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** Inks [n, 4] (0: none) to RGB [n, 3]: what a colour and black leave of white. No colour profile, as in Pillow. */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const left = 255 - cmyk[from + 3]!;
    for (let ink = 0; ink < 3; ink++) rgb[to++] = Math.max(0, left - times255(cmyk[from + ink]!, left));
  }
  return rgb;
}

/**
 * RGBA [n, 4] on white as RGB [n, 3]: since version 5 the image processors of transformers composite so
 * (`convert_to_rgb`, through Pillow's `alpha_composite`), where they used to drop the alpha channel.
 */
export function onWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3]!;
    // Weights of 15 bits that sum to 255 · 128; the half is added for rounding.
    const background = 255 * 128 * (255 - alpha) + 64 * 256;
    for (let channel = 0; channel < 3; channel++) {
      const sum = rgba[from + channel]! * alpha * 128 + background;
      rgb[to++] = ((sum >> 8) + sum) >> 15;
    }
  }
  return rgb;
}

/** Channels of 16 bits to 8: the upper byte, as Pillow reads colours. */
export function upperBytes(values: Uint16Array): Uint8Array {
  return Uint8Array.from(values, (value) => value >> 8);
}

/** Grey of 16 bits to RGB: Pillow cuts it at 255 (mode `I;16`) instead of scaling it. */
export function greyToRgb(values: Uint16Array): Uint8Array {
  const rgb = new Uint8Array(values.length * 3);
  for (const [i, value] of values.entries()) rgb.fill(Math.min(255, value), 3 * i, 3 * i + 3);
  return rgb;
}
