/** Pictures and their maps as drawings of a report. */
import { escaped, label, picture } from '../plot/svg.js'

/** Width of a picture on the page, and the room between it and its map. */
const [SHOWN, GAP] = [80, 4]
/** Letters of a line below a picture. */
const LETTERS = 26
/** Height of such a line. */
const LINE = 14
/** Colors of a map from 0 to 1, red, green and blue; others lie between them. */
const COLORS = [20, 20, 90, 200, 40, 60, 255, 235, 80]
/** Opacity of a map over its picture. */
const OPACITY = 0.55

/** A picture, and lines below it. */
export interface Shown {
  /** Shown under the pointer, and read aloud. */
  title: string
  lines: readonly string[]
  /** [size, size, channels] */
  pixels: Uint8Array
  /** [size, size], 255 where the map is 1. */
  map: Uint8Array
}

/** Rules of style for pages with {@link drawingsOf}: as many side by side as there is room for. */
export const STYLE = `
section > .pictures { grid-template-columns: repeat(auto-fill, ${2 * SHOWN + GAP}px); gap: 0.9rem 1rem; }
`

/** A drawing for each picture: as it is, and under its map. */
export function drawingsOf(shown: readonly Shown[]): string[] {
  return shown.map(({ title, lines, pixels, map }) => {
    const [size, channels] = [Math.sqrt(map.length), pixels.length === map.length ? 1 : 3] as const
    const [own, heat] = [bitmap(size, (at) => colorOf(pixels, at, channels)), bitmap(size, (at) => heatOf(map[at]))]
    const image = (address: string, x: number, more = '') =>
      `<image href="${address}" x="${x}" y="0" width="${SHOWN}" height="${SHOWN}" style="image-rendering:pixelated"${more}/>`
    const texts = lines.map((line, i) => label([0, SHOWN + LINE * (i + 1)], shortened(line), 'font-size="11"'))
    const second = image(own, SHOWN + GAP) + image(heat, SHOWN + GAP, ` opacity="${OPACITY}"`)
    const body = `<g><title>${escaped(title)}</title>${image(own, 0)}${second}${texts.join('')}</g>`
    return picture(2 * SHOWN + GAP, SHOWN + LINE * lines.length + 6, title, [body])
  })
}

function shortened(line: string): string {
  const letters = [...line]
  return letters.length > LETTERS ? `${letters.slice(0, LETTERS - 1).join('')}…` : line
}

function colorOf(pixels: Uint8Array, at: number, channels: 1 | 3): readonly number[] {
  return channels === 1 ? [pixels[at], pixels[at], pixels[at]] : [pixels[3 * at], pixels[3 * at + 1], pixels[3 * at + 2]]
}

/** The color of a byte of a map. */
function heatOf(byte: number): readonly number[] {
  const at = (byte / 255) * (COLORS.length / 3 - 1)
  const first = Math.min(Math.floor(at), COLORS.length / 3 - 2)
  return [0, 1, 2].map((c) => COLORS[3 * first + c] + (at - first) * (COLORS[3 * first + 3 + c] - COLORS[3 * first + c]))
}

/** A BMP file in an address: no compression, 24 bits a pixel, rows from below. */
function bitmap(size: number, colorAt: (at: number) => readonly number[]): string {
  const stride = 4 * Math.ceil((3 * size) / 4)
  const bytes = new Uint8Array(54 + stride * size)
  const view = new DataView(bytes.buffer)
  const write = (at: number, value: number) => view.setUint32(at, value, true)
  bytes.set([0x42, 0x4d])
  write(2, bytes.length)
  write(10, 54)
  write(14, 40)
  write(18, size)
  write(22, size)
  view.setUint16(26, 1, true)
  view.setUint16(28, 24, true)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [red, green, blue] = colorAt(y * size + x)
      bytes.set([blue, green, red], 54 + (size - 1 - y) * stride + 3 * x)
    }
  // a spread of all bytes of a large picture is more arguments than a call may have
  const parts = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) =>
    String.fromCharCode(...bytes.subarray(4096 * i, 4096 * (i + 1))),
  )
  return `data:image/bmp;base64,${btoa(parts.join(''))}`
}
