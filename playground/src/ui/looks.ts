/** Lines of optimizers in pictures: the color is the optimizer's own (hues.ts); lines that share one differ in shade and dashes. */
import { METHODS } from '../methods'
import { rgbOf } from './hex'
import { HUES } from './hues'
import { colour, isDark } from './palette'

/** The line of something in a picture. */
export interface Look {
  colour: string
  dash: number[]
}

const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]]
/** Shares of the ink that are mixed in: a line with some of the ground in it would be hard to see. */
const SHADES = [0, 0.5, 0.25, 0.75]

const hueOf = (id: string) => HUES[id] ?? METHODS.findIndex((method) => method.id === id)

/** The line of each optimizer in a list. */
export function looksOf(ids: readonly string[]): Look[] {
  const hues = ids.map((id) => colour(hueOf(id)))
  return hues.map((hue, i) => {
    const n = hues.slice(0, i).filter((other) => other === hue).length % DASHES.length
    return { colour: mixed(hue, isDark.value ? 255 : 0, SHADES[n]), dash: DASHES[n] }
  })
}

/** Lines of things that are no optimizers, by their place in a list. */
export const slotLooks = (count: number): Look[] => Array.from({ length: count }, (_, i) => ({ colour: colour(i), dash: [] }))

function mixed(hex: string, to: number, share: number): string {
  return `#${rgbOf(hex)
    .map((v) =>
      Math.round(v + (to - v) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}
