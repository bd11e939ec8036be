/** Base of optimizers for dense nets that compute forward pass and gradients themselves, in double precision. */

import { DoubleWorkspace, doubleHome } from '../../backend/double.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import { rangeError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { allFinite, maxAbs } from '../../common/vector.js'
import { crossEntropy } from '../../loss/classification.js'
import { mse } from '../../loss/regression.js'
import { Module } from '../../nn/module.js'
import { type Allowed, nonNegative } from '../../optim/base/options.js'
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js'
import { ClosureOptimizer, checkOwnLoss, type TrainingBatch } from '../optimizers/closure.js'
import type { StopReason } from '../result.js'
import { DenseNet, type LayerPlan, planOf } from './dense-net.js'
import { type Chunk, checkNetData, chunksOf } from './net-problem.js'
import { type CurvatureLoss, type OutputLoss, outputLoss } from './output-loss.js'

/** Options that all these optimizers share. */
export interface DenseOptimizerOptions {
  /** Step size. Default 0.3 (`KFAC`: 0.1). */
  learningRate?: number
  /** λ, added to the curvature. Default 1e-2. */
  damping?: number
  /** `crossEntropy` of softmax over the outputs with class indices or rows of probabilities; `mse`. Default `crossEntropy`. */
  loss?: CurvatureLoss
  /** No step is taken at |g|∞ ≤ this. Default 1e-10. */
  gradientTolerance?: number
}

/** Result of step(). */
export interface NaturalGradientResult {
  /** Mean loss before the step. */
  loss: number
  /** Largest magnitude of a gradient component before the step. */
  gradientSize: number
  /** True if a step was taken. */
  updated: boolean
  /** True for the reason `gradient`. */
  converged: boolean
  /** `iterations`: the step was taken; `gradient`, `not-finite` or `singular`: it was not. */
  reason: StopReason
  /** The reason in a sentence. */
  message: string
}

/** The step that a method proposes. @internal */
export interface Proposal {
  loss: number
  /** |g|∞ of the mean loss; NaN if it is not finite. */
  gradientSize: number
  /** The step divided by −η; null if the curvature is not positive definite. */
  direction: Float64Array | null
}

/** @internal */
export const DENSE_ALLOWED: Record<string, Allowed> = {
  damping: nonNegative,
  gradientTolerance: nonNegative,
  loss: ['crossEntropy', 'mse'],
}

/** Shared data of a pass over all chunks. @internal */
export interface Stage {
  workspace: DoubleWorkspace
  net: DenseNet
  loss: OutputLoss
  /** Address of the parameters. */
  x: Ptr
  /** Largest number of rows of a chunk. */
  most: number
}

/** A method's share of a pass. @internal */
export interface Pass<T> {
  /** Called for each chunk, after its forward pass and slopes, when the loss is prepared. */
  add(inputs: Ptr, count: number): void
  /** Called at the end of a pass, before the workspace is freed. */
  result(): T
}

/** @internal */
export abstract class DenseOptimizer<O extends DenseOptimizerOptions> extends ClosureOptimizer<O> {
  protected readonly plan: readonly LayerPlan[]
  private readonly model: Module
  /** The last step. It is undone if the next loss is not finite. */
  protected last: { from: Float64Array; to: Float64Array } | null = null

  /** @param model dense layers and activations only @throws TypeError for any other model */
  constructor(model: Module, options: O = {} as O) {
    if (!(model instanceof Module)) throw typeError(`${new.target.name}: wants the model, whose layers it looks into, got ${show(model)}`)
    super(model.parameters(), options)
    const plan = planOf(model)
    if (plan === null)
      throw typeError(`${this.name}: wants a Sequential of Dense and Activation layers (or one Dense layer), each used once`)
    this.plan = plan
    this.model = model
  }

  abstract step(inputs: TensorLike, targets: TensorLike): NaturalGradientResult

  override trainOn(batch: TrainingBatch): number {
    const own = this.options.loss === 'mse' ? mse : crossEntropy
    checkOwnLoss(this.name, batch, own, `its option loss is '${this.options.loss}', so pass loss: ${this.options.loss}`)
    return this.step(batch.inputs, batch.targets).loss
  }

  /** Takes the step from `x`, or says why not. */
  protected conclude(chunks: readonly Chunk[], x: Float64Array, { loss, gradientSize, direction }: Proposal): NaturalGradientResult {
    const { gradientTolerance, learningRate } = this.options as Required<DenseOptimizerOptions>
    const end = (reason: StopReason, message: string, updated = false): NaturalGradientResult => {
      return { loss, gradientSize, updated, converged: reason === 'gradient', reason, message }
    }
    if (!Number.isFinite(loss + gradientSize))
      return end('not-finite', `the loss or gradient is not finite${this.undo(chunks, x) ? ' after the last step, which was undone' : ''}`)
    if (gradientSize <= gradientTolerance) return end('gradient', `the gradient is within ${gradientTolerance}`)
    if (direction === null || !allFinite(direction))
      return end('singular', 'the curvature is not positive definite: more damping is needed')
    this.stepCount++
    this.write(x.map((value, i) => value - learningRate * direction[i]))
    this.last = { from: x, to: this.read() }
    return end('iterations', 'one step was taken', true)
  }

  /** Undoes the last step, if the parameters come from it and the loss of these rows is finite before it. */
  private undo(chunks: readonly Chunk[], x: Float64Array): boolean {
    const { last } = this
    this.last = null
    if (last === null || !x.every((value, i) => Object.is(value, last.to[i]))) return false
    const { sum } = this.pass(chunks, last.from, () => ({ add: () => {}, result: () => null }))
    if (!Number.isFinite(sum)) return false
    this.write(last.from)
    return true
  }

  /** |g|∞, or NaN if it is not finite. */
  protected sizeOf(g: Float64Array): number {
    return allFinite(g) ? maxAbs(g) : Number.NaN
  }

  protected override captured(): Record<string, unknown> {
    return { last: this.last }
  }

  protected override restore({ last }: Record<string, unknown>): void {
    this.last = last as typeof this.last
  }

  /** Cuts the data into chunks. */
  protected chunks(inputs: TensorLike, targets: TensorLike): { chunks: Chunk[]; rows: number } {
    const { plan } = this
    const units = plan[plan.length - 1].outputs
    const x = asTensor(inputs, this.model.backend, this.name)
    const y = asTensor(targets, this.model.backend, this.name)
    const classes = this.options.loss === 'crossEntropy' && (y.dtype === 'int32' || y.rank === 1)
    checkNetData(this.name, plan, x, y, classes ? 1 : units)
    return { chunks: chunksOf(plan, this.perRow, x.read(), classes ? oneHot(this.name, y, units) : y.read()), rows: x.shape[0] }
  }

  /** Numbers that a pass holds for every row of a chunk. */
  protected abstract get perRow(): number

  /** The backend that the arithmetic runs on. */
  protected get home(): Backend {
    return doubleHome(this.model.backend)
  }

  /** Runs the net over all chunks; returns the sum of the losses, and the method's result. */
  protected pass<T>(chunks: readonly Chunk[], x: Float64Array, begin: (stage: Stage) => Pass<T>): { sum: number; result: T } {
    const most = chunks[0].count
    const workspace = new DoubleWorkspace(this.home)
    try {
      const net = new DenseNet(workspace, this.plan, most)
      const loss = outputLoss(this.options.loss as CurvatureLoss, net.outputs, most)
      const inputs = workspace.take(this.plan[0].inputs * most)
      const stage = { workspace, net, loss, x: workspace.put(x), most }
      const method = begin(stage)
      let sum = 0
      for (const chunk of chunks) {
        workspace.view(inputs, chunk.inputs.length).set(chunk.inputs)
        const outputs = net.forward(stage.x, inputs, chunk.count)
        sum += loss.value(workspace.view(outputs, net.outputs * chunk.count), chunk.targets, chunk.count)
        net.slopes(chunk.count)
        method.add(inputs, chunk.count)
      }
      return { sum, result: method.result() }
    } finally {
      workspace.release()
    }
  }
}

function oneHot(owner: string, y: Tensor, classes: number): Float64Array {
  const indices = y.read()
  const rows = new Float64Array(indices.length * classes)
  for (let i = 0; i < indices.length; i++) {
    if (!(Number.isInteger(indices[i]) && indices[i] >= 0 && indices[i] < classes))
      throw rangeError(`${owner}: target ${i} is class ${indices[i]}, there are ${classes}`)
    rows[i * classes + indices[i]] = 1
  }
  return rows
}
