/** Layers of a net in training: their units, the shape of their weights, and the moves of their weights. */

import type { Module, Parameter, Tensor } from '../index.js'
import type { OptimizerParts } from './optimizer-facts.js'
import type { XrayLayer } from './report.js'

/** Outputs this close to an end of a sigmoid or tanh have less than a twelfth of its largest slope. */
const END = 0.02

/** A layer with parameters, and what an X-ray keeps of it. */
export interface Layer {
  readonly facts: XrayLayer
  readonly module: Module | undefined
  readonly parameters: readonly Parameter[]
  /** Weights before the last step, and the update before it. */
  before: Float64Array
  update: Float64Array | undefined
}

/** Numbers of a layer's units on the probe rows. */
export interface Units {
  dead?: number
  saturated?: number
}

/** Layers with parameters, in the order of the model. */
export function layersOf(model: Module, optimizer: OptimizerParts): Layer[] {
  const driven = new Set(optimizer.groups.flatMap(({ parameters }) => [...parameters]))
  const byPath = new Map<string, Parameter[]>()
  for (const [name, parameter] of model.namedParameters()) {
    const path = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    byPath.set(path, [...(byPath.get(path) ?? []), parameter])
  }
  const modules = new Map(model.modules().map((module) => [module.path, module]))
  return [...byPath].map(([path, parameters]) => {
    const module = modules.get(model.path === '' ? path : path === '' ? model.path : `${model.path}.${path}`)
    const { activation } = (module ?? {}) as { activation?: unknown }
    const size = parameters.reduce((sum, p) => sum + p.size, 0)
    const facts: XrayLayer = {
      name: path === '' ? (module?.constructor.name ?? 'model') : path,
      kind: module?.describe() ?? 'parameters',
      units: parameters[0].shape.at(-1) ?? 1,
      parameters: size,
    }
    if (typeof activation === 'string') facts.activation = activation
    const still = parameters.reduce((sum, p) => sum + (p.requiresGrad && driven.has(p) ? 0 : p.size), 0)
    if (still > size / 2) facts.frozen = true
    return { facts, module, parameters, before: new Float64Array(size), update: undefined }
  })
}

export const trainedSize = ({ parameters }: Layer) => parameters.reduce((sum, p) => sum + (p.requiresGrad ? p.size : 0), 0)

/** The first number of each layer among all trained numbers. */
export function offsets(layers: readonly Layer[]): number[] {
  let at = 0
  return layers.map((layer) => {
    const first = at
    at += trainedSize(layer)
    return first
  })
}

/** Runs fn while the outputs of layers, and of activations behind them, are looked at. */
export function watching<T>(layers: readonly Layer[], units: Units[], fn: () => T): T {
  const index = new Map(layers.map(({ module }, i) => [module, i]))
  let last = -1
  const look = (module: Module, y: Tensor) => {
    const own = index.get(module)
    const { activation } = module as { activation?: unknown }
    if (own !== undefined) last = own
    if (last < 0 || typeof activation !== 'string' || (own === undefined && activation === 'linear')) return
    layers[last].facts.activation = activation
    Object.assign(units[last], unitsOf(activation, y))
  }
  const undo = patchForward(layers, look)
  try {
    return fn()
  } finally {
    undo()
  }
}

/** Lets `look` see what the forward methods of these modules' classes return, until the returned function is called. */
function patchForward(layers: readonly Layer[], look: (module: Module, y: Tensor) => void): () => void {
  const prototypes = new Set<Module>()
  for (const { module } of layers) if (module !== undefined) prototypes.add(Object.getPrototypeOf(module))
  const undo = [...prototypes].map((prototype) => {
    const own = Object.getOwnPropertyDescriptor(prototype, 'forward')
    const { forward } = prototype
    Object.defineProperty(prototype, 'forward', {
      configurable: true,
      writable: true,
      value: function watched(this: Module, x: Tensor) {
        const y = forward.call(this, x)
        look(this, y)
        return y
      },
    })
    return () => {
      if (own) Object.defineProperty(prototype, 'forward', own)
      else delete (prototype as Partial<Module>).forward
    }
  })
  return () => {
    for (const restore of undo) restore()
  }
}

/** Dead units: 0 on all rows. Saturated outputs: at an end of their function. */
function unitsOf(activation: string, y: Tensor): Units {
  const width = y.shape[y.rank - 1] ?? 1
  const values = y.read()
  if (activation === 'relu') {
    const alive = new Uint8Array(width)
    for (let i = 0; i < values.length; i++) if (values[i] !== 0) alive[i % width] = 1
    return { dead: 1 - alive.reduce((sum, a) => sum + a, 0) / width }
  }
  if (activation !== 'sigmoid' && activation !== 'tanh') return {}
  const low = activation === 'tanh' ? 2 * END - 1 : END
  let ends = 0
  for (let i = 0; i < values.length; i++) if (values[i] < low || values[i] > 1 - END * (activation === 'tanh' ? 2 : 1)) ends++
  return { saturated: ends / values.length }
}

/** Of the first matrix of a layer: the share of units, its columns, that equal the first one, and the gain. */
export function shapeOfWeights({ parameters, facts }: Layer): { equal: number; gain: number } {
  const weight = parameters.find(({ rank }) => rank === 2)
  if (weight === undefined || weight.size === 0 || /Embed/.test(facts.kind)) return { equal: 0, gain: 1 }
  const [inputs, outputs] = weight.shape
  const w = weight.read()
  const gain = Math.sqrt(squares(w) / outputs)
  if (outputs < 2) return { equal: 0, gain }
  let equal = 0
  for (let c = 1; c < outputs; c++) {
    let same = true
    for (let i = 0; same && i < inputs; i++) same = Math.abs(w[i * outputs + c] - w[i * outputs]) <= 1e-6 * Math.abs(w[i * outputs])
    if (same) equal++
  }
  return { equal: equal / (outputs - 1), gain }
}

/** Keeps weights from number `at` on, and in `update` the step that they made. Loops of plain indices: a closure for each number takes ten times as long. */
export function keepWeights(w: ArrayLike<number>, before: Float64Array, update: Float64Array | null, at: number): void {
  if (update !== null) for (let i = 0; i < w.length; i++) update[at + i] = w[i] - before[at + i]
  for (let i = 0; i < w.length; i++) before[at + i] = w[i]
}

/** Adds |step|², |w before|², |w|², step · last step and |last step|² to the sums, and keeps weights and step. */
export function addMoves(w: ArrayLike<number>, before: Float64Array, update: Float64Array, at: number, sums: Float64Array): void {
  let [moved, earlier, weight, cross, last] = [0, 0, 0, 0, 0]
  for (let i = 0; i < w.length; i++) {
    const old = before[at + i]
    const step = w[i] - old
    moved += step * step
    earlier += old * old
    weight += w[i] * w[i]
    cross += step * update[at + i]
    last += update[at + i] * update[at + i]
    before[at + i] = w[i]
    update[at + i] = step
  }
  sums[0] += moved
  sums[1] += earlier
  sums[2] += weight
  sums[3] += cross
  sums[4] += last
}

export function squares(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
  return sum
}

export const normOf = (parameters: readonly Parameter[]) => Math.sqrt(parameters.reduce((sum, p) => sum + squares(p.read()), 0))
