/**
 * Dense nets in double precision outside the tensor engine: forward passes and exact Jacobians of all outputs with
 * respect to all parameters, in loops over rows. Arrays are unit-major: all rows of one unit lie side by side.
 */
import type { Activation as ActivationName } from '../backend/kernels.js'
import { Dense } from '../nn/dense.js'
import { Activation, Dropout, Flatten } from '../nn/layers.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import type { Parameter } from '../parameter.js'
import { activations } from './activations.js'

/** One dense layer; offsets are into the vector of all parameters. @internal */
export interface LayerPlan {
  inputs: number
  outputs: number
  activation: ActivationName
  weight: number
  /** −1 where there is none. */
  bias: number
}

/** The layers of a model that is nothing but dense layers and activations, else null. @internal */
export function planOf(model: Module): LayerPlan[] | null {
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
  if (layer.constructor === Dense) {
    const { inputs, outputs, activation, weight, bias } = layer as Dense
    plan.push({ inputs, outputs, activation, weight: offsets.get(weight)!, bias: bias === null ? -1 : offsets.get(bias)! })
    return true
  }
  if (layer.constructor === Activation) {
    const before = plan[plan.length - 1]
    if (before === undefined || before.activation !== 'linear') return false
    before.activation = (layer as Activation).activation
    return true
  }
  return layer instanceof Flatten || (layer instanceof Dropout && (!layer.training || layer.rate === 0))
}

/** What a forward pass leaves of a layer: z, f(z), and room for f′(z) and for the gradient with respect to z. */
interface LayerState {
  z: Float64Array
  a: Float64Array
  slope: Float64Array
  delta: Float64Array
}

/** A net with room for `rows` rows. @internal */
export class DenseNet {
  readonly outputs: number
  readonly states: LayerState[]
  private readonly last: number

  constructor(
    readonly plan: readonly LayerPlan[],
    readonly rows: number,
  ) {
    this.last = plan.length - 1
    this.outputs = plan[this.last].outputs
    const room = (units: number) => new Float64Array(units * rows)
    this.states = plan.map(({ outputs: n }) => ({ z: room(n), a: room(n), slope: room(n), delta: room(n) }))
  }

  /** The outputs, unit-major, for `count` rows of unit-major inputs. They stay until the next pass. */
  forward(x: Float64Array, inputs: Float64Array, count: number): Float64Array {
    let a = inputs
    for (const [l, layer] of this.plan.entries()) {
      const state = this.states[l]
      affine(layer, x, a, state.z, count)
      activations[layer.activation].values(state.z, state.a, 0, layer.outputs * count)
      a = state.a
    }
    return a
  }

  /** f′ of all layers after {@link forward}. */
  slopes(count: number): void {
    for (const [l, { activation, outputs }] of this.plan.entries()) {
      const { z, a, slope } = this.states[l]
      activations[activation].slopes(z, a, slope, 0, outputs * count)
    }
  }

  /**
   * ∂(output k of row i)/∂p into columns[p·stride + from + i], after {@link forward} and {@link slopes} of the same rows.
   */
  jacobianOf(k: number, x: Float64Array, inputs: Float64Array, count: number, columns: Float64Array, stride: number, from: number): void {
    this.backward(k, x, count)
    for (const [l, layer] of this.plan.entries()) {
      const a = l === 0 ? inputs : this.states[l - 1].a
      const first = l === this.last ? k : 0
      const end = l === this.last ? k + 1 : layer.outputs
      if (l === this.last) clear(layer, columns, stride, from, count)
      columnsOf(layer, a, this.states[l].delta, first, end, count, columns, stride, from)
    }
  }

  /**
   * Gradients with respect to every z of Σₖ topₖ·outputₖ, row by row, into the deltas, after {@link forward} and
   * {@link slopes}. `top` is unit-major.
   */
  backwardFrom(top: Float64Array, x: Float64Array, count: number): void {
    const { delta, slope } = this.states[this.last]
    for (let i = 0, n = this.outputs * count; i < n; i++) delta[i] = slope[i] * top[i]
    this.backwardBelow(0, this.outputs, x, count)
  }

  /** Products of activations and deltas of all layers into columns[p·stride + from + i], after {@link backwardFrom}. */
  columns(inputs: Float64Array, count: number, columns: Float64Array, stride: number, from: number): void {
    for (const [l, layer] of this.plan.entries()) {
      columnsOf(layer, l === 0 ? inputs : this.states[l - 1].a, this.states[l].delta, 0, layer.outputs, count, columns, stride, from)
    }
  }

  /** The same for output k alone; of the last layer only the delta of unit k. */
  private backward(k: number, x: Float64Array, count: number): void {
    const { delta, slope } = this.states[this.last]
    delta.set(slope.subarray(k * count, (k + 1) * count), k * count)
    this.backwardBelow(k, k + 1, x, count)
  }

  /** @param first first unit of the last layer with a delta, `end` the one after the last */
  private backwardBelow(first: number, end: number, x: Float64Array, count: number): void {
    for (let l = this.last; l > 0; l--) {
      const layer = this.plan[l]
      const [from, to] = l === this.last ? [first, end] : [0, layer.outputs]
      for (let i = 0; i < layer.inputs; i++) backUnit(layer, x, i, from, to, this.states[l].delta, this.states[l - 1], count)
    }
  }
}

/** z = W·a + b */
function affine({ inputs, outputs, weight, bias }: LayerPlan, x: Float64Array, a: Float64Array, z: Float64Array, count: number): void {
  for (let j = 0; j < outputs; j++) {
    const zj = j * count
    z.fill(bias < 0 ? 0 : x[bias + j], zj, zj + count)
    for (let i = 0; i < inputs; i++) {
      const w = x[weight + i * outputs + j]
      addScaledAt(z, zj, w, a, (i * count) | 0, count)
    }
  }
}

/** out[o + r] += w·a[p + r] */
function addScaledAt(out: Float64Array, o: number, w: number, a: Float64Array, p: number, count: number): void {
  for (let r = 0; r < count; r++) out[o + r] += w * a[p + r]
}

/** δᵢ = f′(zᵢ)·Σⱼ Wᵢⱼ·δⱼ */
function backUnit(
  { outputs, weight }: LayerPlan,
  x: Float64Array,
  i: number,
  first: number,
  end: number,
  delta: Float64Array,
  { delta: out, slope }: LayerState,
  count: number,
): void {
  const at = i * count
  if (end === first + 1) {
    const w = x[weight + i * outputs + first]
    const dj = first * count
    for (let r = 0; r < count; r++) out[at + r] = slope[at + r] * w * delta[dj + r]
    return
  }
  out.fill(0, at, at + count)
  for (let j = first; j < end; j++) {
    const w = x[weight + i * outputs + j]
    addScaledAt(out, at, w, delta, (j * count) | 0, count)
  }
  for (let r = 0; r < count; r++) out[at + r] *= slope[at + r]
}

/** ∂/∂Wᵢⱼ = aᵢ·δⱼ, ∂/∂bⱼ = δⱼ */
function columnsOf(
  { inputs, outputs, weight, bias }: LayerPlan,
  a: Float64Array,
  delta: Float64Array,
  first: number,
  end: number,
  count: number,
  columns: Float64Array,
  stride: number,
  from: number,
): void {
  for (let j = first; j < end; j++) {
    const dj = j * count
    for (let i = 0; i < inputs; i++) {
      products(columns, ((weight + i * outputs + j) * stride + from) | 0, a, (i * count) | 0, delta, dj, count)
    }
    if (bias >= 0) columns.set(delta.subarray(dj, dj + count), (bias + j) * stride + from)
  }
}

/** out[o + r] = a[p + r]·b[q + r] */
function products(out: Float64Array, o: number, a: Float64Array, p: number, b: Float64Array, q: number, count: number): void {
  for (let r = 0; r < count; r++) out[o + r] = a[p + r] * b[q + r]
}

/** The last layer has parameters of other outputs than k; they have no influence on k. */
function clear({ inputs, outputs, weight, bias }: LayerPlan, columns: Float64Array, stride: number, from: number, count: number): void {
  if (outputs === 1) return
  const zero = (start: number, n: number) => {
    for (let p = start; p < start + n; p++) columns.fill(0, p * stride + from, p * stride + from + count)
  }
  zero(weight, inputs * outputs)
  if (bias >= 0) zero(bias, outputs)
}

/** Rows of a row-major matrix [n, width] as unit-major stretch [width, to − from]. @internal */
export function unitMajor(rows: ArrayLike<number>, width: number, from: number, to: number): Float64Array {
  const count = to - from
  const out = new Float64Array(width * count)
  for (let r = 0; r < count; r++) for (let j = 0; j < width; j++) out[j * count + r] = rows[(from + r) * width + j]
  return out
}
