/** The function as a surface that one can turn: quads from the far ones to the near ones. */
import type { Painting } from '../ui/canvas'
import { drawLabels, type Label } from '../ui/labels'
import { css, depth, isDark, token } from '../ui/palette'
import { placeAt, type Scene } from './map'

export interface View {
  /** Angles in radians: around, and down from the horizon. */
  turn: number
  tilt: number
}

const CELLS = 44

export function paintSurface({ context: c, width, height }: Painting, scene: Scene, { turn, tilt }: View): void {
  const { landscape, tracks, looks, frame } = scene
  if (!landscape) return
  const { columns, rows, shares, range } = landscape
  const [[left, right], [bottom, top]] = range
  /** Sides of the ground: the longer one is 1. */
  const [wide, deep] = [right - left, top - bottom].map((side) => side / Math.max(right - left, top - bottom))
  const size = Math.min(width * 0.62, height * 0.7)
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)]
  const [down, up] = [Math.sin(tilt), Math.cos(tilt)]
  /** Projects x and y from 0 to 1 and a height from 0 to 1. */
  const project = (u: number, v: number, h: number): [number, number, number] => {
    const [x, y] = [(u - 0.5) * wide, (v - 0.5) * deep]
    const [rx, ry] = [x * cos - y * sin, x * sin + y * cos]
    return [width / 2 + rx * size, height * 0.56 - ry * size * down - (h - 0.35) * size * 0.62 * up, ry]
  }
  const shareAt = (u: number, v: number) => {
    const column = Math.min(Math.max(Math.round(u * (columns - 1)), 0), columns - 1)
    const row = Math.min(Math.max(Math.round(v * (rows - 1)), 0), rows - 1)
    const share = shares[row * columns + column]
    return Number.isNaN(share) ? 1 : share
  }
  const quads: { far: number; share: number; corners: [number, number, number][] }[] = []
  for (let i = 0; i < CELLS; i++) {
    for (let k = 0; k < CELLS; k++) {
      const [u, v, u1, v1] = [i / CELLS, k / CELLS, (i + 1) / CELLS, (k + 1) / CELLS]
      const corners = [
        project(u, v, shareAt(u, v)),
        project(u1, v, shareAt(u1, v)),
        project(u1, v1, shareAt(u1, v1)),
        project(u, v1, shareAt(u, v1)),
      ]
      const share = (shareAt(u, v) + shareAt(u1, v1) + shareAt(u1, v) + shareAt(u, v1)) / 4
      quads.push({ far: corners[0][2] + corners[2][2], share, corners })
    }
  }
  quads.sort((a, b) => b.far - a.far)
  c.lineWidth = 0.6
  c.strokeStyle = isDark.value ? 'rgb(255 255 255 / 0.10)' : 'rgb(10 40 60 / 0.14)'
  for (const { corners, share } of quads) {
    c.beginPath()
    corners.forEach(([x, y], n) => (n === 0 ? c.moveTo(x, y) : c.lineTo(x, y)))
    c.closePath()
    c.fillStyle = css(depth(share))
    c.fill()
    c.stroke()
  }
  const on = (x: number, y: number) => {
    const [u, v] = [(x - left) / (right - left), (y - bottom) / (top - bottom)]
    if (u < 0 || u > 1 || v < 0 || v > 1) return null
    const [px, py] = project(u, v, shareAt(u, v) + 0.012)
    return [px, py] as const
  }
  const names: Label[] = []
  tracks.forEach((track, i) => {
    const look = looks[i]
    if (!track || !look) return
    c.strokeStyle = look.colour
    c.lineWidth = 2.4
    c.beginPath()
    let isDown = false
    for (let step = 0; step <= Math.min(frame, track.steps); step++) {
      const point = on(track.path[2 * step], track.path[2 * step + 1])
      if (!point) isDown = false
      else if (isDown) c.lineTo(point[0], point[1])
      else {
        c.moveTo(point[0], point[1])
        isDown = true
      }
    }
    c.stroke()
    const head = on(...placeAt(track, frame))
    if (!head) return
    c.beginPath()
    c.arc(head[0], head[1], 6, 0, 2 * Math.PI)
    c.fillStyle = look.colour
    c.fill()
    c.lineWidth = 2
    c.strokeStyle = token('ground')
    c.stroke()
    names.push({ text: look.name, colour: look.colour, x: head[0], y: head[1] })
  })
  if (frame > 0) drawLabels(c, names, width, height)
}
