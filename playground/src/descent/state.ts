import { flag, list, method, number, oneOf, options, RATE, record, SEED, text, whole } from '../checks'
import type { Options } from '../engine/optimizers'
import { methodOf } from '../methods'
import { tabState } from '../tab-state'
import { LONGEST_FORMULA } from './expression'
import type { Ground } from './formula'
import { SURFACES, surfaceOf } from './functions'
import type { RaceInput } from './track'

export interface DescentRacer {
  method: string
  rate: number
  options: Options
}

/** All that the Descent tab shows comes from this. */
export interface DescentState {
  surface: string
  formula: string
  condition: number
  start: readonly [number, number]
  racers: readonly DescentRacer[]
  noise: number
  seed: number
  steps: number
  /** Number of steps per second of the animation. */
  speed: number
  /** A racer has arrived once the value is at most this far above the lowest. */
  epsilon: number
  view: string
  showState: boolean
  /** Paints where a race from each point ends, by the optimizer `chosen` (a place in `racers`). */
  everyStart: boolean
  chosen: number
  turn: number
  tilt: number
  isPlaying: boolean
}

/** A racer at the rate that suits the surface. */
export function racer(method: string, surface: { gentle?: number } = {}, options: Options = {}): DescentRacer {
  const { rate, isScaled } = methodOf(method)
  return { method, rate: Number(((rate ?? 0) * (isScaled ? (surface.gentle ?? 1) : 1)).toPrecision(2)), options }
}

/** The rates of the first race: those that "Each at its best rate" finds, as playground/test/truth.test.ts checks. */
const BEST = { SGD: 0.032, Momentum: 0.056, RMSProp: 0.13, Adam: 0.32 }

export const descent = tabState<DescentState>(
  'descent',
  {
    surface: 'ravine',
    formula: 'sin(x) * cos(y) + (x^2 + y^2) / 10',
    condition: 50,
    start: [-9, 2],
    racers: Object.entries(BEST).map(([method, rate]) => ({ method, rate, options: {} })),
    noise: 0,
    seed: 1,
    steps: 200,
    speed: 40,
    epsilon: 0.01,
    view: 'map',
    showState: true,
    everyStart: false,
    chosen: 0,
    turn: 0.6,
    tilt: 0.75,
    isPlaying: true,
  },
  {
    surface: oneOf([...SURFACES.map(({ id }) => id), 'own']),
    formula: text(LONGEST_FORMULA),
    condition: number(1, 1e6),
    start: list(number(-1e6, 1e6), 2, 2),
    racers: list(record({ method, rate: RATE, options }), 40),
    noise: number(0, 1e6),
    seed: SEED,
    steps: whole(1, 10_000),
    speed: number(0, 1e4),
    epsilon: number(0, 1e6),
    view: oneOf(['map', 'surface']),
    showState: flag,
    everyStart: flag,
    chosen: whole(0, 39),
    turn: number(-100, 100),
    tilt: number(-100, 100),
    isPlaying: flag,
  },
)

export const groundOf = (state: DescentState): Ground => ({ formula: surfaceOf(state).formula, condition: state.condition })

/** The race that a state describes. */
export function raceOf(state: DescentState): RaceInput {
  const { start, steps, noise, seed } = state
  const racers = state.racers.map(({ method, rate, options }) => {
    const { id, order, velocity, squares } = methodOf(method)
    return { id, order, velocity, squares, rate, options }
  })
  return { ground: groundOf(state), start, racers, steps, noise, seed }
}

/** Another function, with its own start and rates that suit it. */
export function chooseSurface(id: string): void {
  const { formula, racers } = descent.state.value
  const surface = surfaceOf({ surface: id, formula })
  descent.set({ surface: id, start: surface.start, racers: racers.map(({ method, options }) => racer(method, surface, options)) })
}
