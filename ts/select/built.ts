/** Nets that a function builds, one for each setting, trained by one call of fitMany. */
import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { Loss } from '../loss/loss.js'
import { Module } from '../nn/module.js'
import type { ShowsAverages } from '../optim/base/averaging.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Callback } from '../train/callbacks.js'
import type { Rows } from '../train/data.js'
import { evaluateRows } from '../train/evaluate.js'
import { fitMany } from '../train/fleet/fit-many.js'
import type { NetHistory } from '../train/fleet/many-trainings.js'
import type { FitManyOptions } from '../train/fleet/options.js'
import type { Metric } from '../train/metrics.js'
import type { FitOptions } from '../train/options.js'
import type { WholeStepOptimizer } from '../train/whole-step-optimizer.js'

/** A new model with its optimizer and training options. */
export interface BuiltModel<N extends Module = Module> {
  model: N
  /** An optimizer over the parameters of this model. */
  optimizer: OptimizerLike | WholeStepOptimizer
  /** Learning rate by step, for this model alone. */
  schedule?: NonNullable<FitOptions['schedule']>
  /** Callbacks of this model alone, such as its own EarlyStopping. */
  callbacks?: readonly Callback[]
}

/** @internal options of `fitMany` that a built model has itself */
export type OfBuilt = 'optimizers' | 'schedule' | 'callbacks'

/** @internal the results of `build` for all settings; @throws TypeError, RangeError naming the setting */
export function buildAll<S, N extends Module>(
  who: string,
  build: (setting: S) => BuiltModel<N>,
  settings: readonly S[],
  nameOf: (setting: S) => string,
): BuiltModel<N>[] {
  if (typeof build !== 'function') throw typeError(`${who}: build wants a function that makes { model, optimizer }, got ${show(build)}`)
  const owners = new Map<unknown, S>()
  return settings.map((setting) => {
    const built = build(setting)
    if (!(built?.model instanceof Module) || typeof built.optimizer !== 'object')
      throw typeError(`${who}: build wants to return { model, optimizer }, got ${show(built)} for ${nameOf(setting)}`)
    for (const part of ['model', 'optimizer'] as const) {
      const first = owners.get(built[part])
      if (first !== undefined)
        throw rangeError(
          `${who}: build wants to make a new ${part} each time, got that of ${nameOf(first)} again for ${nameOf(setting)}; make it inside the function`,
        )
      owners.set(built[part], setting)
    }
    return built
  })
}

/** @internal trains the built models */
export function trainBuilt(built: readonly BuiltModel[], options: Omit<FitManyOptions, OfBuilt>): Promise<NetHistory[]> {
  return fitMany(
    built.map(({ model }) => model),
    {
      ...options,
      optimizers: built.map(({ optimizer }) => optimizer),
      schedule: built.map(({ schedule }) => schedule),
      callbacks: (net) => built[net].callbacks ?? [],
    },
  )
}

/** @internal the options without these names */
export function without<T extends object, K extends string>(options: T, names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(names as readonly string[]).includes(name))) as Omit<T, K>
}

/**
 * @internal loss and metrics of a trained model, with averaged weights if its optimizer averages; null if the loss of a diverged model is not finite
 */
export function evaluateBuilt(
  who: string,
  { model, optimizer }: BuiltModel,
  rows: Rows,
  options: { loss: Loss; metrics?: [string, Metric][] },
): Record<string, number> | null {
  const restore = (optimizer as ShowsAverages).showAverages?.()
  try {
    return evaluateRows(who, model, rows, options)
  } catch (error) {
    if (error instanceof NonFiniteError) return null
    throw error
  } finally {
    restore?.()
  }
}
