/** Weights on their way to PyTorch and Keras and back, by the names and in the layouts that they have there. */
import { plainError, rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import type { BufferTensor } from '../nn/buffer.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { Embedding } from '../nn/embedding.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import { leavesOf, withoutExport } from './leaves.js'

/** Numbers with their shape, as `encodeSafetensors` takes them and `decodeSafetensors` gives them. */
export interface ForeignTensor {
  readonly shape: Shape
  readonly data: Float32Array | Float64Array
}

/** What {@link toPyTorch} and {@link toKeras} give. */
export interface ForeignModel {
  /** The weights by their names there, for `encodeSafetensors`. */
  tensors: Record<string, ForeignTensor>
  /** The same model, in Python. */
  code: string
}

/** One tensor of a layer: where it is here, how it is called there. */
interface Slot {
  readonly name: string
  readonly tensor: Parameter | BufferTensor
  /** Whether rows there are columns here. */
  readonly isTurned: boolean
}

type Framework = 'PyTorch' | 'Keras'

/** Names of the tensors of each layer; PyTorch's are those of its state, Keras' stand in the order of `get_weights`. */
function slotsOf(layer: Module, framework: Framework): Slot[] {
  const isTorch = framework === 'PyTorch'
  const slot = (torch: string, keras: string, tensor: Parameter | BufferTensor | null, isTurned = false): Slot[] =>
    tensor === null ? [] : [{ name: isTorch ? torch : keras, tensor, isTurned: isTurned && isTorch }]
  switch (layer.constructor) {
    case Dense: {
      const { weight, bias } = layer as Dense
      return [...slot('weight', 'kernel', weight, true), ...slot('bias', 'bias', bias)]
    }
    case Embedding:
      return slot('weight', 'embeddings', (layer as Embedding).weight)
    case LayerNorm: {
      const { weight, bias } = layer as LayerNorm
      return [...slot('weight', 'gamma', weight), ...slot('bias', 'beta', bias)]
    }
    case BatchNorm: {
      const { weight, bias, runningMean, runningVariance } = layer as BatchNorm
      return [
        ...slot('weight', 'gamma', weight),
        ...slot('bias', 'beta', bias),
        ...slot('running_mean', 'moving_mean', runningMean),
        ...slot('running_var', 'moving_variance', runningVariance),
      ]
    }
    case Activation:
    case Dropout:
    case Flatten:
      return []
    default:
      throw withoutExport(`to${framework}`, layer)
  }
}

const TORCH_ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: 'nn.Identity()',
  relu: 'nn.ReLU()',
  leakyRelu: 'nn.LeakyReLU(0.01)',
  sigmoid: 'nn.Sigmoid()',
  tanh: 'nn.Tanh()',
  gelu: 'nn.GELU()',
  silu: 'nn.SiLU()',
  softplus: 'nn.Softplus()',
  elu: 'nn.ELU()',
}

const KERAS_ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: "'relu'",
  leakyRelu: 'lambda x: ops.leaky_relu(x, negative_slope=0.01)',
  sigmoid: "'sigmoid'",
  tanh: "'tanh'",
  gelu: 'lambda x: ops.gelu(x, approximate=False)',
  silu: "'silu'",
  softplus: "'softplus'",
  elu: "'elu'",
}

/** The modules of `nn.Sequential` that stand for a layer: an activation is one of its own there. */
function torchModules(layer: Module): string[] {
  switch (layer.constructor) {
    case Dense: {
      const { inputs, outputs, bias, activation } = layer as Dense
      const linear = `nn.Linear(${inputs}, ${outputs}${bias === null ? ', bias=False' : ''})`
      return activation === 'linear' ? [linear] : [linear, TORCH_ACTIVATIONS[activation]]
    }
    case Embedding: {
      const { count, width } = layer as Embedding
      return [`nn.Embedding(${count}, ${width})`]
    }
    case LayerNorm: {
      const { width, epsilon } = layer as LayerNorm
      return [`nn.LayerNorm(${width}, eps=${epsilon})`]
    }
    case BatchNorm: {
      const { width, epsilon, momentum } = layer as BatchNorm
      return [`nn.BatchNorm1d(${width}, eps=${epsilon}, momentum=${momentum})`]
    }
    case Activation:
      return [TORCH_ACTIVATIONS[(layer as Activation).activation]]
    case Dropout:
      return [`nn.Dropout(${(layer as Dropout).rate})`]
    case Flatten:
      return ['nn.Flatten()']
    default:
      throw withoutExport('toPyTorch', layer)
  }
}

function kerasLayers(layer: Module): string[] {
  switch (layer.constructor) {
    case Dense: {
      const { outputs, bias, activation } = layer as Dense
      const options = [activation === 'linear' ? '' : `activation=${KERAS_ACTIVATIONS[activation]}`, bias === null ? 'use_bias=False' : '']
      return [`layers.Dense(${[outputs, ...options.filter(Boolean)].join(', ')})`]
    }
    case Embedding: {
      const { count, width } = layer as Embedding
      return [`layers.Embedding(${count}, ${width})`]
    }
    case LayerNorm:
      return [`layers.LayerNormalization(epsilon=${(layer as LayerNorm).epsilon})`]
    case BatchNorm: {
      const { epsilon, momentum } = layer as BatchNorm
      return [`layers.BatchNormalization(epsilon=${epsilon}, momentum=${+(1 - momentum).toPrecision(12)})`]
    }
    case Activation: {
      const { activation } = layer as Activation
      return activation === 'linear' ? [] : [`layers.Activation(${KERAS_ACTIVATIONS[activation]})`]
    }
    case Dropout:
      return [`layers.Dropout(${(layer as Dropout).rate})`]
    case Flatten:
      return ['layers.Flatten()']
    default:
      throw withoutExport('toKeras', layer)
  }
}

/**
 * The weights of a model as PyTorch's `nn.Sequential` has them, by the names of its `state_dict` and in its layouts ([out, in] of `nn.Linear`), and
 * the Python that makes that model. An activation of a `Dense` is a module of its own there, and counts in the names.
 *
 * @example
 * const { tensors, code } = toPyTorch(new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)]))
 * code // 'nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))'
 * tensors['2.weight'].shape // [3, 16]
 * const file = encodeSafetensors(tensors) // in Python: model.load_state_dict(safetensors.torch.load_file(path))
 * @throws TypeError naming the layer that PyTorch does not have so
 */
export function toPyTorch(model: Module): ForeignModel {
  checkModel('toPyTorch', model)
  const tensors: Record<string, ForeignTensor> = {}
  const modules: string[] = []
  for (const layer of leavesOf(model)) {
    for (const slot of slotsOf(layer, 'PyTorch')) tensors[`${modules.length}.${slot.name}`] = written(slot)
    modules.push(...torchModules(layer))
  }
  return { tensors, code: `nn.Sequential(${modules.join(', ')})` }
}

/**
 * The weights of a model as Keras has them, in the order of `get_weights()`, which is that of their names, and the Python that makes the model, which
 * takes its shapes from its first input.
 *
 * @example
 * const { tensors, code } = toKeras(new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)]))
 * code // "keras.Sequential([layers.Dense(16, activation='tanh'), layers.Dense(3)])"
 * Object.keys(tensors) // ['0000.kernel', '0001.bias', '0002.kernel', '0003.bias']
 * const file = encodeSafetensors(tensors) // in Python: model.set_weights([weights[name] for name in sorted(weights)])
 * @throws TypeError naming the layer that Keras does not have so
 */
export function toKeras(model: Module): ForeignModel {
  checkModel('toKeras', model)
  const leaves = leavesOf(model)
  const slots = leaves.flatMap((layer) => slotsOf(layer, 'Keras'))
  const tensors = Object.fromEntries(slots.map((slot, i) => [`${String(i).padStart(4, '0')}.${slot.name}`, written(slot)]))
  return { tensors, code: `keras.Sequential([${leaves.flatMap(kerasLayers).join(', ')}])` }
}

/** What `decodeSafetensors` gives, or arrays with a shape. */
export type ForeignTensors = Readonly<Record<string, { readonly shape: Shape; readonly data: ArrayLike<number | bigint> }>>

/** Options of {@link fromPyTorch}. */
export interface FromPyTorchOptions {
  /**
   * The modules that have weights, in the order in which the model here has its layers, such as `['encoder.fc1', 'encoder.fc2', 'head']`. Default: by
   * the numbers and letters of their names, which is the order of an `nn.Sequential`.
   */
  order?: readonly string[]
}

/**
 * Puts weights of PyTorch into a model with the same layers: those of a `state_dict` that `safetensors.torch.save_file` wrote. Matrices of
 * `nn.Linear` are turned; counts of batches are left out.
 *
 * @example
 * const { tensors } = toPyTorch(model) // or decodeSafetensors(fs.readFileSync('weights.safetensors'))
 * const again = fromPyTorch(new Sequential([new Dense(4, 8), new Dense(8, 3)]), tensors)
 * again.predict(inputs).shape // [n, 3]
 * @returns the model
 * @throws Error, RangeError naming the first tensor that is missing, left over or of another shape; then nothing was changed
 */
export function fromPyTorch<M extends Module>(model: M, tensors: ForeignTensors, options: FromPyTorchOptions = {}): M {
  checkModel('fromPyTorch', model)
  checkNames('fromPyTorch', options, ['order'])
  checkTensors('fromPyTorch', tensors)
  const names = Object.keys(tensors).filter((name) => !name.endsWith('num_batches_tracked'))
  const moduleOf = (name: string) => name.slice(0, Math.max(name.lastIndexOf('.'), 0))
  const modules = options.order ?? [...new Set(names.map(moduleOf))].sort(naturally)
  const layers = leavesOf(model)
    .map((layer) => slotsOf(layer, 'PyTorch'))
    .filter((slots) => slots.length > 0)
  if (layers.length !== modules.length)
    throw plainError(
      `fromPyTorch: the model has ${layers.length} layers with weights, the tensors are of ${modules.length}: ${modules.slice(0, 12).join(', ')}`,
    )
  const pairs = layers.flatMap((slots, i) =>
    slots.map((slot) => [slot, modules[i] === '' ? slot.name : `${modules[i]}.${slot.name}`] as const),
  )
  put('fromPyTorch', pairs, tensors, names)
  return model
}

/**
 * Puts weights of Keras into a model with the same layers: those of `get_weights()`, in that order, or by names that are sorted so.
 *
 * @example
 * const { tensors } = toKeras(model)
 * const again = fromKeras(new Sequential([new Dense(4, 8), new Dense(8, 3)]), tensors)
 * again.predict(inputs).shape // [n, 3]
 * @returns the model
 * @throws Error, RangeError naming the first tensor that is missing, left over or of another shape; then nothing was changed
 */
export function fromKeras<M extends Module>(model: M, tensors: ForeignTensors | readonly ForeignTensors[string][]): M {
  checkModel('fromKeras', model)
  checkTensors('fromKeras', tensors)
  const byName = Array.isArray(tensors) ? Object.fromEntries(tensors.map((tensor, i) => [String(i), tensor])) : (tensors as ForeignTensors)
  const names = Object.keys(byName).sort(naturally)
  const slots = leavesOf(model).flatMap((layer) => slotsOf(layer, 'Keras'))
  put(
    'fromKeras',
    slots.map((slot, i) => [slot, names[i] ?? slot.name] as const),
    byName,
    names,
  )
  return model
}

/** Puts tensors into their slots, when all are there and fit. */
function put(who: string, pairs: readonly (readonly [Slot, string])[], tensors: ForeignTensors, names: readonly string[]): void {
  const left = new Set(names)
  const values = pairs.map(([slot, name]) => {
    if (!left.delete(name)) throw plainError(`${who}: there is no '${shortened(name)}' for '${slot.tensor.name}'`)
    const { shape, data } = tensors[name]
    const wanted = slot.isTurned ? [...slot.tensor.shape].reverse() : slot.tensor.shape
    if (!sameShape(shape, wanted))
      throw rangeError(
        `${who}: '${shortened(name)}' wants shape ${formatShape(wanted)} for '${slot.tensor.name}', got ${formatShape(shape)}`,
      )
    const numbers = Float64Array.from(data as ArrayLike<number>, Number)
    return slot.isTurned ? turned(numbers, wanted) : numbers
  })
  if (left.size > 0) throw plainError(`${who}: the model has no place for '${[...left].map(shortened).slice(0, 12).join("', '")}'`)
  for (const [i, [{ tensor }]] of pairs.entries()) tensor.view().set(values[i])
}

function written({ tensor, isTurned }: Slot): ForeignTensor {
  const data = tensor.data() as Float32Array
  return isTurned ? { shape: [...tensor.shape].reverse(), data: turned(data, tensor.shape) } : { shape: tensor.shape, data }
}

/** The transpose of a matrix of this shape. */
function turned<T extends Float32Array | Float64Array>(values: T, [rows, columns]: Shape): T {
  const out = new (values.constructor as new (length: number) => T)(values.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]
  return out
}

/** '2.weight' before '10.weight'. */
function naturally(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function checkModel(who: string, model: unknown): void {
  if (!(model instanceof Module)) throw typeError(`${who}: wants a model, got ${show(model)}`)
}

function checkTensors(who: string, tensors: unknown): void {
  const isTensor = (value: unknown) => Array.isArray((value as ForeignTensor | null)?.shape) && Object(value).data?.length >= 0
  if (typeof tensors !== 'object' || tensors === null) throw typeError(`${who}: wants tensors by name, got ${show(tensors)}`)
  for (const [name, value] of Object.entries(tensors))
    if (!isTensor(value)) throw typeError(`${who}: '${shortened(name)}' wants { shape, data }, got ${show(value)}`)
}
