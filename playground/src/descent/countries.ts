/** The picture of every start. */
import { gridPicture, type Rgba } from '../ui/grid-picture'
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
  const latest = Math.log1p(arrivals.reduce((most, arrival, i) => (reached[i] > 0 ? Math.max(most, arrival) : most), 1))
  const hues = minima.map((_, k) => rgbOf(colour(k)))
  const shadeOf = (i: number) => shaded(hues[reached[i] - 1], Math.log1p(arrivals[i]) / latest)
  const picture = gridPicture(columns, rows, (i) => (reached[i] === 0 ? NEVER : shadeOf(i)))
  return { picture, range, minima }
}

const NEVER = [18, 20, 26] as const

/** From nearly white, at once, over the color itself to a dark shade of it, at last. */
const shaded = ([r, g, b]: Rgba, share: number): Rgba => {
  const shade = (v: number) => (share < 0.5 ? v + (255 - v) * (0.8 - 1.6 * share) : v * (1.45 - 0.9 * share))
  return [shade(r), shade(g), shade(b)]
}
