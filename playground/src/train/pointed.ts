/** What is under the pointer in the picture of a net. */
import type { Examples } from './examples'
import { layoutOf } from './layout'
import type { NetView } from './view'

/** A part of the net's picture: a unit of a hidden layer, or a weight between two layers. */
export type Pointed = { kind: 'unit'; layer: number; unit: number } | { kind: 'weight'; layer: number; from: number; to: number }

/** Pixels from a line within which it is pointed at. */
const NEAR = 7

/** What is at a place of the picture of a net; null for nothing. */
export function pointedAt(
  { weights, units }: NetView,
  { features }: Examples,
  width: number,
  height: number,
  px: number,
  py: number,
): Pointed | null {
  if (weights.length === 0 || features > 100) return null
  const sizes = [Math.min(features, 8), ...weights.map(({ units }) => units)]
  const { box, x, y } = layoutOf(sizes, width, height)
  for (const [layer, list] of units.entries())
    for (const unit of list.keys())
      if (Math.abs(px - x(layer + 1)) <= box / 2 && Math.abs(py - y(layer + 1, unit)) <= box / 2) return { kind: 'unit', layer, unit }
  let [best, least] = [null as Pointed | null, NEAR]
  for (let layer = 0; layer < weights.length; layer++) {
    const [left, right] = [x(layer) + box / 2, x(layer + 1) - box / 2]
    if (px < left || px > right) continue
    const share = curveShare((px - left) / (right - left))
    for (let from = 0; from < sizes[layer]; from++)
      for (let to = 0; to < sizes[layer + 1]; to++) {
        const distance = Math.abs(y(layer, from) + (y(layer + 1, to) - y(layer, from)) * share - py)
        if (distance < least) [best, least] = [{ kind: 'weight', layer, from, to }, distance]
      }
  }
  return best
}

/** How much of its height a weight's curve has behind it at a share of its width: a cubic whose handles are at half the width. */
function curveShare(at: number): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2
    const width = 1.5 * t * (1 - t) + t ** 3
    if (width < at) low = t
    else high = t
  }
  return 3 * low ** 2 - 2 * low ** 3
}
