/** Pictures of digits in text: one character is two pixels, one above the other. */
import { hasGreys, paint } from '../terminal/terminal.js'

/** A picture with the net's prediction. */
export interface Guess {
  /** Pixels 0..1, row-major. */
  pixels: Float32Array
  prediction: number
  probability: number
  truth: number
}

const SIDE = 28
/** MNIST's digits fit into 20 × 20 pixels. */
const FRAME = 20
const GAP = '   '

/** Pictures side by side, as many as fit into `width` columns, with the net's prediction below each. */
export function drawDigits(guesses: readonly Guess[], width: number): string[] {
  const perRow = Math.max(1, Math.floor((width + GAP.length) / (FRAME + GAP.length)))
  const lines: string[] = []
  for (let i = 0; i < guesses.length; i += perRow) {
    const row = guesses.slice(i, i + perRow)
    const pictures = row.map((guess) => [...drawPixels(frame(guess.pixels)), ...caption(guess)])
    const lineAt = (y: number) => pictures.map((picture) => picture[y]).join(GAP)
    for (let y = 0; y < pictures[0].length; y++) lines.push(lineAt(y).trimEnd())
    lines.push('')
  }
  return lines
}

function caption({ prediction, probability, truth }: Guess): string[] {
  const says = `says ${prediction}  ${(100 * probability).toFixed(1)} %`.padEnd(FRAME)
  const is = `  is ${truth}  ${prediction === truth ? '✓' : '✗ wrong'}`.padEnd(FRAME)
  return [says, prediction === truth ? paint('green', is) : paint('red', is)]
}

/** The 20 × 20 pixels around the middle of the ink. */
function frame(pixels: Float32Array): Float32Array {
  const [top, left] = [firstOf(pixels, SIDE, 1), firstOf(pixels, 1, SIDE)]
  const out = new Float32Array(FRAME * FRAME)
  for (let y = 0; y < FRAME; y++) {
    for (let x = 0; x < FRAME; x++) {
      const inside = top + y >= 0 && top + y < SIDE && left + x >= 0 && left + x < SIDE
      if (inside) out[y * FRAME + x] = pixels[(top + y) * SIDE + left + x]
    }
  }
  return out
}

/** Start of the frame along an axis, so that the ink is in its middle. */
function firstOf(pixels: Float32Array, along: number, across: number): number {
  const hasInk = (i: number) => Array.from({ length: SIDE }, (_, j) => pixels[i * along + j * across]).some((ink) => ink > 0.1)
  const inked = Array.from({ length: SIDE }, (_, i) => i).filter(hasInk)
  if (inked.length === 0) return (SIDE - FRAME) / 2
  return Math.round((inked[0] + inked[inked.length - 1] + 1 - FRAME) / 2)
}

function drawPixels(pixels: Float32Array): string[] {
  const draw = hasGreys() ? greys : blocks
  return Array.from({ length: FRAME / 2 }, (_, line) =>
    draw(pixels.subarray(2 * line * FRAME, (2 * line + 1) * FRAME), pixels.subarray((2 * line + 1) * FRAME, (2 * line + 2) * FRAME)),
  )
}

/** Two pixels in grays: one colors the half block, the other its background. Copied as text, the shape is still visible. */
function greys(upper: Float32Array, lower: Float32Array): string {
  const grey = (ink: number) => 232 + Math.round(23 * Math.min(1, Math.max(0, ink)))
  const cells = Array.from(upper, (ink, x) => {
    const [top, bottom] = [grey(ink), grey(lower[x])]
    if (top === bottom) return `\x1b[38;5;${top};48;5;${top}m${ink > 0.5 ? '█' : ' '}`
    return top > bottom ? `\x1b[38;5;${top};48;5;${bottom}m▀` : `\x1b[38;5;${bottom};48;5;${top}m▄`
  })
  return `${cells.join('')}\x1b[0m`
}

function blocks(upper: Float32Array, lower: Float32Array): string {
  return Array.from(upper, (ink, x) => ' ▀▄█'[(ink > 0.4 ? 1 : 0) + (lower[x] > 0.4 ? 2 : 0)]).join('')
}
