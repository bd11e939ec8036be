/** Runs an optimizer along an oracle trajectory. */
import { type Backend, createBackend } from '../../ts/backend/index.js'
import { supportedVariants } from '../../ts/backend/wasm/load.js'
import { Parameter } from '../../ts/parameter.js'
import { furthest, type Numbers, problems, type Trajectory } from './optim-problems.js'

/** The optimizer or wrapper of a trajectory. */
export interface Steppable {
  step(): void
}

export interface Setting {
  parameters: Parameter[]
  learningRate: number
  problem: string
  backend: Backend
  /** Fills the gradients at the present point. */
  gradient(): number
}

export type Make = (setting: Setting) => Steppable

/** Every backend and precision that this runtime has. */
export const backends: { name: string; double: boolean; make: () => Backend }[] = [
  { name: 'js float64', double: true, make: () => createBackend({ backend: 'js', dtype: 'float64' }) },
  { name: 'js float32', double: false, make: () => createBackend({ backend: 'js' }) },
  ...supportedVariants().map((variant) => ({
    name: `wasm ${variant}`,
    double: false,
    make: () => createBackend({ backend: 'wasm', variant }),
  })),
]

export function makeSetting(problem: string, learningRate: number, backend: Backend): Setting & { flat(): number[]; at: { k: number } } {
  const { shapes, start, gradient } = problems[problem]
  const parameters = shapes.map((shape, i) => new Parameter(Float64Array.from(start[i]), { shape, name: `${problem}.${i}`, backend }))
  const at = { k: 1 }
  return {
    parameters,
    learningRate,
    problem,
    backend,
    at,
    gradient: () => gradient(parameters.map((p) => p.view()) as Numbers[], parameters.map((p) => p.gradientView()) as Numbers[], at.k),
    flat: () => parameters.flatMap((p) => [...p.view()]),
  }
}

/** The place where a trajectory leaves its oracle: the element with the largest error. */
export interface Deviation {
  step: number
  /** `weights` or `averaged weights`. */
  of: string
  parameter: string
  element: number
  got: number
  wanted: number
  /** |p − p*|∞ / max(1, |p*|∞) */
  error: number
  allowed: number
}

/** Lower bounds of tolerances, for float64 and float32, from a step on. */
export interface Floors {
  double?: number
  single?: number
  from?: number
}

/** Follows the trajectory for 100 steps; returns the first snapshot whose error exceeds its tolerance, if any. */
export function follow(
  problem: string,
  trajectory: Trajectory,
  backend: Backend,
  make: Make,
  average?: (made: Steppable, setting: Setting) => number[],
  floors: Floors = {},
): Followed {
  return followSetting(makeSetting(problem, trajectory.lr, backend), trajectory, make, average, floors)
}

export interface Followed {
  deviation: Deviation | undefined
  compared: number
}

/** {@link follow} for a problem whose parameters exist already. */
export function followSetting(
  setting: Setting & { flat(): number[]; at?: { k: number } },
  trajectory: Trajectory,
  make: Make,
  average?: (made: Steppable, setting: Setting) => number[],
  floors: Floors = {},
): Followed {
  const optimizer = make(setting)
  const double = setting.backend.dtype === 'float64'
  let compared = 0
  for (let k = 1; k <= 100; k++) {
    if (setting.at !== undefined) setting.at.k = k
    setting.gradient()
    optimizer.step()
    const snapshot = trajectory.steps[k]
    const usual = tolerance(trajectory, k, double)
    if (snapshot === undefined || usual === null) continue
    const floor = k >= (floors.from ?? 1) ? (double ? floors.double : floors.single) : undefined
    const allowed = Math.max(usual, floor ?? 0)
    compared++
    const pairs: [of: string, got: number[], wanted: number[]][] = [['weights', setting.flat(), snapshot.p]]
    if (average !== undefined && trajectory.avg) pairs.push(['averaged weights', average(optimizer, setting), trajectory.avg[k]])
    for (const [of, got, wanted] of pairs) {
      const { error, at } = furthest(got, wanted)
      if (error <= allowed) continue
      const place = placeOf(setting.parameters, at)
      return { deviation: { step: k, of, ...place, got: got[at], wanted: wanted[at], error, allowed }, compared }
    }
  }
  return { deviation: undefined, compared }
}

/** The parameter and element for an index into all parameters. */
function placeOf(parameters: readonly Parameter[], index: number): { parameter: string; element: number } {
  let element = index
  for (const { name, size } of parameters) {
    if (element < size) return { parameter: name, element }
    element -= size
  }
  return { parameter: 'none', element }
}

/** A deviation in one sentence. */
export function describeDeviation({ step, of, parameter, element, got, wanted, error, allowed }: Deviation): string {
  return `step ${step}, ${of} '${parameter}'[${element}]: got ${got}, wanted ${wanted}; error ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`
}

/** Cases by a formula have no float32 data: the general bound holds for their early steps. */
function tolerance({ tol64, tol32 }: Trajectory, k: number, double: boolean): number | null {
  if (double) return tol64[k] ?? null
  if (tol32 === undefined) return k <= 3 ? 2e-6 : null
  return k <= 3 ? Math.max(2e-6, tol32[k] ?? 0) : (tol32[k] ?? null)
}
