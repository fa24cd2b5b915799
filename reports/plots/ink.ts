/**
 * @file Whose each stroke and point of a plot is. ECharts keeps no names in the SVG that it writes: each is drawn in a colour
 * that nothing else has, by which it is found again and given its own colour, its method and its text.
 */
import { htmlText } from '../escape.ts';

interface Ink {
  colour: string;
  method: string;
  tip: string;
}

/** Begins the colours that stand for inks; no plot has one of them. */
const STAND_IN = '#fd';
const MOST = 0x10000;

/** The inks of one plot. */
export class Inks {
  private readonly inks: Ink[] = [];

  /** A colour to draw with, of which {@link apply} makes `colour`. @param tip What the pointer over it says. */
  of(colour: string, method: string, tip: string): string {
    // A plot with more would be drawn well, but for the pointer.
    if (this.inks.length === MOST) return colour;
    this.inks.push({ colour, method, tip });
    return `${STAND_IN}${(this.inks.length - 1).toString(16).padStart(4, '0')}`;
  }

  /** The SVG with the colours meant, and at each path its method (`data-m`) and its text (`<title>`). */
  apply(svg: string): string {
    return svg
      .replaceAll(/<path ([^>]*="#fd([0-9a-f]{4})"[^>]*)><\/path>/g, (whole, attributes: string, at: string) => {
        const ink = this.inks[Number.parseInt(at, 16)];
        if (!ink) return whole;
        return `<path data-m="${htmlText(ink.method)}" ${attributes}><title>${htmlText(ink.tip)}</title></path>`;
      })
      .replaceAll(/="#fd([0-9a-f]{4})"/g, (whole, at: string) => {
        const ink = this.inks[Number.parseInt(at, 16)];
        return ink ? `="${ink.colour}"` : whole;
      });
  }
}
