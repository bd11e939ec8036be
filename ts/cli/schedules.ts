/** Learning rates over a whole run, by name. */

/** The factor on the learning rate when a share `t` of the run, from 0 to 1, is done. */
type Shape = (t: number) => number

const WARM_UP = 0.1

const SHAPES = {
  constant: () => 1,
  linear: (t) => 1 - t,
  cosine: (t) => (1 + Math.cos(Math.PI * t)) / 2,
  exponential: (t) => 0.01 ** t,
  step: (t) => 0.1 ** Math.floor(3 * t),
  warmup: (t) => (t < WARM_UP ? t / WARM_UP : (1 - t) / (1 - WARM_UP)),
} satisfies Record<string, Shape>

export type ScheduleName = keyof typeof SHAPES
export const SCHEDULE_NAMES = Object.keys(SHAPES) as ScheduleName[]

/** The learning rate of each of `steps` steps, counted from 0; never quite 0. */
export function schedule(name: ScheduleName, learningRate: number, steps: number): (step: number) => number {
  const shape: Shape = SHAPES[name]
  return (step) => learningRate * shape(Math.min(step + 0.5, steps - 0.5) / steps)
}
