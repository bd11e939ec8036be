/** The errors for a loss or a weight that is not finite. */
import { NonFiniteError } from '../common/errors.js'
import type { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'

/** @internal the position of a step in a training, counted from 1 */
export interface Position {
  step: number
  epoch: number
  batch: number
}

/** @internal The last step after which all weights were known to be finite: 0 before the first step, −1 if they never were. */
export interface LastFinite {
  step: number
}

/** The part of a plan that messages about a training need. */
interface DivergedTraining {
  readonly model: Module
  readonly options: { readonly optimizer: HasParameters & { readonly learningRate: number } }
  readonly lastFinite: LastFinite
}

/**
 * @internal The error for the loss of a step that is not finite. It drops all gradients of the model: this step's gradients are useless, and the next
 * training must not add to them.
 */
export function stepFailed(training: DivergedTraining, loss: number, { step, epoch, batch }: Position): NonFiniteError {
  for (const p of training.model.parameters()) p.grad = null
  const broken = firstBroken(training.options.optimizer)
  const largest = broken === null ? Math.max(0, ...training.model.parameters().map(maxAbs)) : Number.POSITIVE_INFINITY
  const size = largest > RUINED ? `, but as large as ${largest.toPrecision(2)}` : ''
  const frozen = broken === null ? training.model.parameters().find((p) => !hasFiniteValues(p)) : undefined
  const finite = frozen
    ? `${nameOf(training.model, frozen)}, which is not trained`
    : `the weights are finite, those after step ${step - 1}${size}`
  const weights = `; ${broken === null ? finite : describe(training, broken)}`
  return new NonFiniteError(
    `loss is ${loss} at step ${step} (epoch ${epoch}, batch ${batch})${weights}. ${remedy(training, largest > RUINED)}, or look at the data of that batch`,
  )
}

/** @internal Looks at all weights that are trained after a step. @throws NonFiniteError that names the first one that is not finite */
export function checkWeights(training: DivergedTraining, { step, epoch, batch }: Position): void {
  const broken = firstBroken(training.options.optimizer)
  if (broken !== null)
    throw new NonFiniteError(
      `weights are not finite after step ${step} (epoch ${epoch}, batch ${batch}), though its loss was: ${describe(training, broken)}. ${remedy(training, true)}`,
    )
  training.lastFinite.step = step
}

/** @internal @throws NonFiniteError for the loss of a whole data set that is not finite */
export function checkEvaluation(who: string, model: Module, loss: number, rows: string, what = 'loss'): void {
  if (Number.isFinite(loss)) return
  const broken = model.parameters().find((p) => !hasFiniteValues(p))
  const where = broken
    ? nameOf(model, broken)
    : `all parameters are finite; look at the numbers of these rows, and at what the model predicts`
  throw new NonFiniteError(`${who}: ${what} is ${loss} for ${rows}; ${where}`)
}

/** @internal true if all trained weights are finite */
export function areWeightsFinite(optimizer: HasParameters): boolean {
  return firstBroken(optimizer) === null
}

interface HasParameters {
  readonly groups: readonly { readonly parameters: Iterable<Parameter> }[]
}

/** The first trained parameter that is not finite: one kernel call for parameters that lie end to end in memory. */
function firstBroken({ groups }: HasParameters): Parameter | null {
  const trained = groups.flatMap(({ parameters }) => [...parameters]).filter((p) => p.requiresGrad)
  for (let i = 0; i < trained.length; ) {
    const { address, backend } = trained[i]
    let size = 0
    let next = i
    while (trained[next]?.backend === backend && trained[next].address === address + size * backend.heap.elementSize)
      size += trained[next++].size
    if (!Number.isFinite(backend.kernels.maxAbs(address, size))) return trained.slice(i, next).find((p) => !hasFiniteValues(p)) ?? null
    i = next
  }
  return null
}

function hasFiniteValues(p: Parameter): boolean {
  return Number.isFinite(maxAbs(p))
}

function maxAbs(p: Parameter): number {
  return p.backend.kernels.maxAbs(p.address, p.size)
}

/** Weights larger than this are the remains of a diverged training: a lower learning rate does not mend them. */
const RUINED = 1e6

function describe({ model, lastFinite }: DivergedTraining, broken: Parameter): string {
  const { step } = lastFinite
  const before = ['they were not finite before the first step', 'all were finite before the first step'][step + 1]
  return `${nameOf(model, broken)} (${before ?? `all were finite after step ${step}`})`
}

/** `parameter '0.weight' of Dense(4, 16) is NaN at position 3` */
function nameOf(model: Module, broken: Parameter): string {
  const path = broken.name.slice(0, Math.max(broken.name.lastIndexOf('.'), 0))
  const layer = model.modules().find((module) => module.path === path)
  const values = broken.data()
  const at = values.findIndex((value) => !Number.isFinite(value))
  return `parameter '${broken.name}'${layer ? ` of ${layer.describe()}` : ''} is ${values[at]} at position ${at}`
}

function remedy({ options: { optimizer } }: DivergedTraining, areRuined: boolean): string {
  const anew = areRuined ? 'These weights are ruined: make the model anew or load saved ones; then l' : 'L'
  return `${anew}ower the learning rate (now ${optimizer.learningRate}), clip the gradient (clipNorm)`
}
