/** Conversion of weights to PyTorch and Keras and back, with the names and layouts of these frameworks. */
import { plainError, rangeError, typeError } from '../common/errors.js'
import { array, readOptions, type Schema } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { Module } from '../nn/module.js'
import { kerasCode, type NamedTensor, placedLayers, tensorsOf, torchCode } from './framework-layers.js'
import { noModel } from './leaves.js'
import { turned } from './turned.js'

/** Numbers with their shape, as `encodeSafetensors` takes them and `decodeSafetensors` gives them. */
export interface ForeignTensor {
  readonly shape: Shape
  readonly data: Float32Array | Float64Array
}

/** Result of {@link toPyTorch} and {@link toKeras}. */
export interface ForeignModel {
  /** The weights by their names there, for `encodeSafetensors`. */
  tensors: Record<string, ForeignTensor>
  /** The same model, in Python. */
  code: string
}

/**
 * The weights of a model as PyTorch's `nn.Sequential` has them, by the names of its `state_dict` and in its layouts ([out, in] of `nn.Linear`), and
 * the Python that makes that model. The activation of a `Dense` is a module of its own there, and has a number of its own in the names. A net with
 * convolutions takes images [rows, channels, height, width] there; the weights behind a `Flatten` are in the order that they have then.
 *
 * @example
 * const { tensors, code } = toPyTorch(new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)]))
 * code // 'nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))'
 * tensors['2.weight'].shape // [3, 16]
 * const file = encodeSafetensors(tensors) // in Python: model.load_state_dict(safetensors.torch.load_file(path))
 * @throws TypeError naming a layer that has no equivalent in PyTorch
 */
export function toPyTorch(model: Module): ForeignModel {
  checkModel('toPyTorch', model)
  const tensors: Record<string, ForeignTensor> = {}
  const modules: string[] = []
  for (const placed of placedLayers(model)) {
    const code = torchCode(placed)
    for (const own of tensorsOf(placed, 'PyTorch')) tensors[`${modules.length}.${own.name}`] = toForeign(own)
    modules.push(...code)
  }
  return { tensors, code: `nn.Sequential(${modules.join(', ')})` }
}

/**
 * The weights of a model in Keras' layout, in the order of `get_weights()`, which is the order of their names, and the Python code that builds the
 * model, which takes its shapes from its first input.
 *
 * @example
 * const { tensors, code } = toKeras(new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)]))
 * code // "keras.Sequential([layers.Dense(16, activation='tanh'), layers.Dense(3)])"
 * Object.keys(tensors) // ['0000.kernel', '0001.bias', '0002.kernel', '0003.bias']
 * const file = encodeSafetensors(tensors) // in Python: model.set_weights([weights[name] for name in sorted(weights)])
 * @throws TypeError naming a layer that has no equivalent in Keras
 */
export function toKeras(model: Module): ForeignModel {
  checkModel('toKeras', model)
  const leaves = placedLayers(model)
  const named = leaves.flatMap((placed) => tensorsOf(placed, 'Keras'))
  const tensors = Object.fromEntries(named.map((own, i) => [`${String(i).padStart(4, '0')}.${own.name}`, toForeign(own)]))
  return { tensors, code: `keras.Sequential([${leaves.flatMap(kerasCode).join(', ')}])` }
}

/** The result of `decodeSafetensors`, or arrays with a shape. */
export type ForeignTensors = Readonly<Record<string, { readonly shape: Shape; readonly data: ArrayLike<number | bigint> }>>

/** Options of {@link fromPyTorch}. */
export interface FromPyTorchOptions {
  /**
   * The names of modules with weights, in the order of the layers of the model here, such as `['encoder.fc1', 'encoder.fc2', 'head']`. Default:
   * sorted by the numbers and letters of their names, which is the order of an `nn.Sequential`.
   */
  order?: readonly string[]
}

export const FROM_PYTORCH = { order: { is: array } } satisfies Schema<FromPyTorchOptions>

/**
 * Loads PyTorch weights into a model with the same layers, from a `state_dict` that `safetensors.torch.save_file` wrote. Matrices of `nn.Linear` are
 * transposed; counts of batches are ignored.
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
  const { order } = readOptions('fromPyTorch', options, FROM_PYTORCH)
  checkTensors('fromPyTorch', tensors)
  const names = Object.keys(tensors).filter((name) => !name.endsWith('num_batches_tracked'))
  const moduleOf = (name: string) => name.slice(0, Math.max(name.lastIndexOf('.'), 0))
  const modules = order ?? [...new Set(names.map(moduleOf))].sort(byNaturalOrder)
  const layers = placedLayers(model)
    .map((placed) => tensorsOf(placed, 'PyTorch'))
    .filter((named) => named.length > 0)
  if (layers.length !== modules.length)
    throw plainError(
      `fromPyTorch: the model has ${layers.length} layers with weights, the tensors are of ${modules.length}: ${modules.slice(0, 12).join(', ')}`,
    )
  const pairs = layers.flatMap((named, i) => named.map((own) => [own, modules[i] === '' ? own.name : `${modules[i]}.${own.name}`] as const))
  assignAll('fromPyTorch', pairs, tensors, names)
  return model
}

/**
 * Loads Keras weights into a model with the same layers, from `get_weights()` in its order, or by names in that order.
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
  const names = Object.keys(byName).sort(byNaturalOrder)
  const named = placedLayers(model).flatMap((placed) => tensorsOf(placed, 'Keras'))
  const pairs = named.map((own, i) => [own, names[i] ?? own.name] as const)
  assignAll('fromKeras', pairs, byName, names)
  return model
}

/** Assigns tensors to the tensors of the model, after checking that all are there and fit. */
function assignAll(
  who: string,
  pairs: readonly (readonly [NamedTensor, string])[],
  tensors: ForeignTensors,
  names: readonly string[],
): void {
  const left = new Set(names)
  const values = pairs.map(([own, name]) => {
    if (!left.delete(name)) throw plainError(`${who}: there is no '${shortened(name)}' for '${own.tensor.name}'`)
    const { shape, data } = tensors[name]
    const wanted = own.shape
    if (!sameShape(shape, wanted))
      throw rangeError(
        `${who}: '${shortened(name)}' wants shape ${formatShape(wanted)} for '${own.tensor.name}', got ${formatShape(shape)}`,
      )
    const numbers = Float64Array.from(data as ArrayLike<number>, Number)
    return fromForeign(own, numbers)
  })
  if (left.size > 0) throw plainError(`${who}: the model has no place for '${[...left].map(shortened).slice(0, 12).join("', '")}'`)
  for (const [i, [{ tensor }]] of pairs.entries()) tensor.view().set(values[i])
}

function toForeign({ tensor, view, axes, shape }: NamedTensor): ForeignTensor {
  const data = tensor.data() as Float32Array | Float64Array
  if (axes.every((axis, i) => axis === i)) return { shape, data }
  const numbers = turned(data, view, axes)
  return { shape, data: data instanceof Float32Array ? Float32Array.from(numbers) : numbers }
}

/** The numbers of a tensor of a framework in the layout here. */
function fromForeign({ view, axes }: NamedTensor, numbers: Float64Array): Float64Array {
  const back = axes.map((_, axis) => axes.indexOf(axis))
  const shape = axes.map((axis) => view[axis])
  return turned(numbers, shape, back)
}

/** '2.weight' before '10.weight'. */
function byNaturalOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function checkModel(who: string, model: unknown): void {
  if (!(model instanceof Module)) throw noModel(who, model)
}

function checkTensors(who: string, tensors: unknown): void {
  const isTensor = (value: unknown) => Array.isArray((value as ForeignTensor | null)?.shape) && Object(value).data?.length >= 0
  if (typeof tensors !== 'object' || tensors === null) throw typeError(`${who}: wants tensors by name, got ${show(tensors)}`)
  for (const [name, value] of Object.entries(tensors))
    if (!isTensor(value)) throw typeError(`${who}: '${shortened(name)}' wants { shape, data }, got ${show(value)}`)
}
