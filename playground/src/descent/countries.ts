/** The picture of every start. */
import { rgbOf } from '../ui/hex'
import { colour } from '../ui/palette'
import type { Starts } from './starts'

/** A picture of a part of the plane, with the minima there. */
export interface Countries extends Pick<Starts, 'range' | 'minima'> {
  picture: HTMLCanvasElement
}

/** A color of its own for each minimum: the sooner, the lighter; dark where a race never arrives. */
export function countriesOf(starts: Starts): Countries {
  const { columns, rows, reached, arrivals, range, minima } = starts
  const picture = document.createElement('canvas')
  picture.width = columns
  picture.height = rows
  const context = picture.getContext('2d')!
  const image = context.createImageData(columns, rows)
  const latest = Math.log1p(arrivals.reduce((most, arrival, i) => (reached[i] > 0 ? Math.max(most, arrival) : most), 1))
  const hues = minima.map((_, k) => rgbOf(colour(k)))
  for (let i = 0; i < columns * rows; i++) {
    const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns))
    const share = Math.log1p(arrivals[i]) / latest
    image.data.set([...(reached[i] === 0 ? NEVER : shaded(hues[reached[i] - 1], share)), 255], at)
  }
  context.putImageData(image, 0, 0)
  return { picture, range, minima }
}

const NEVER = [18, 20, 26] as const

/** From nearly white, at once, over the color itself to a dark shade of it, at last. */
const shaded = (hue: readonly number[], share: number): number[] =>
  hue.map((v) => (share < 0.5 ? v + (255 - v) * (0.8 - 1.6 * share) : v * (1.45 - 0.9 * share)))
