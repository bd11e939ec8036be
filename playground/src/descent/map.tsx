/** The function from above: colors, contour lines, and the racers on their way. */
import { axisOf } from '../../../ts/plot/scale'
import type { Painting } from '../ui/canvas'
import { short } from '../ui/controls'
import { gridPicture } from '../ui/grid-picture'
import { drawLabels } from '../ui/labels'
import type { Look } from '../ui/looks'
import { depth, isDark, token } from '../ui/palette'
import type { Countries } from './countries'
import type { Surface } from './functions'
import type { Verdict } from './inspect'
import type { Landscape } from './landscape'
import { type Sizes, shownSize } from './sizes'
import type { Track } from './track'

export interface Scene {
  surface: Surface
  landscape: Landscape | null
  /** Where a race from each point ends, in place of heights; null for heights. */
  starts: Countries | null
  /** The way of a race from the place that is pointed at. */
  trace: Track | null
  tracks: readonly (Track | null)[]
  /** Lines of the racers, with their names. */
  looks: readonly (Look & { name: string })[]
  /** The largest sizes in this race, as which arrows and boxes are drawn whole. */
  sizes: Sizes
  start: readonly [number, number]
  /** The step that is shown; it may be fractional. */
  frame: number
  showState: boolean
  verdict: { at: readonly [number, number]; verdict: Verdict } | null
  /** Draws above all else: a part of a step. */
  over: ((c: CanvasRenderingContext2D, to: To) => void) | null
}

/** The range widened about its middle to the shape of a picture, so that a unit of x is as long as a unit of y. */
export function widened([[left, right], [bottom, top]]: Surface['range'], aspect: number): Surface['range'] {
  const half = Math.max(right - left, (top - bottom) * aspect) / 2
  const [x, y] = [(left + right) / 2, (bottom + top) / 2]
  return [
    [x - half, x + half],
    [y - half / aspect, y + half / aspect],
  ]
}

/** From the function's coordinates to the canvas and back, with one scale for both. */
export function projection({ range }: Pick<Surface, 'range'>, width: number, height: number) {
  const shown = widened(range, width / height)
  const [[left, right], [bottom]] = shown
  const scale = width / (right - left)
  return {
    range: shown,
    px: (x: number) => (x - left) * scale,
    py: (y: number) => height - (y - bottom) * scale,
    x: (px: number) => left + px / scale,
    y: (py: number) => bottom + (height - py) / scale,
  }
}

export function paintMap({ context: c, width, height }: Painting, scene: Scene): void {
  const { surface, landscape, starts, trace, tracks, looks, sizes, start, frame, showState, verdict, over } = scene
  const to = projection(surface, width, height)
  if (landscape) {
    const [[left, right], [bottom, top]] = landscape.range
    const [x, y] = [to.px(left), to.py(top)]
    const [w, h] = [to.px(right) - x, to.py(bottom) - y]
    c.drawImage(ground(landscape, w, h), x, y, w, h)
  }
  if (starts) {
    const [[left, right], [bottom, top]] = starts.range
    const [x, y] = [to.px(left), to.py(top)]
    c.imageSmoothingEnabled = false
    c.drawImage(starts.picture, x, y, to.px(right) - x, to.py(bottom) - y)
    c.imageSmoothingEnabled = true
    for (const [mx, my] of starts.minima) drawMinimum(c, to.px(mx), to.py(my))
  }
  drawAxes(c, to, width, height, starts ? '#ffffff' : token('ink'))
  if (trace) drawTrack(c, trace, { colour: '#ffffff', dash: [] }, trace.steps, to, '#000000')
  const shown = tracks.flatMap((track, i) => (track && looks[i] ? [{ track, look: looks[i] }] : []))
  for (const { track, look } of shown) drawTrack(c, track, look, frame, to)
  // At the start all are in one place; a part of a step needs the room.
  if (frame > 0 && !over)
    drawLabels(
      c,
      shown.map(({ track, look: { name, colour } }) => {
        const [x, y] = placeAt(track, frame)
        return { text: name, colour, x: within(to.px(x), width), y: within(to.py(y), height) }
      }),
      width,
      height - AXIS,
    )
  if (showState) for (const { track, look } of shown) drawState(c, track, look, frame, to, sizes)
  for (const { track, look } of shown) drawHead(c, track, look, frame, to)
  if (verdict) drawVerdict(c, verdict.at, verdict.verdict, to)
  over?.(c, to)
  const [x, y] = [to.px(start[0]), to.py(start[1])]
  c.lineWidth = 2
  c.strokeStyle = token('ink')
  c.fillStyle = token('ground')
  c.beginPath()
  c.arc(x, y, 7, 0, 2 * Math.PI)
  c.fill()
  c.stroke()
  c.beginPath()
  c.moveTo(x - 3, y)
  c.lineTo(x + 3, y)
  c.moveTo(x, y - 3)
  c.lineTo(x, y + 3)
  c.stroke()
}

const within = (v: number, most: number) => Math.min(Math.max(v, 0), most)

/** Room for the numbers at the lower edge, in pixels. */
const AXIS = 16

/** Numbers at the edges. */
function drawAxes(c: CanvasRenderingContext2D, { range }: To, width: number, height: number, ink: string): void {
  const x = axisOf(range[0], { from: 0, to: width, text: short })
  const y = axisOf(range[1], { from: height, to: 0, spacing: 60, text: short })
  c.font = '11px system-ui, sans-serif'
  c.lineWidth = 1
  c.fillStyle = ink
  c.strokeStyle = ink
  c.beginPath()
  c.textAlign = 'center'
  for (const { place, text } of x.ticks) {
    if (place < 30 || place > width - 14) continue
    c.moveTo(place, height)
    c.lineTo(place, height - 4)
    c.fillText(text, place, height - 6)
  }
  c.textAlign = 'left'
  for (const { place, text } of y.ticks) {
    if (place < 8 || place > height - 20) continue
    c.moveTo(0, place)
    c.lineTo(4, place)
    c.fillText(text, 7, place + 4)
  }
  c.stroke()
}

function drawMinimum(c: CanvasRenderingContext2D, x: number, y: number): void {
  c.beginPath()
  c.arc(x, y, 3.5, 0, 2 * Math.PI)
  c.fillStyle = '#fff'
  c.fill()
  c.lineWidth = 1.5
  c.strokeStyle = '#000'
  c.stroke()
}

const pictures = new WeakMap<Landscape, { key: string; picture: HTMLCanvasElement }>()

/** Heights as colors with contour lines above them, which stay as they are while racers move. */
function ground(landscape: Landscape, width: number, height: number): HTMLCanvasElement {
  const ratio = Math.min(devicePixelRatio || 1, 2)
  const key = [isDark.value, width, height, ratio].join()
  const known = pictures.get(landscape)
  if (known?.key === key) return known.picture
  const picture = document.createElement('canvas')
  picture.width = Math.round(width * ratio)
  picture.height = Math.round(height * ratio)
  const context = picture.getContext('2d')!
  context.scale(ratio, ratio)
  context.drawImage(heights(landscape), 0, 0, width, height)
  contourLines(context, landscape, width, height)
  pictures.set(landscape, { key, picture })
  return picture
}

/** A pixel for each point of the grid, transparent where f is not a number. */
const heights = ({ columns, rows, shares }: Landscape) =>
  gridPicture(columns, rows, (i) => (Number.isNaN(shares[i]) ? null : depth(shares[i])))

function contourLines(c: CanvasRenderingContext2D, { lines, columns, rows }: Landscape, width: number, height: number): void {
  c.lineWidth = 1
  for (const { pieces, share } of lines) {
    c.strokeStyle = isDark.value ? `rgb(255 255 255 / ${0.26 - 0.16 * share})` : `rgb(10 40 60 / ${0.34 - 0.22 * share})`
    c.beginPath()
    for (let i = 0; i < pieces.length; i += 2) {
      const [x, y] = [(pieces[i] / (columns - 1)) * width, height - (pieces[i + 1] / (rows - 1)) * height]
      if (i % 4 === 0) c.moveTo(x, y)
      else c.lineTo(x, y)
    }
    c.stroke()
  }
}

export type To = ReturnType<typeof projection>

/** Position of a racer at a fractional step. */
export function placeAt({ path, steps }: Track, frame: number): [number, number] {
  const at = Math.min(frame, steps)
  const i = Math.min(Math.floor(at), Math.max(steps - 1, 0))
  const t = at - i
  const next = Math.min(i + 1, steps)
  return [path[2 * i] + (path[2 * next] - path[2 * i]) * t, path[2 * i + 1] + (path[2 * next + 1] - path[2 * i + 1]) * t]
}

/** Pixels between the dots of two steps, at least. */
const APART = 5

/** The way so far, above a halo, with a dot for each step that can be told from the one before. */
function drawTrack(c: CanvasRenderingContext2D, track: Track, { colour, dash }: Look, frame: number, to: To, halo = token('ground')): void {
  const whole = Math.floor(Math.min(frame, track.steps))
  const place = (k: number) => [clamp(to.px(track.path[2 * k])), clamp(to.py(track.path[2 * k + 1]))] as const
  c.lineJoin = 'round'
  c.beginPath()
  c.moveTo(...place(0))
  for (let k = 1; k <= whole; k++) c.lineTo(...place(k))
  const [x, y] = placeAt(track, frame)
  c.lineTo(clamp(to.px(x)), clamp(to.py(y)))
  c.strokeStyle = halo
  c.lineWidth = 4.5
  c.stroke()
  c.strokeStyle = colour
  c.lineWidth = 2
  c.setLineDash(dash)
  c.stroke()
  c.setLineDash([])
  c.fillStyle = colour
  let [lastX, lastY] = place(0)
  for (let k = 1; k <= whole; k++) {
    const [x, y] = place(k)
    if (Math.hypot(x - lastX, y - lastY) < APART) continue
    ;[lastX, lastY] = [x, y]
    c.beginPath()
    c.arc(x, y, 2.6, 0, 2 * Math.PI)
    c.fill()
  }
}

/** Canvases draw nothing where numbers are too large. */
const clamp = (v: number) => Math.min(Math.max(v, -1e4), 1e4)

/** Pixels of the longest arrow and of half the side of the largest box, and of what is too small to be drawn. */
const [ARROW, BOX, LEAST] = [64, 34, 3]

/** Where the velocity carries it as an arrow, roots of mean squares as a box: wide where gradients have been large. */
function drawState(c: CanvasRenderingContext2D, track: Track, { colour }: Look, frame: number, to: To, sizes: Sizes): void {
  if (track.end === 'undefined') return
  const step = Math.min(Math.round(frame), track.steps)
  const [x, y] = placeAt(track, frame)
  const [px, py] = [clamp(to.px(x)), clamp(to.py(y))]
  c.strokeStyle = colour
  if (track.scale) {
    const [w, h] = [0, 1].map((axis) => shownSize(track.scale![2 * step + axis], sizes.scale, BOX))
    c.lineWidth = 1.5
    if (Math.max(w, h) >= LEAST) {
      c.fillStyle = `${colour}22`
      c.fillRect(px - w, py - h, 2 * w, 2 * h)
      c.strokeRect(px - w, py - h, 2 * w, 2 * h)
    }
    c.lineWidth = 1
    c.globalAlpha = 0.5
    c.setLineDash([2, 4])
    c.strokeRect(px - BOX, py - BOX, 2 * BOX, 2 * BOX)
    c.setLineDash([])
    c.globalAlpha = 1
  }
  if (track.velocity) {
    const [vx, vy] = [-track.velocity[2 * step], -track.velocity[2 * step + 1]]
    const size = Math.hypot(vx, vy)
    const length = shownSize(size, sizes.velocity, ARROW)
    if (length >= LEAST) arrow(c, px, py, vx / size, -vy / size, length)
  }
}

export function arrow(c: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number, length: number): void {
  const [ex, ey] = [x + dx * length, y + dy * length]
  const tip = Math.min(8, length)
  c.lineWidth = 3
  c.beginPath()
  c.moveTo(x, y)
  c.lineTo(ex, ey)
  c.moveTo(ex - tip * (dx + 0.6 * dy), ey - tip * (dy - 0.6 * dx))
  c.lineTo(ex, ey)
  c.lineTo(ex - tip * (dx - 0.6 * dy), ey - tip * (dy + 0.6 * dx))
  c.stroke()
}

function drawHead(c: CanvasRenderingContext2D, track: Track, { colour }: Look, frame: number, to: To): void {
  const [x, y] = placeAt(track, frame)
  c.beginPath()
  c.arc(clamp(to.px(x)), clamp(to.py(y)), 6, 0, 2 * Math.PI)
  c.fillStyle = colour
  c.fill()
  c.lineWidth = 2
  c.strokeStyle = token('ground')
  c.stroke()
}

/** Eigenvectors of the Hessian: solid upwards (a valley's walls), dashed downwards. */
function drawVerdict(c: CanvasRenderingContext2D, at: readonly [number, number], { eigenvalues, eigenvectors }: Verdict, to: To): void {
  const [px, py] = [to.px(at[0]), to.py(at[1])]
  const largest = Math.max(Math.abs(eigenvalues[0]), Math.abs(eigenvalues[1])) || 1
  c.strokeStyle = token('ink')
  c.lineWidth = 1.5
  eigenvectors.forEach(([x, y], k) => {
    const size = 12 + 30 * Math.sqrt(Math.abs(eigenvalues[k]) / largest)
    c.setLineDash(eigenvalues[k] < 0 ? [3, 3] : [])
    c.beginPath()
    c.moveTo(px - x * size, py + y * size)
    c.lineTo(px + x * size, py - y * size)
    c.stroke()
  })
  c.setLineDash([])
}
