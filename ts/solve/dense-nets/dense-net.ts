/**
 * Dense nets in double precision outside the tensor engine: forward passes and exact Jacobians of all outputs with
 * respect to all parameters. Arrays are unit-major: all rows of one unit lie side by side.
 */
import type { DoubleWorkspace } from '../../backend/double.js'
import type { Activation, Ptr } from '../../backend/kernels.js'
import { Activation as ActivationLayer } from '../../nn/activation.js'
import { Dense } from '../../nn/dense.js'
import { Dropout } from '../../nn/dropout.js'
import { Flatten } from '../../nn/flatten.js'
import type { Module } from '../../nn/module.js'
import { Sequential } from '../../nn/sequential.js'
import type { Parameter } from '../../parameter.js'
import type { Frozen } from '../least-squares/equations.js'
import { activations } from './activations.js'

/** One dense layer; offsets are into the vector of all parameters. @internal */
export interface LayerPlan {
  inputs: number
  outputs: number
  activation: Activation
  weight: number
  /** Offset of the bias; −1 without a bias. */
  bias: number
  /** The layer that has these parameters. */
  source: Dense
}

/** The layers of a model that consists only of dense layers and activations; null for any other model. @internal */
export function planOf(model: Module): LayerPlan[] | null {
  // a custom forward may do more than the layers
  if (model instanceof Sequential && model.forward !== Sequential.prototype.forward) return null
  const layers = model instanceof Sequential ? model.layers : [model]
  const offsets = new Map<Parameter, number>()
  let at = 0
  for (const p of model.parameters()) {
    offsets.set(p, at)
    at += p.size
  }
  const plan: LayerPlan[] = []
  const seen = new Set<Module>()
  for (const layer of layers) {
    if (seen.has(layer)) return null
    seen.add(layer)
    if (!addLayer(plan, layer, offsets)) return null
  }
  return plan.length === 0 ? null : plan
}

function addLayer(plan: LayerPlan[], layer: Module, offsets: ReadonlyMap<Parameter, number>): boolean {
  if (Object.hasOwn(layer, 'forward')) return false
  if (layer.constructor === Dense) {
    const { inputs, outputs, activation, weight, bias } = layer as Dense
    plan.push({
      inputs,
      outputs,
      activation,
      weight: offsets.get(weight)!,
      bias: bias === null ? -1 : offsets.get(bias)!,
      source: layer as Dense,
    })
    return true
  }
  if (layer.constructor === ActivationLayer) {
    const before = plan[plan.length - 1]
    if (before === undefined || before.activation !== 'linear') return false
    before.activation = (layer as ActivationLayer).activation
    return true
  }
  return layer instanceof Flatten || (layer instanceof Dropout && (!layer.training || layer.rate === 0))
}

/** Sets the rows of frozen parameters to 0, in a matrix that has one row per parameter. @internal */
export function clearFrozen(workspace: DoubleWorkspace, frozen: readonly Frozen[], rows: Ptr, stride: number): void {
  for (const { at, size } of frozen) workspace.view(rows + 8 * at * stride, size * stride).fill(0)
}

/** Addresses of a layer's z and f(z) after a forward pass, and of f′(z) and the gradient with respect to z. */
interface LayerState {
  z: Ptr
  a: Ptr
  slope: Ptr
  delta: Ptr
}

/** A net with a workspace for `rows` rows. All pointers, including arguments, point into the workspace. @internal */
export class DenseNet {
  readonly outputs: number
  readonly states: LayerState[]
  /** A vector of ones, one per row. */
  readonly ones: Ptr
  private readonly last: number
  /** Intermediate products. */
  private readonly spare: Ptr

  constructor(
    private readonly workspace: DoubleWorkspace,
    readonly plan: readonly LayerPlan[],
    readonly rows: number,
  ) {
    this.last = plan.length - 1
    this.outputs = plan[this.last].outputs
    const take = (units: number) => workspace.take(units * rows)
    this.states = plan.map(({ outputs: n }) => ({ z: take(n), a: take(n), slope: take(n), delta: take(n) }))
    this.ones = workspace.put(new Float64Array(rows).fill(1))
    this.spare = take(Math.max(...plan.map((layer) => layer.outputs)))
  }

  /** The outputs, unit-major, for `count` rows of unit-major inputs. They stay until the next pass. */
  forward(x: Ptr, inputs: Ptr, count: number): Ptr {
    const { kernels } = this.workspace
    let a = inputs
    for (const [l, layer] of this.plan.entries()) {
      const { inputs: terms, outputs, weight, bias, activation } = layer
      const state = this.states[l]
      const z = activation === 'linear' ? state.a : state.z
      kernels.doubleAffine(x + 8 * weight, 1, outputs, bias < 0 ? 0 : x + 8 * bias, a, z, outputs, terms, count)
      this.activate(activation, state, outputs * count)
      a = state.a
    }
    return a
  }

  private activate(activation: Activation, { z, a }: LayerState, n: number): void {
    const { workspace } = this
    if (activation === 'tanh' || activation === 'sigmoid') workspace.kernels.doubleSquash(z, a, n, Number(activation === 'sigmoid'))
    else if (activation !== 'linear') activations[activation].values(workspace.view(z, n), workspace.view(a, n))
  }

  /** f′ of all non-linear layers after {@link forward}. */
  slopes(count: number): void {
    const { workspace } = this
    for (const [l, { activation, outputs }] of this.plan.entries()) {
      const { z, a, slope } = this.states[l]
      const n = outputs * count
      if (activation === 'tanh' || activation === 'sigmoid') {
        workspace.kernels.doubleSquashSlope(a, slope, n, Number(activation === 'sigmoid'))
      } else if (activation !== 'linear')
        activations[activation].slopes(workspace.view(z, n), workspace.view(a, n), workspace.view(slope, n))
    }
  }

  /**
   * ∂(output k of row i)/∂p into columns[p·stride + from + i], after {@link forward} and {@link slopes} of the same rows.
   */
  jacobianOf(k: number, x: Ptr, inputs: Ptr, count: number, columns: Ptr, stride: number, from: number): void {
    const { last, workspace } = this
    const top = this.states[last].delta + 8 * k * count
    this.scaled(last, k, this.ones, top, count)
    this.backwardBelow(k, k + 1, x, count)
    clear(this.plan[last], workspace, columns, stride, from, count)
    for (let l = 0; l < last; l++) this.columnsOf(l, 0, this.plan[l].outputs, inputs, count, columns, stride, from)
    this.columnsOf(last, k, k + 1, inputs, count, columns, stride, from)
  }

  /**
   * Gradients with respect to every z of Σₖ topₖ·outputₖ, row by row, into the deltas, after {@link forward} and
   * {@link slopes}. `top` is unit-major.
   */
  backwardFrom(top: Ptr, x: Ptr, count: number): void {
    for (let k = 0; k < this.outputs; k++)
      this.scaled(this.last, k, top + 8 * k * count, this.states[this.last].delta + 8 * k * count, count)
    this.backwardBelow(0, this.outputs, x, count)
  }

  /** Products of activations and deltas of all layers into columns[p·stride + from + i], after {@link backwardFrom}. */
  columns(inputs: Ptr, count: number, columns: Ptr, stride: number, from: number): void {
    for (const [l, layer] of this.plan.entries()) this.columnsOf(l, 0, layer.outputs, inputs, count, columns, stride, from)
  }

  /** out ← f′(z)·by for the rows of unit j */
  private scaled(l: number, j: number, by: Ptr, out: Ptr, count: number): void {
    const slope = this.plan[l].activation === 'linear' ? this.ones : this.states[l].slope + 8 * j * count
    this.workspace.kernels.doubleMultiply(slope, by, out, count)
  }

  /** δᵢ = f′(zᵢ)·Σⱼ Wᵢⱼ·δⱼ, from the units first to end − 1 of the last layer down. */
  private backwardBelow(first: number, end: number, x: Ptr, count: number): void {
    const { kernels } = this.workspace
    for (let l = this.last; l > 0; l--) {
      const { inputs, outputs, weight } = this.plan[l]
      const [from, to] = l === this.last ? [first, end] : [0, outputs]
      const { slope, delta } = this.states[l - 1]
      const linear = this.plan[l - 1].activation === 'linear'
      const above = this.states[l].delta + 8 * from * count
      const sums = linear ? delta : this.spare
      kernels.doubleAffine(x + 8 * (weight + from), outputs, 1, 0, above, sums, inputs, to - from, count)
      if (!linear) kernels.doubleMultiply(slope, sums, delta, inputs * count)
    }
  }

  /** ∂/∂Wᵢⱼ = aᵢ·δⱼ, ∂/∂bⱼ = δⱼ for the units j from first to end − 1 */
  private columnsOf(l: number, first: number, end: number, inputs: Ptr, count: number, columns: Ptr, stride: number, from: number): void {
    const { kernels } = this.workspace
    const { inputs: terms, outputs, weight, bias } = this.plan[l]
    const a = l === 0 ? inputs : this.states[l - 1].a
    const delta = this.states[l].delta + 8 * first * count
    const at = (p: number) => columns + 8 * ((p + first) * stride + from)
    kernels.doubleColumns(a, delta, at(weight), terms, end - first, outputs, count, stride)
    if (bias >= 0) kernels.doubleColumns(this.ones, delta, at(bias), 1, end - first, outputs, count, stride)
  }
}

/** The last layer has parameters of other outputs than k; they have no influence on k. */
function clear(
  { inputs, outputs, weight, bias }: LayerPlan,
  workspace: DoubleWorkspace,
  columns: Ptr,
  stride: number,
  from: number,
  count: number,
): void {
  if (outputs === 1) return
  const zero = (start: number, n: number) => {
    for (let p = start; p < start + n; p++) workspace.view(columns + 8 * (p * stride + from), count).fill(0)
  }
  zero(weight, inputs * outputs)
  if (bias >= 0) zero(bias, outputs)
}

/** Rows from..to of a row-major matrix [n, width] as a unit-major one [width, to − from]. @internal */
export function unitMajor(rows: ArrayLike<number>, width: number, from: number, to: number): Float64Array {
  const count = to - from
  const out = new Float64Array(width * count)
  for (let r = 0; r < count; r++) for (let j = 0; j < width; j++) out[j * count + r] = rows[(from + r) * width + j]
  return out
}
