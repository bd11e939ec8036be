/** A part of a step, drawn on the map where the racer stands. */
import { token } from '../ui/palette'
import type { Part } from './anatomy'
import { arrow, type To } from './map'
import { shownSize } from './sizes'
import type { Track } from './track'

/** Pixels of the longest arrow and of half the side of the largest box. */
const [ARROW, BOX] = [110, 60]

/** @param from the step at which the racer stands */
export function partPainter(track: Track, from: number, { name, symbol, draws, values }: Part, colour: string) {
  const [x, y] = [track.path[2 * from], track.path[2 * from + 1]]
  // Gradients and their means have one scale, so that one sees which is larger.
  const largest = Math.max(...Array.from({ length: track.steps }, (_, i) => Math.hypot(track.gradients[2 * i], track.gradients[2 * i + 1])))
  return (c: CanvasRenderingContext2D, to: To): void => {
    const [px, py] = [to.px(x), to.py(y)]
    let [ex, ey] = [px, py]
    c.strokeStyle = colour
    if (draws === 'box') {
      const roots = values.map((v) => Math.sqrt(Math.max(v, 0)))
      const [w, h] = roots.map((root) => shownSize(root, largest, BOX))
      c.lineWidth = 2
      c.fillStyle = `${colour}33`
      c.fillRect(px - w, py - h, 2 * w, 2 * h)
      c.strokeRect(px - w, py - h, 2 * w, 2 * h)
      ;[ex, ey] = [px + w, py - h]
    } else {
      const size = Math.hypot(...values)
      // A step is as long as it is on the map; other arrows go by the root of their size.
      const length = draws === 'step' ? Math.hypot(to.px(x + values[0]) - px, to.py(y + values[1]) - py) : shownSize(size, largest, ARROW)
      if (size > 0) {
        ;[ex, ey] = [px + (values[0] / size) * length, py - (values[1] / size) * length]
        if (length >= 2) arrow(c, px, py, values[0] / size, -values[1] / size, length)
      }
    }
    c.font = '700 14px system-ui, sans-serif'
    c.lineJoin = 'round'
    c.lineWidth = 4
    c.strokeStyle = token('ground')
    c.fillStyle = colour
    c.textAlign = 'left'
    const text = symbol === '' ? name : symbol
    c.strokeText(text, ex + 8, ey + 5)
    c.fillText(text, ex + 8, ey + 5)
  }
}
