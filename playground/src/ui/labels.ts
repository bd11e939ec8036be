/** Names beside what they name in a picture. */
import { token } from './palette'

export interface Label {
  text: string
  colour: string
  /** The named place, in pixels. */
  x: number
  y: number
}

/** A piece of a curve, in pixels: its ends in x, and its extent in y. */
export interface Piece {
  from: number
  to: number
  top: number
  bottom: number
}

const LINE = 15
const GAP = 9
/** Pixels from a place up to the middle of its name, and the radius of what is drawn there. */
const [ABOVE, HEAD] = [10, 7]
/** Lines by which a label moves rather than cover a curve along all of its length, and rather than cover a point. */
const [CURVE, POINT] = [8, 100]
const FONT = '600 12px system-ui, sans-serif'

/**
 * Places for labels of these widths, above and beside their points, within a picture. No label covers another one, nor, if there is room, a point
 * or a curve. Labels of curves stand in the order of their points, as each is taken for the name of the curve at its height.
 *
 * @param curves the pieces of curves between two places
 * @returns left end and middle of each
 */
export function placeLabels(
  labels: readonly { x: number; y: number; width: number }[],
  width: number,
  height: number,
  curves: (from: number, to: number) => readonly Piece[] = () => [],
): { left: number; y: number }[] {
  const placed: { left: number; y: number; width: number }[] = []
  const places: { left: number; y: number }[] = []
  const order = labels.map((_, i) => i)
  const hasCurves = curves(0, width).length > 0
  if (hasCurves) order.sort((a, b) => labels[a].y - labels[b].y || a - b)
  for (const [rank, i] of order.entries()) {
    const { x, y, width: w } = labels[i]
    // those that come after it have their place below
    const lowest = height - LINE / 2 - (hasCurves ? LINE * (order.length - 1 - rank) : 0)
    const isBelow = (y: number, above: { left: number; y: number; width: number }) =>
      y >= above.y + LINE || above.left >= left + w || left >= above.left + above.width
    const side = x + GAP + w <= width ? x + GAP : x - GAP - w
    const left = Math.max(0, Math.min(side, width - w))
    const within = Math.max(LINE / 2, Math.min(y - ABOVE, height - LINE / 2))
    const isFree = (y: number) =>
      y >= LINE / 2 &&
      y <= lowest &&
      placed.every((other) =>
        hasCurves ? isBelow(y, other) : Math.abs(other.y - y) >= LINE || other.left >= left + w || left >= other.left + other.width,
      )
    const coversNoPoint = (y: number) =>
      labels.every((other) => Math.abs(other.y - y) > LINE / 2 + HEAD / 2 || other.x < left - HEAD || other.x > left + w + HEAD)
    const pieces = curves(left, left + w)
    /** The share of its length that lies on curves. */
    const covered = (y: number) =>
      pieces
        .filter(({ top, bottom }) => top < y + LINE / 2 && bottom > y - LINE / 2)
        .reduce((sum, { from, to }) => sum + Math.min(to, left + w) - Math.max(from, left), 0) / w
    const cost = (y: number) => Math.abs(y - within) / LINE + CURVE * covered(y) + (coversNoPoint(y) ? 0 : POINT)
    // Free lines, the nearest first, below or above.
    const count = pieces.length > 0 ? (2 * height) / LINE : 2 * labels.length + 5
    const near = Array.from({ length: count }, (_, i) => within + LINE * Math.ceil(i / 2) * (i % 2 === 1 ? -1 : 1))
    const free = [...near, ...(hasCurves ? [lowest, ...placed.map((above) => above.y + LINE)] : [])].filter(isFree)
    const best = free.reduce((best, y) => (cost(y) < cost(best) ? y : best), free[0] ?? within)
    placed.push({ left, y: best, width: w })
    places[i] = { left, y: best }
  }
  return places
}

/** Writes labels with a halo. */
export function drawLabels(
  c: CanvasRenderingContext2D,
  labels: readonly Label[],
  width: number,
  height: number,
  curves?: Parameters<typeof placeLabels>[3],
): void {
  c.save()
  c.font = FONT
  c.textAlign = 'left'
  c.textBaseline = 'middle'
  c.lineJoin = 'round'
  c.lineWidth = 4
  c.strokeStyle = token('ground')
  const places = placeLabels(
    labels.map(({ x, y, text }) => ({ x, y, width: c.measureText(text).width })),
    width,
    height,
    curves,
  )
  labels.forEach(({ text, colour }, i) => {
    c.fillStyle = colour
    c.strokeText(text, places[i].left, places[i].y)
    c.fillText(text, places[i].left, places[i].y)
  })
  c.restore()
}
