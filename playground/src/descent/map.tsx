/** The function from above: colors, contour lines, and the racers on their way. */
import type { Painting } from '../ui/canvas'
import { colour, dash, depth, isDark, token } from '../ui/palette'
import type { Surface } from './functions'
import type { Verdict } from './inspect'
import type { Landscape } from './landscape'
import type { Track } from './race'

export interface Scene {
  surface: Surface
  landscape: Landscape | null
  tracks: readonly (Track | null)[]
  start: readonly [number, number]
  /** The step that is shown; it may be fractional. */
  frame: number
  showState: boolean
  verdict: { at: readonly [number, number]; verdict: Verdict } | null
}

/** From the function's coordinates to the canvas and back. */
export function projection({ range: [[left, right], [bottom, top]] }: Surface, width: number, height: number) {
  return {
    px: (x: number) => ((x - left) / (right - left)) * width,
    py: (y: number) => height - ((y - bottom) / (top - bottom)) * height,
    x: (px: number) => left + (px / width) * (right - left),
    y: (py: number) => bottom + ((height - py) / height) * (top - bottom),
  }
}

export function paintMap({ context: c, width, height }: Painting, scene: Scene): void {
  const { surface, landscape, tracks, start, frame, showState, verdict } = scene
  const to = projection(surface, width, height)
  if (landscape) {
    c.drawImage(ground(landscape, width, height), 0, 0, width, height)
  }
  tracks.forEach((track, i) => {
    if (track) drawTrack(c, track, i, frame, to)
  })
  if (showState)
    tracks.forEach((track, i) => {
      if (track) drawState(c, track, i, frame, to)
    })
  tracks.forEach((track, i) => {
    if (track) drawHead(c, track, i, frame, to)
  })
  if (verdict) drawVerdict(c, verdict.at, verdict.verdict, to)
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

/** A pixel for each point of the grid. */
function heights({ columns, rows, shares }: Landscape): HTMLCanvasElement {
  const picture = document.createElement('canvas')
  picture.width = columns
  picture.height = rows
  const context = picture.getContext('2d')!
  const image = context.createImageData(columns, rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [r, g, b] = depth(shares[row * columns + column])
      image.data.set([r, g, b, 255], 4 * ((rows - 1 - row) * columns + column))
    }
  }
  context.putImageData(image, 0, 0)
  return picture
}

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

type To = ReturnType<typeof projection>

/** Position of a racer at a fractional step. */
export function placeAt({ path, steps }: Track, frame: number): [number, number] {
  const at = Math.min(frame, steps)
  const i = Math.min(Math.floor(at), Math.max(steps - 1, 0))
  const t = at - i
  const next = Math.min(i + 1, steps)
  return [path[2 * i] + (path[2 * next] - path[2 * i]) * t, path[2 * i + 1] + (path[2 * next + 1] - path[2 * i + 1]) * t]
}

function drawTrack(c: CanvasRenderingContext2D, track: Track, i: number, frame: number, to: To): void {
  const whole = Math.floor(Math.min(frame, track.steps))
  c.strokeStyle = colour(i)
  c.lineWidth = 2
  c.lineJoin = 'round'
  c.setLineDash(dash(i))
  c.beginPath()
  c.moveTo(clamp(to.px(track.path[0])), clamp(to.py(track.path[1])))
  for (let k = 1; k <= whole; k++) c.lineTo(clamp(to.px(track.path[2 * k])), clamp(to.py(track.path[2 * k + 1])))
  const [x, y] = placeAt(track, frame)
  c.lineTo(clamp(to.px(x)), clamp(to.py(y)))
  c.stroke()
  c.setLineDash([])
  if (track.steps > 60) return
  c.fillStyle = colour(i)
  for (let k = 1; k <= whole; k++) {
    c.beginPath()
    c.arc(clamp(to.px(track.path[2 * k])), clamp(to.py(track.path[2 * k + 1])), 2.4, 0, 2 * Math.PI)
    c.fill()
  }
}

/** Canvases draw nothing where numbers are too large. */
const clamp = (v: number) => Math.min(Math.max(v, -1e4), 1e4)

/** Where the velocity carries it as an arrow, roots of mean squares as a box: wide where gradients have been large. */
function drawState(c: CanvasRenderingContext2D, track: Track, i: number, frame: number, to: To): void {
  const step = Math.min(Math.round(frame), track.steps)
  const [x, y] = placeAt(track, frame)
  const [px, py] = [clamp(to.px(x)), clamp(to.py(y))]
  c.strokeStyle = colour(i)
  if (track.scale) {
    const [sx, sy] = [track.scale[2 * step], track.scale[2 * step + 1]]
    const largest = Math.max(sx, sy)
    if (largest > 0) {
      const [w, h] = [6 + (sx / largest) * 26, 6 + (sy / largest) * 26]
      c.lineWidth = 1.5
      c.fillStyle = `${colour(i)}22`
      c.fillRect(px - w, py - h, 2 * w, 2 * h)
      c.strokeRect(px - w, py - h, 2 * w, 2 * h)
    }
  }
  if (track.velocity) {
    const [vx, vy] = [-track.velocity[2 * step], -track.velocity[2 * step + 1]]
    const [dx, dy] = [to.px(x + vx) - to.px(x), to.py(y + vy) - to.py(y)]
    const length = Math.hypot(dx, dy)
    if (length > 1e-9) arrow(c, px, py, dx / length, dy / length, 22 + 30 * (1 - Math.exp(-length / 120)))
  }
}

function arrow(c: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number, length: number): void {
  const [ex, ey] = [x + dx * length, y + dy * length]
  c.lineWidth = 3
  c.beginPath()
  c.moveTo(x, y)
  c.lineTo(ex, ey)
  c.moveTo(ex - 8 * dx - 5 * dy, ey - 8 * dy + 5 * dx)
  c.lineTo(ex, ey)
  c.lineTo(ex - 8 * dx + 5 * dy, ey - 8 * dy - 5 * dx)
  c.stroke()
}

function drawHead(c: CanvasRenderingContext2D, track: Track, i: number, frame: number, to: To): void {
  const [x, y] = placeAt(track, frame)
  c.beginPath()
  c.arc(clamp(to.px(x)), clamp(to.py(y)), 6, 0, 2 * Math.PI)
  c.fillStyle = colour(i)
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
    const [dx, dy] = [to.px(at[0] + x) - px, to.py(at[1] + y) - py]
    const size = (12 + 30 * Math.sqrt(Math.abs(eigenvalues[k]) / largest)) / (Math.hypot(dx, dy) || 1)
    c.setLineDash(eigenvalues[k] < 0 ? [3, 3] : [])
    c.beginPath()
    c.moveTo(px - dx * size, py - dy * size)
    c.lineTo(px + dx * size, py + dy * size)
    c.stroke()
  })
  c.setLineDash([])
}
