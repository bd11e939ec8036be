/**
 * Encodes models as the bytes of a file and decodes them: layers, weights, and parts saved with them. The format is a tree (ts/io/tree.ts) of `{
 * model, parts }`. In it `{ $model, tensors, generators, frozen }` is a model, `{ $layer: name, at, config, inside }` a layer, `{ $same: at }` a
 * repeated layer, and `{ $object: name, config }` an object of a registered class.
 */
import type { Backend } from '../backend/index.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { anything, checkOptions, type Schema } from '../common/options.js'
import { readerOf, savedCount } from '../common/saved.js'
import type { Shape } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { type Bytes, DECODE, type DecodeOptions, type Storable, type StoredTensor } from '../io/safetensors.js'
import { decodeTree, join, type TreeReader, TreeWriter } from '../io/tree.js'
import { Lambda } from '../nn/lambda.js'
import { Module } from '../nn/module.js'
import { Parameter } from '../parameter.js'
import { Generator } from '../random.js'
import { classNamed, type KnownClass, registeredClass } from './classes.js'
import type { LayerConfig } from './kinds.js'
import { kindNamed, kindOf, makeLayer } from './layers.js'

/** The name of the format in the file. A file with another number is of another version. */
const KEY = 'gradus-model/1'

/** Options of {@link encodeModel} and `saveModel`. */
export interface EncodeModelOptions {
  /**
   * Precision of the written parameters. `float16` and `bfloat16` take half the space and round to 11 and 8 significant bits: enough for prediction,
   * but not for resuming a training with the same bits. Buffers, optimizers and the rest keep their precision. Default: full precision.
   */
  weights?: 'float16' | 'bfloat16'
}

export const ENCODE_MODEL = { weights: { is: ['float16', 'bfloat16'] } } satisfies Schema<EncodeModelOptions>

/** Options of {@link decodeModel}, {@link decodeModelFile}, `loadModel` and `loadModelFile`. */
export interface DecodeModelOptions extends DecodeOptions {
  /** The backend of the model. Default: the backend chosen by load(). */
  backend?: Backend
}

export const DECODE_MODEL = { ...DECODE, backend: { is: anything } } satisfies Schema<DecodeModelOptions>

/** Contents of a model file: the model, and under their names the parts that were saved with it. */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export type ModelFile<M extends object = Module, Parts = Record<string, any>> = { model: M } & Parts

const HALVES = { float16: 'F16', bfloat16: 'BF16' } as const
/** Numbers from this size on round to infinity in a half; for bfloat16 the limit is nearly that of float32. */
const LARGEST = { F16: 65520, BF16: 3.3961775e38 } as const

/** Paths of the modules of a model; for a module in several places the first. */
type Places = ReadonlyMap<Module, string>

/**
 * A model as the bytes of one file, from which {@link decodeModel} makes it again: layers with their sizes and activations, weights, running
 * statistics, frozen parameters, and the counts of random numbers that dropout has drawn. The file is a
 * [safetensors](https://github.com/huggingface/safetensors) file, in which other programs find the weights by name, `0.weight`, with their shapes. It
 * has a checksum of each tensor.
 *
 * @param model a `Sequential` or any layer of this library, a class of yours that {@link registerClass} knows, or an ensemble
 * @param parts values saved beside the model, under names of your own: an optimizer, a schedule, a scaler, the names of classes; as `encodeState`
 * takes them. Default: none
 * @example
 * const bytes = encodeModel(model, { classNames: ['setosa', 'versicolor', 'virginica'] })
 * const file = decodeModelFile(bytes)
 * file.model.predict(inputs).shape // [n, 3]
 * file.classNames[2] // 'virginica'
 * @throws TypeError naming the layer that no file can hold, such as a Lambda, or the part; NonFiniteError naming the tensor for weights that are NaN
 *   or infinite, as after a training that diverged
 */
export function encodeModel(model: object, parts: Readonly<Record<string, unknown>> = {}, options: EncodeModelOptions = {}): Bytes {
  checkOptions('encodeModel', options, ENCODE_MODEL)
  if (Object.hasOwn(parts, 'training')) throw rangeError("encodeModel: no part can be named 'training', which is what a Checkpoint saves")
  return encodeParts(model, parts, options, false)
}

/** @internal {@link encodeModel} for a model that may have layers unknown to files: the file then has the numbers alone */
export function encodeTrainedModel(model: Module, parts: Readonly<Record<string, unknown>>): Bytes {
  return encodeParts(model, parts, {}, true)
}

function encodeParts(model: object, parts: Readonly<Record<string, unknown>>, options: EncodeModelOptions, isLenient: boolean): Bytes {
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts))
    throw typeError(`encodeModel: parts wants an object, { optimizer, classNames }, got ${show(parts)}`)
  if (Object.hasOwn(parts, 'model')) throw rangeError("encodeModel: a part cannot be named 'model', which is the name of the model itself")
  if (!(model instanceof Module) && registeredClass(Object(model))?.how === undefined)
    throw typeError(
      `encodeModel: wants a model, such as a Sequential, got ${show(model)}; ${'save' in Object(model) ? 'its own save(path) writes it' : 'other classes: registerClass first'}`,
    )
  const half = options.weights && HALVES[options.weights]
  const writer = new TreeWriter('encodeModel', (value, path, writer) => written(value, path, writer, { half, isLenient }))
  const skeleton = { model: writer.visit(model, ''), parts: writer.visit({ ...parts }, '') }
  return writer.encode(KEY, skeleton)
}

/** Options of writing a model. */
interface Writing {
  readonly half: string | undefined
  /** Allows layers that files do not know. */
  readonly isLenient: boolean
}

/** A model or an object of a registered class as it is written; undefined for any other value. */
function written(value: object, path: string, writer: TreeWriter, how: Writing): object | undefined {
  if (value instanceof Module) return writtenModel(value, path, writer, how)
  const known = registeredClass(value)
  if (known?.how === undefined) return undefined
  return { $object: known.name, config: writer.visit(known.how.save(value), path) }
}

function writtenModel(model: Module, path: string, writer: TreeWriter, { half, isLenient }: Writing): object {
  model.build()
  if (model.path !== '') throw plainError(`encodeModel: ${model.describe()} is '${model.path}' of another model; save that one`)
  const places: Places = new Map(model.modulePaths(true).map(({ module, path }) => [module, path]))
  const met = new Set<Module>()
  // writes layers, which may be anywhere in the result of a registered class's `save`
  const layers: TreeWriter = new TreeWriter('encodeModel', (value, at): object | undefined => {
    if (value instanceof Module) {
      if (places.has(value)) return writtenLayer(value, layers, places, met)
      throw plainError(`encodeModel: '${shortened(at)}' is ${value.describe()}, which is no part of the model that is made of it`)
    }
    return undefined
  })
  const tensors = model.savedTensors().map(([name, tensor]) => {
    writer.checkWeights(tensor, join(path, name))
    const isHalf = half !== undefined && tensor instanceof Parameter
    const stored: Storable = isHalf ? halved(name, tensor, half as keyof typeof LARGEST) : tensor
    return [name, writer.tensor(stored, join(path, name))]
  })
  const generators = [...model.namedGenerators()].map(([name, { seed, stream, counter }]) => [name, [seed, stream, counter]])
  const frozen = [...model.namedParameters()].filter(([, p]) => !p.requiresGrad).map(([name]) => name)
  return {
    $model: isLenient ? visitKnown(layers, model) : layers.visit(model, ''),
    tensors: Object.fromEntries(tensors),
    generators: Object.fromEntries(generators),
    frozen,
  }
}

/** The layers, or the reason why files cannot contain them. */
function visitKnown(layers: TreeWriter, model: Module): unknown {
  try {
    return layers.visit(model, '')
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { $unknown: error.message }
  }
}

function halved(name: string, tensor: Parameter, dtype: keyof typeof LARGEST): Storable {
  const data = tensor.data() as Float32Array
  const odd = data.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= LARGEST[dtype])
  if (odd >= 0) throw rangeError(`encodeModel: '${name}' is ${data[odd]} at position ${odd}, too large for halves; save it as it is`)
  return { shape: tensor.shape, data, dtype }
}

/** A layer without its numbers; for a repeated layer, its first place. */
function writtenLayer(layer: Module, writer: TreeWriter, places: Places, met: Set<Module>): object {
  const at = places.get(layer) as string
  if (met.has(layer)) return { $same: at }
  met.add(layer)
  const { name, config, inside } = describedLayer(layer, at)
  return { $layer: name, at, config: writer.visit(config, at), ...(inside && { inside: writer.visit(inside, at) }) }
}

/** Description of a layer in a file. @throws TypeError for a layer that no file can contain */
function describedLayer(layer: Module, at: string): { name: string; config: unknown; inside?: object } {
  const where = placeOf(at)
  if (Object.hasOwn(layer, 'forward'))
    throw typeError(`encodeModel: ${where} has a forward of its own, which no file holds; make it a method of a class`)
  const known = kindOf(layer)
  if (known !== undefined) return { name: known.name, config: known.kind.save(layer) }
  const own = registeredClass(layer)
  if (own?.how !== undefined) return { name: own.name, config: own.how.save(layer), inside: layersInside(layer) }
  if (layer instanceof Lambda)
    throw typeError(
      `encodeModel: ${where} is a Lambda, a function, and no file holds code; write a class that extends Module, and registerClass it`,
    )
  const { name } = layer.constructor
  throw typeError(
    `encodeModel: ${where} is a ${name}, a class that files do not know; registerClass('${name}', ${name}, { save, load }) first`,
  )
}

function placeOf(at: string): string {
  return at === '' ? 'the model' : `layer '${shortened(at)}'`
}

/** Layers of this library inside a layer of a user-defined class, by their paths: at loading they show whether the class still makes the same layers. */
function layersInside(owner: Module): Record<string, [string, LayerConfig]> {
  const found = owner.modulePaths(true).flatMap(({ module, path }): [string, [string, LayerConfig]][] => {
    const known = path === '' ? undefined : kindOf(module)
    if (known === undefined) return []
    const config = Object.entries(known.kind.save(module)).filter(([, value]) => typeof value !== 'object')
    return [[path, [known.name, Object.fromEntries(config)]]]
  })
  return Object.fromEntries(found)
}

/**
 * Makes a model again from the bytes of {@link encodeModel}: one that predicts, with layers, weights and random generators as they were.
 *
 * @param file its bytes: an ArrayBuffer or a Uint8Array
 * @example
 * const model = decodeModel(encodeModel(new Sequential([new Dense(4, 3, { activation: 'tanh' })])))
 * model.predict([[1, 2, 3, 4]]).shape // [1, 3]
 * @throws RangeError for a file that is damaged (the message names the tensor), that another program or version wrote, or whose layers do not fit
 *   their numbers or are unknown to this program. Nothing in a file is ever run
 */
export function decodeModel<M extends object = Module>(file: Uint8Array | ArrayBuffer, options: DecodeModelOptions = {}): M {
  return decodeModelFile<M>(file, options).model
}

/**
 * Decodes the model, as {@link decodeModel} does, and the parts that were encoded with it, as `decodeState` returns them: states in the place of
 * optimizers and schedules, each for a `loadState`.
 *
 * @param file its bytes: an ArrayBuffer or a Uint8Array
 * @example
 * const bytes = encodeModel(new Sequential([new Dense(4, 3)]), { classNames: ['a', 'b', 'c'] })
 * const { model, classNames } = decodeModelFile(bytes)
 * classNames.length // 3
 * @throws as decodeModel does
 */
// biome-ignore lint/suspicious/noExplicitAny: like the result of JSON.parse, saved values can be of any type
export function decodeModelFile<M extends object = Module, Parts = Record<string, any>>(
  file: Uint8Array | ArrayBuffer,
  options: DecodeModelOptions = {},
): ModelFile<M, Parts> {
  checkOptions('decodeModel', options, DECODE_MODEL)
  const { backend, ...rest } = options
  // reads the layers of the current model
  let layers: LayerReader | undefined
  const used = new Set<StoredTensor>()
  const special = (value: Readonly<Record<string, unknown>>, reader: TreeReader): object | undefined => {
    if (value.$model === undefined)
      return value.$object === undefined ? layers?.special(value) : named(classNamed(value.$object), reader.visit(value.config))
    const [saved, outer] = [readNumbers(value, reader), layers]
    for (const [name, tensor] of saved.tensors) {
      // each tensor has its own numbers in a written file; with many layers on the same numbers a small file could take any amount of memory
      if (used.has(tensor)) throw rangeError(`the numbers of '${shortened(name)}' are those of another tensor`)
      used.add(tensor)
    }
    layers = new LayerReader(reader, backend, (name) => saved.tensors.get(name)?.shape)
    const model = layers.layer(value.$model)
    layers = outer
    setModel(model, saved)
    return model
  }
  const made = decodeTree('decodeModel', file, rest, { key: KEY, foreign }, special) as {
    model?: unknown
    parts?: Record<string, unknown>
  }
  const { model } = made ?? {}
  if (!(model instanceof Module) && registeredClass(Object(model))?.how === undefined)
    throw rangeError('decodeModel: there is no model in the file')
  return { ...Object(made.parts), model } as ModelFile<M, Parts>
}

function foreign(metadata: Readonly<Record<string, string>>): string {
  const reader = readerOf(metadata['gradus-state/1'] ?? '')
  if (reader !== undefined) return `the file holds no layers; ${reader} reads it`
  if ('gradus-state/1' in metadata) return 'the file is of encodeState, without layers; make the model, and give it what decodeState gives'
  return 'encodeModel did not make this file; decodeSafetensors gives its tensors, for the loadState of a model'
}

/** An object of a registered class. @throws RangeError naming it */
function named({ name, how }: Pick<ReturnType<typeof classNamed>, 'name' | 'how'>, config: unknown): object {
  const made = how.load(config)
  if (typeof made !== 'object' || made === null) throw rangeError(`load of '${name}' wants to return an object, got ${show(made)}`)
  return made
}

/** Contents of a model file besides the layers. @internal */
export interface SavedModel {
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly generators: Readonly<Record<string, unknown>>
  readonly frozen: unknown
}

function readNumbers(node: Readonly<Record<string, unknown>>, reader: TreeReader): SavedModel {
  const tensors = Object.entries(Object(node.tensors)).map(([name, tensor]) => [name, reader.tensor(tensor)] as const)
  return { tensors: new Map(tensors), generators: Object(node.generators), frozen: node.frozen }
}

/** @internal Loads numbers into a model. @throws Error, RangeError if they do not fit */
export function setModel(model: Module, { tensors, generators, frozen }: SavedModel): void {
  model.loadState(Object.fromEntries(tensors) as never)
  readGenerators(model, generators)
  readFrozen(model, frozen)
}

/** @internal the contents of a file, with numbers in the place of models; no layers or classes are made. @throws RangeError */
export function readStates(who: string, file: Uint8Array | ArrayBuffer): Record<string, unknown> & { model: unknown } {
  const special = (value: Readonly<Record<string, unknown>>, reader: TreeReader): object | undefined => {
    if (value.$model !== undefined) return readNumbers(value, reader)
    return value.$object === undefined ? undefined : Object(reader.visit(value.config))
  }
  const made = decodeTree(who, file, {}, { key: KEY, foreign }, special) as { model?: unknown; parts?: object }
  return { ...Object(made?.parts), model: made?.model }
}

/** Makes layers from their descriptions in a file. */
class LayerReader {
  private readonly made = new Map<string, Module>()
  /** Paths of the layers that were started. */
  private readonly places = new Set<string>()
  private readonly options: { backend?: Backend }

  constructor(
    private readonly reader: TreeReader,
    backend: Backend | undefined,
    private readonly shapeOf: (name: string) => Shape | undefined,
  ) {
    this.options = backend === undefined ? {} : { backend }
  }

  layer(node: unknown): Module {
    const made = this.special(Object(node))
    if (made === undefined) throw rangeError(`wants a layer, got ${show(node)}`)
    return made
  }

  /** The layer for an object of the skeleton, undefined for an ordinary object. */
  special(node: Readonly<Record<string, unknown>>): Module | undefined {
    if (node.$same !== undefined) {
      const same = this.made.get(node.$same as string)
      if (same === undefined) throw rangeError(`there is no layer at ${show(node.$same)} that another could be the same as`)
      return same
    }
    if (node.$unknown !== undefined) throw rangeError(`the file has numbers, but no layers, as ${String(node.$unknown).slice(0, 200)}`)
    if (node.$layer === undefined) return undefined
    const { $layer: name, at, inside } = node
    if (typeof at !== 'string') throw rangeError(`a layer wants to be somewhere, got ${show(at)}`)
    if (this.places.has(at)) throw rangeError(`${placeOf(at)} is there twice`)
    this.places.add(at)
    try {
      const layer = this.make(name, at, this.reader.visit(node.config), inside !== undefined)
      if (inside !== undefined) checkInside(layer, Object(inside))
      this.made.set(at, layer)
      return layer
    } catch (cause) {
      const { message } = cause as Error
      throw /^(layer '|the model)/.test(message) ? cause : rangeError(`${placeOf(at)}: ${message}`, { cause })
    }
  }

  /** @param isOfUser true for a class that its program registered, which may have the name of a layer here */
  private make(name: unknown, at: string, config: unknown, isOfUser: boolean): Module {
    const kind = isOfUser ? undefined : kindNamed(name)
    if (kind !== undefined) return makeLayer(name as string, kind, Object(config), this.options, (own) => this.shapeOf(join(at, own)))
    const known: KnownClass = classNamed(name)
    const layer = named(known as ReturnType<typeof classNamed>, config)
    if (!(layer instanceof Module)) throw rangeError(`${known.name} is a layer in the file, and load gives ${show(layer)}`)
    let stream = 0
    // the class of a user-defined model ignores the requested backend
    if (this.options.backend !== undefined && at === '')
      layer.build({ backend: this.options.backend, path: '', nextGenerator: () => new Generator(0, ++stream) })
    return layer
  }
}

/** Checks that the layers inside a layer of a registered class equal the saved layers. @throws RangeError naming the first that differs */
function checkInside(owner: Module, saved: Readonly<Record<string, unknown>>): void {
  const own = layersInside(owner)
  for (const [path, entry] of Object.entries(saved)) {
    const [name, config] = Array.isArray(entry) ? (entry as [unknown, unknown]) : []
    const [ownName, ownConfig] = own[path] ?? []
    if (ownName !== name)
      throw rangeError(`${owner.describe()} has ${ownName ?? 'nothing'} at '${shortened(path)}', the file has ${show(name)}`)
    for (const [key, value] of Object.entries(Object(config))) {
      if (Object.is(ownConfig?.[key], value)) continue
      throw rangeError(
        `${owner.describe()} has ${name} at '${shortened(path)}' with ${key} ${show(ownConfig?.[key])}, the file has ${show(value)}`,
      )
    }
  }
}

function readGenerators(model: Module, saved: Readonly<Record<string, unknown>>): void {
  const own = model.namedGenerators()
  const left = Object.keys(saved).find((name) => !own.has(name))
  if (left !== undefined) throw rangeError(`no layer draws the random numbers '${shortened(left)}'`)
  for (const [name, generator] of own) {
    const state = saved[name]
    if (!Array.isArray(state)) throw rangeError(`'${shortened(name)}' wants seed, stream and counter of random numbers, got ${show(state)}`)
    const [seed, stream, counter] = state as number[]
    Object.assign(generator, new Generator(seed, stream), { counter: savedCount(counter, `'${name}'`) })
  }
}

function readFrozen(model: Module, names: unknown): void {
  if (!Array.isArray(names)) throw rangeError(`frozen wants the names of parameters, got ${show(names)}`)
  const parameters = model.namedParameters()
  const odd = names.find((name) => !parameters.has(name))
  if (odd !== undefined) throw rangeError(`no parameter is named ${show(odd)}, which should be frozen`)
  const frozen = new Set(names)
  for (const [name, parameter] of parameters) parameter.requiresGrad = !frozen.has(name)
}
