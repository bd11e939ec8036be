/** One step of an optimizer, part by part: its formula, and the numbers of both coordinates. */
import { methodOf } from '../methods'
import { short } from '../ui/controls'
import { isOwn } from './rules'
import type { DescentRacer } from './state'
import type { Track } from './track'

/** A part of a step: what it is, its formula with the numbers of the options, and its value for x and y. */
export interface Part {
  name: string
  formula: string
  values: readonly [number, number]
  /** Its letter in the formulas; '' for none. */
  symbol: string
  /** How it is drawn on the map: as an arrow from the racer, roots as a box around it, the step as long as it is. */
  draws: 'arrow' | 'box' | 'step' | 'place'
}

export interface Anatomy {
  /** The step, from 1. */
  step: number
  parts: Part[]
}

type Pair = [number, number]
type Rule = (at: {
  /** The step, from 1. */
  t: number
  rate: number
  option(name: string, usual: number): number
  gradient: Pair
  /** Velocity and mean square after the step. */
  velocity: Pair
  square: Pair
}) => { parts: Part[]; step: Pair; formula: string }

/** Updates of the library's optimizers as formulas, from vite.config.ts. */
declare const UPDATES: Readonly<Record<string, string>>

const both = (of: (axis: 0 | 1) => number): Pair => [of(0), of(1)]
const part = (name: string, formula: string, values: Pair, symbol: string, draws: Part['draws']): Part => ({
  name,
  formula,
  values,
  symbol,
  draws,
})
const rest = (beta: number) => short(Number((1 - beta).toPrecision(6)))
const velocityPart = (beta: number, velocity: Pair) => part('Velocity', `V ← ${short(beta)}·V + ${rest(beta)}·g`, velocity, 'V', 'arrow')
const squarePart = (beta: number, square: Pair) => part('Mean square', `S ← ${short(beta, 4)}·S + ${rest(beta)}·g²`, square, '√S', 'box')
const EPSILON = 1e-8

const RULES: Readonly<Record<string, Rule>> = {
  SGD: ({ rate, gradient }) => ({ parts: [], step: both((k) => -rate * gradient[k]), formula: `−${short(rate)}·g` }),
  Momentum: ({ rate, option, velocity }) => ({
    parts: [velocityPart(option('beta', 0.9), velocity)],
    step: both((k) => -rate * velocity[k]),
    formula: `−${short(rate)}·V`,
  }),
  RMSProp: ({ rate, option, gradient, square }) => ({
    parts: [squarePart(option('beta', 0.99), square)],
    step: both((k) => (-rate * gradient[k]) / (Math.sqrt(square[k]) + option('epsilon', EPSILON))),
    formula: `−${short(rate)}·g / (√S + ${short(option('epsilon', EPSILON))})`,
  }),
  Adam: ({ t, rate, option, velocity, square }) => {
    const [beta1, beta2] = [option('beta1', 0.9), option('beta2', 0.999)]
    const [mean, size] = [both((k) => velocity[k] / (1 - beta1 ** t)), both((k) => square[k] / (1 - beta2 ** t))]
    return {
      parts: [
        velocityPart(beta1, velocity),
        squarePart(beta2, square),
        part('Corrected', `V̂ = V / (1 − ${short(beta1)}^${t})`, mean, 'V̂', 'arrow'),
        part('Corrected', `Ŝ = S / (1 − ${short(beta2, 4)}^${t})`, size, '√Ŝ', 'box'),
      ],
      step: both((k) => (-rate * mean[k]) / (Math.sqrt(size[k]) + option('epsilon', EPSILON))),
      formula: `−${short(rate)}·V̂ / (√Ŝ + ${short(option('epsilon', EPSILON))})`,
    }
  },
  UncorrectedAdam: ({ rate, option, velocity, square }) => ({
    parts: [velocityPart(option('beta1', 0.9), velocity), squarePart(option('beta2', 0.999), square)],
    step: both((k) => (-rate * velocity[k]) / (Math.sqrt(square[k]) + option('epsilon', EPSILON))),
    formula: `−${short(rate)}·V / (√S + ${short(option('epsilon', EPSILON))})`,
  }),
}

/**
 * The step that leads on from a place of a track; at its end the last one. Null where there is none.
 * @param noise standard deviation of the noise of gradients
 */
export function anatomyOf(track: Track, { method, rate, options }: DescentRacer, frame: number, noise = 0): Anatomy | null {
  if (track.steps === 0) return null
  const from = Math.min(Math.floor(frame), track.steps - 1)
  const pair = (list: Float64Array | null, at: number): Pair => (list ? [list[2 * at], list[2 * at + 1]] : [Number.NaN, Number.NaN])
  const [place, next] = [pair(track.path, from), pair(track.path, from + 1)]
  const gradient = pair(track.gradients, from)
  const scale = pair(track.scale, from + 1)
  const rule = isOwn({ method, options }) ? RULES[method] : undefined
  const { parts, step, formula } = rule?.({
    ...{ t: from + 1, rate, gradient, velocity: pair(track.velocity, from + 1), square: both((k) => scale[k] ** 2) },
    option: (name, usual) => Number(options[name] ?? usual),
  }) ?? { parts: [], step: both((k) => next[k] - place[k]), formula: UPDATES[method] ?? methodOf(method).says }
  return {
    step: from + 1,
    parts: [
      part('Gradient', noise > 0 ? 'g = ∇f + noise' : 'g = ∇f', gradient, 'g', 'arrow'),
      ...parts,
      part('Step', formula, step, 'step', 'step'),
      part('New place', 'θ ← θ + step', next, 'θ', 'place'),
    ],
  }
}
