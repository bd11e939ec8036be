/**
 * The only place that reads the options of `fit`, `trainSteps` and similar functions: everything is decided here before the first step, and later code
 * takes plain values from the {@link Plan}.
 */

import { noGrad } from '../autograd.js'
import { plainError, rangeError, ShapeError } from '../common/errors.js'
import { type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import { type Loss, traitsOf } from '../loss/loss.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Parameter } from '../parameter.js'
import { asFloats, Tensor, zeros } from '../tensor.js'
import { checkCallbacks } from './callbacks.js'
import { checkData, checkDataSet, type Rows, rowsBetween, splitRows } from './data.js'
import { areWeightsFinite, type LastFinite } from './diverged.js'
import { ModelFields } from './fast/model-fields.js'
import { type Metric, resolveMetrics } from './metrics.js'
import type { ReadFit, ReadSteps } from './options.js'
import { takesWholeSteps, type WholeStepOptimizer } from './whole-step-optimizer.js'

/** @internal everything that the loop needs, checked */
export interface Plan {
  model: Module
  rows: Rows
  options: ReadSteps
  epochs: number
  batchSize: number
  batchesPerEpoch: number
  /** Earlier steps, if a training is resumed. */
  start: number
  /** Parameters of the model that the optimizer does not update. */
  untrained: readonly Parameter[]
  /** Each group's learning rate relative to the first one's, which a schedule keeps; null if they are equal. */
  rates: readonly number[] | null
  lastFinite: LastFinite
  /**
   * Targets still to be checked: a model with a forward method of the user's own is not called for the check, and its first step shows the
   * shape of its predictions.
   */
  unchecked: { rows: Rows; what: string }[]
}

/** @internal a plan of `fit` */
export interface FitPlan extends Plan, Pick<ReadFit, 'callbacks' | 'signal' | 'onProgress' | 'resume'> {
  /** Validation rows, evaluated after each epoch. */
  validation: Rows | null
  metrics: [string, Metric][]
}

/** @internal @throws RangeError, ShapeError */
export function planSteps(who: string, model: Module, options: ReadSteps, given = checkData(options, model.backend, who)): Plan {
  const { loss, optimizer, epochs, batchSize, dropLast, schedule } = options
  const rows = rowsFor(loss, given)
  const parameters = model.parameters()
  checkOwner(who, parameters, optimizer)
  const size = batchSize === 'full' ? rows.count : Math.min(batchSize, rows.count)
  if (takesWholeSteps(optimizer) && optimizer.wholeBatch && size < rows.count)
    throw rangeError(`${who}: ${optimizer.name} compares losses of steps, so each must see all rows: set batchSize: 'full'`)
  const rates = ratesOf(optimizer)
  if (schedule !== undefined && rates?.some((share) => !Number.isFinite(share)))
    throw rangeError(
      `${who}: schedule sets the rate of the first group, which is 0, and the others keep their proportion to it; put another group first, or freeze its parameters`,
    )
  const batches = rows.count / size
  const plan: Plan = {
    model,
    rows,
    options: schedule === undefined ? options : { ...options, schedule: checkedSchedule(who, schedule) },
    epochs,
    batchSize: size,
    batchesPerEpoch: dropLast ? Math.floor(batches) : Math.ceil(batches),
    start: 0,
    untrained: untrainedBy(parameters, optimizer),
    rates,
    lastFinite: { step: areWeightsFinite(optimizer) ? 0 : -1 },
    unchecked: [],
  }
  const { checksTargets, takesLogits } = traitsOf(loss) ?? {}
  if (checksTargets) checkTargetsEarly(plan, rows, `${who}: targets`)
  if (takesLogits && lastActivation(model as Listed) === 'sigmoid')
    warnOnce(`${who}: ${loss.name} takes logits, but the last layer has a sigmoid: leave it out, and apply it to predictions`)
  return plan
}

/** A model that is a list of layers, or a layer with an activation. */
type Listed = { layers?: readonly Listed[]; activation?: unknown }

function lastActivation({ layers, activation }: Listed): unknown {
  return layers?.length ? lastActivation(layers[layers.length - 1]) : activation
}

function untrainedBy(own: readonly Parameter[], { groups }: OptimizerLike | WholeStepOptimizer): Parameter[] {
  const driven = new Set(groups.flatMap(({ parameters }) => [...parameters]))
  return own.filter((p) => !driven.has(p))
}

function ratesOf({ groups }: OptimizerLike | WholeStepOptimizer): number[] | null {
  const rates = groups.map((group) => (group as { options?: { learningRate?: number } }).options?.learningRate ?? 0)
  // if a schedule has brought all rates down to 0, their earlier proportions count
  const shares = rates.every((rate) => rate === 0) ? (proportions.get(groups) ?? []) : rates.map((rate) => rate / rates[0])
  proportions.set(groups, shares)
  return shares.some((share) => share !== 1) ? shares : null
}

/** Results of {@link ratesOf} for the groups of an optimizer. */
const proportions = new WeakMap<object, number[]>()

/** @internal sets the learning rate of the first group, and of the others in proportion */
export function setLearningRate({ options: { optimizer }, rates }: Plan, rate: number): void {
  optimizer.learningRate = rate
  rates?.forEach((share, i) => {
    if (share !== 1) (optimizer.groups[i] as { options: { learningRate: number } }).options.learningRate = rate * share
  })
}

/** The schedule, with an error that names it if it does not return a rate. */
function checkedSchedule(who: string, schedule: (step: number) => number): (step: number) => number {
  return (step) => {
    const rate = schedule(step)
    if (!(Number.isFinite(rate) && rate >= 0))
      throw rangeError(`${who}: schedule wants a finite number ≥ 0 for each step, got ${show(rate)} for step ${step}`)
    return rate
  }
}

/** @throws Error for an optimizer of another model, which would fail at its first step, or train the other model */
function checkOwner(who: string, parameters: readonly Parameter[], { name, groups }: OptimizerLike | WholeStepOptimizer): void {
  const own = new Set(parameters)
  const driven = groups.flatMap(({ parameters }) => [...parameters])
  if (!driven.some((p) => own.has(p)))
    throw plainError(`${who}: optimizer ${name} has none of this model's parameters; make one with model.parameters()`)
  if (!driven.some((p) => p.requiresGrad)) throw plainError(`${who}: optimizer ${name} has no parameter that requiresGrad`)
}

/** @internal data sets that were checked already, for trainings that share them */
export interface CheckedData {
  rows: Rows
  validation: Rows | undefined
}

/** @internal makes the plan from checked options. @throws RangeError, ShapeError, TypeError */
export function planFit(model: Module, options: ReadFit, known?: CheckedData): FitPlan {
  const { loss, validation, validationFraction, shuffle, seed, callbacks, signal, onProgress, resume } = options
  if (validation !== undefined && validationFraction !== undefined) throw rangeError('fit: give validation or validationFraction, not both')
  const all = known?.rows ?? checkData(options, model.backend, 'fit')
  const [rows, held] =
    validationFraction === undefined
      ? [all, null]
      : splitRows(all, validationFraction, { shuffle, seed, areClasses: areClasses(all, loss) })
  const judged = known?.validation ?? (validation ? checkDataSet(validation, model.backend, 'fit: validation') : held)
  const plan: FitPlan = {
    ...planSteps('fit', model, options, rows),
    validation: judged,
    metrics: resolveMetrics(options.metrics),
    callbacks: checkCallbacks('fit', callbacks),
    signal,
    onProgress,
    resume,
  }
  if (judged !== null) checkShapes(model, rows, judged)
  if (judged !== null && traitsOf(loss)) checkTargetsEarly(plan, judged, 'fit: validation')
  return plan
}

/** @throws ShapeError for validation rows of another shape than those to learn from, which the model does not take */
function checkShapes(model: Module, rows: Rows, judged: Rows): void {
  if (sameShape(rows.inputs.shape.slice(1), judged.inputs.shape.slice(1)) || outputsOfOne(model, rows) === null) return
  try {
    model.predict(rowsBetween(judged, 0, 1).inputs)
  } catch (error) {
    if (error instanceof ShapeError) error.message = `fit: validation: ${error.message}`
    throw error
  }
}

/** Rows with targets of the type that the loss takes: otherwise the loss would convert them in every step, in JavaScript. */
function rowsFor(loss: Loss, rows: Rows): Rows {
  const { targets } = rows
  if (traitsOf(loss)?.takes(targets) !== false) return rows
  return (rows.converted ??= { ...rows, targets: targets.dtype === 'int32' ? asFloats(targets) : asClasses(targets) })
}

/** Targets converted to an integer type. If one of them is not an integer, all stay unchanged, and the loss reports it. */
function asClasses(targets: Tensor): Tensor {
  const values = targets.read()
  return values.every(Number.isInteger) ? Tensor.onHost(targets.backend, targets.shape, Int32Array.from(values)) : targets
}

/** True if targets are classes: integers by their type, or targets of a loss that takes only classes. */
function areClasses({ targets }: Rows, loss: Loss): boolean {
  return targets.dtype === 'int32' || traitsOf(loss)?.checksTargets === true
}

/** Checks targets before the first step. If that would need an extra call of a user's forward method, they are checked at the first step instead. */
function checkTargetsEarly(plan: Plan, rows: Rows, what: string): void {
  const { model, options } = plan
  const { isBuiltIn, patched } = new ModelFields(model)
  if ((isBuiltIn && patched === null) || takesWholeSteps(options.optimizer)) checkTargetsOnce(model, rows, options.loss, what)
  else plan.unchecked.push({ rows, what })
}

/** Checks targets; trainings on the same rows check them once. */
function checkTargetsOnce(model: Module, rows: Rows, loss: Loss, what: string): void {
  const shape = outputsOfOne(model, rows)
  if (shape === null) return
  const known = rows.taken
  if (known?.loss === loss && sameShape(known.shape, shape)) return
  checkTargets(model, rows, loss, what, shape)
  rows.taken = { loss, shape }
}

/**
 * @internal Finds targets that the loss refuses, and names their row: computes the loss of zeros. Skipped if the model takes no single row.
 * @throws RangeError
 */
export function checkTargets(model: Module, rows: Rows, loss: Loss, what: string, shape = outputsOfOne(model, rows)): void {
  if (shape === null) return
  const [each, ...outputs] = shape
  const check = (from: number, to: number) => {
    const { targets, count } = rowsBetween(rows, from, to)
    noGrad(() => loss(zeros([count * each, ...outputs], { backend: model.backend }), targets))
  }
  for (let from = 0; from < rows.count; from += CHECKED_ROWS) {
    const to = Math.min(from + CHECKED_ROWS, rows.count)
    let row = from
    try {
      check(from, to)
    } catch (error) {
      // errors about shapes are clearer from the step itself, which has many rows
      if (!(error instanceof RangeError) || error instanceof ShapeError) throw error
      try {
        for (; row < to; row++) check(row, row + 1)
      } catch (cause) {
        throw rangeError(`${what}, row ${row}: ${(cause as Error).message.replace(' at position 0', '')}`, { cause })
      }
    }
  }
}

function outputsOfOne(model: Module, rows: Rows): Shape | null {
  try {
    return model.predict(rowsBetween(rows, 0, 1).inputs).shape
  } catch {
    return null
  }
}

const CHECKED_ROWS = 1024
