/**
 * Modules: layers and the models built from them. A module owns parameters, buffers and other modules as plain properties;
 * everything else (parameters(), train(), saving) finds them there (members.ts).
 */

import { noGrad, scope } from '../autograd.js'
import { type Backend, defaultBackend } from '../backend/index.js'
import { COPY } from '../common/copies.js'
import { plainError, typeError } from '../common/errors.js'
import { anything, checkValue, count, flag, readOptions, type Schema, seed } from '../common/options.js'
import { savedCount } from '../common/saved.js'
import type { Shape } from '../common/shape.js'
import { show } from '../common/show.js'
import { Parameter } from '../parameter.js'
import { Generator } from '../random.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'
import { BufferTensor } from './buffer.js'
import { type Initializer, type InitializerName, initializer } from './initializer.js'
import { MemberFinder, type Members, type Named } from './members.js'
import { checkFiniteRows, joinRows, rowsOf } from './rows.js'
import { hintFor, listOf, type SavedValues, valuesFor } from './saved-values.js'

/** Context in which a layer makes its parameters. */
export interface BuildContext {
  readonly backend: Backend
  /** Path of the layer in its model, such as `0` or `encoder.1`; a prefix of its parameters' names. */
  readonly path: string
  /** An independent stream of random numbers under the model's seed; each call gives the next one. */
  nextGenerator(): Generator
}

/** Options that every model takes. */
export interface ModuleOptions {
  /**
   * Seed of initial weights and dropout, a whole number from 0 to 2⁵³ − 1. Default: 0. Models of the same shape and seed start
   * with the same weights; give the parts of a larger model, such as two `Sequential`, seeds of their own.
   */
  seed?: number
  /** Default: the backend chosen by load(). */
  backend?: Backend
}

/** @internal options of every layer */
export const MODULE = { seed: { is: seed }, backend: { is: anything } } satisfies Schema<ModuleOptions>

/** A value that `structuredClone` refuses, with this text in the error: a clone of a module would be an object without methods. */
const NOT_CLONEABLE = Symbol('a gradus Module: pass on its state(), and loadState() it into a new model')

/** Options of {@link Module.predict}. */
export interface PredictOptions {
  /** Rows per forward pass, to bound memory. Default 1024. */
  batchSize?: number
  /** Throws an error that names the row if an output is NaN or infinite. That takes one pass over the output. Default false. */
  checkFinite?: boolean
}

export const PREDICT = {
  batchSize: { is: count, default: 1024 },
  checkFinite: { is: flag, default: false },
} satisfies Schema<PredictOptions>

/**
 * Base class of layers and models. A model of your own holds layers as properties and says how they are used:
 *
 * @example
 * class Residual extends Module {
 *   hidden = new Dense(8, 8, { activation: 'relu' })
 *   output = new Dense(8, 2)
 *   forward(x: Tensor): Tensor {
 *     return this.output.forward(add(x, this.hidden.forward(x)))
 *   }
 * }
 * const model = new Residual({ seed: 1 })
 */
export abstract class Module {
  /** True while training: dropout is active, batch normalization uses the batch. See {@link train} and {@link evaluate}. */
  training = true
  /** @internal */
  readonly notCloneable: unknown = NOT_CLONEABLE
  // A private field (`#`), so that users may give their fields any names, and a printed model does not show it.
  readonly #options: ModuleOptions
  readonly #finder = new MemberFinder<Module>(this, isModule)
  #context: BuildContext | undefined
  /** The module that this one is a part of, if any, and its name there; without one, the path that the module was built with. */
  #parent: Module | undefined
  #name = ''
  /** The last result of {@link modulePaths}, kept if the finders notice every change: `predict` needs it at each call. */
  #walk: ModulePath[] | undefined

  constructor(options: ModuleOptions = {}) {
    this.#options = options
    if (options.seed !== undefined) checkValue(`${new.target.name}: seed`, options.seed, seed) // now, not at the first use
  }

  /** @internal */
  get gradusCopy(): object {
    return COPY
  }

  /** Path of the module in its model, such as `encoder.1`; part of parameter names and error messages. */
  get path(): string {
    let path = this.#name
    for (let module = this.#parent; module !== undefined; module = module.#parent) path = join(module.#name, path)
    return path
  }

  /** The output for an input. Recorded for backpropagation unless under noGrad(); use {@link predict} to evaluate. */
  abstract forward(x: Tensor): Tensor

  /** Description of the module for `summary`. Layers add their sizes; the default is the name of the class. */
  describe(): string {
    return this.constructor.name
  }

  /** Makes the module's own parameters and buffers; {@link build} makes those of its child modules. Override in layers. */
  protected createParameters(_context: BuildContext): void {}

  /**
   * Makes all parameters and buffers, once. Called by the first use, with the module's own seed and backend; a model builds its layers
   * with its own. A part that was built before it became part of a model keeps its values and is named after its place in the model. A part
   * that is put into a model that was built, such as a new head, is built when the model is next asked for its parameters.
   */
  build(context?: BuildContext): this {
    if (context !== undefined) this.placeAt(undefined, context.path)
    if (this.#context === undefined) this.buildAll(context ?? rootContext(this.#options))
    return this
  }

  /** Builds this module and its child modules, outermost first, unless they are built. */
  private buildAll(context: BuildContext): void {
    const pending: [Module, BuildContext][] = [[this, context]]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [module, own] = next
      if (module.#context !== undefined) continue
      module.createParameters(own)
      module.#context = own
      module.placeAt(module.#parent, module.#name)
      const children = [...module.children()]
      for (const [name, child] of children) child.placeAt(module, name)
      for (const [name, child] of children.reverse()) pending.push([child, { ...own, path: join(own.path, name) }])
    }
  }

  /** Sets the module's place in its model, and names its own tensors after it. Child modules follow, since their paths start with this one. */
  private placeAt(parent: Module | undefined, name: string): void {
    for (let module = parent; module !== undefined; module = module.#parent) if (module === this) return // a part that holds its owner
    this.#parent = parent
    this.#name = name
    const { parameters, buffers } = this.#members
    const tensors = [...parameters, ...buffers]
    if (tensors.length === 0) return
    const { path } = this
    for (const [own, tensor] of tensors) tensor.name = join(path, own)
  }

  get #members(): Members<Module> {
    return this.#finder.members
  }

  /**
   * Child modules by property name, in the order of their definition; entries of an array or a set by number, of a map or a plain
   * object by key, nested as they are.
   */
  protected children(): Iterable<readonly [string, Module]> {
    return this.#members.modules
  }

  /**
   * @internal This module and all modules inside with their paths from here, outermost first; a module that is used twice comes once. With `builds`,
   * all of them are built, also modules that were added after the model was built.
   */
  modulePaths(builds: boolean): readonly ModulePath[] {
    const known = this.#walk
    if (known?.every(({ module, children }) => module.children() === children)) return known
    this.#walk = undefined
    if (builds) this.build()
    const paths: ModulePath[] = []
    const seen = new Set<Module>()
    const pending: ModulePath[] = [{ module: this, path: '', children: [] }]
    for (let found = pending.pop(); found !== undefined; found = pending.pop()) {
      const { module, path } = found
      if (seen.has(module)) continue
      seen.add(module)
      paths.push(found)
      const children = (found.children = listed(module.children()))
      if (builds) for (const [name, child] of children) module.adopt(name, child)
      for (let i = children.length - 1; i >= 0; i--)
        pending.push({ module: children[i][1], path: join(path, children[i][0]), children: [] })
    }
    if (builds && paths.every(({ children }) => Object.isFrozen(children))) this.#walk = paths
    return paths
  }

  /** Places and builds a part that was put in after this module was built. */
  private adopt(name: string, child: Module): void {
    if (child.#parent === undefined) child.placeAt(this, name)
    if (child.#context === undefined) child.buildAll({ ...(this.#context as BuildContext), path: join(this.path, name) })
  }

  /** This module and all modules inside, outermost first; one that is used twice comes once. */
  modules(): Module[] {
    return this.modulePaths(false).map(({ module }) => module)
  }

  /** All trainable tensors, each once, in the order of their layers. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()]
  }

  /** All trainable tensors by their path, such as `encoder.0.weight`; one that is used twice has its first path. */
  namedParameters(): Map<string, Parameter> {
    const { path } = this
    const found = this.named(({ parameters }) => parameters)
    for (const [name, parameter] of found) parameter.name = join(path, name)
    return found
  }

  /** All tensors that are saved with the model but not trained, such as the running mean of `BatchNorm`, each once. */
  buffers(): BufferTensor[] {
    return [...this.namedBuffers().values()]
  }

  /** All tensors that are saved with the model but not trained, by their paths, such as `1.runningMean`. */
  namedBuffers(): Map<string, BufferTensor> {
    const { path } = this
    const found = this.named(({ buffers }) => buffers)
    for (const [name, buffer] of found) buffer.name = join(path, name)
    return found
  }

  /** @internal the random generators of layers by their paths, such as `1.generator` of a dropout */
  namedGenerators(): Map<string, Generator> {
    return this.named(({ generators }) => generators)
  }

  /** The members of a kind of this module and its child modules, each once, by its first path. */
  private named<T>(ofKind: (members: Members<Module>) => readonly Named<T>[]): Map<string, T> {
    const found = new Map<string, T>()
    const seen = new Set<T>()
    for (const { module, path } of this.modulePaths(true)) {
      for (const [name, member] of ofKind(module.#members)) {
        if (!seen.has(member)) found.set(join(path, name), member)
        seen.add(member)
      }
    }
    return found
  }

  /** The backend that the parameters live on. */
  get backend(): Backend {
    return this.backendAmong(this.modulePaths(true))
  }

  private backendAmong(paths: readonly ModulePath[]): Backend {
    for (const { module } of paths) {
      const { parameters, buffers } = module.#members
      const [, tensor] = parameters[0] ?? buffers[0] ?? []
      if (tensor !== undefined) return tensor.backend
    }
    return this.#options.backend ?? defaultBackend()
  }

  /** Training mode: dropout is active, and batch normalization uses the statistics of the batch. */
  train(): this {
    for (const module of this.modules()) module.training = true
    return this
  }

  /** Evaluation mode: dropout is the identity, and batch normalization uses the running statistics. */
  evaluate(): this {
    for (const module of this.modules()) module.training = false
    return this
  }

  /**
   * The output in evaluation mode, without recording: an ordinary tensor, which the garbage collector frees.
   *
   * @example model.predict(inputs, { checkFinite: true }).shape // [n, 3]
   * @throws ShapeError naming the layer that the input does not fit; NonFiniteError with `checkFinite`
   */
  predict(input: TensorLike, options: PredictOptions = {}): Tensor {
    const { batchSize, checkFinite } = readOptions('predict', options, PREDICT)
    const paths = this.modulePaths(true)
    const x = asTensor(input, this.backendAmong(paths), 'predict')
    const restore = setModes(paths, false)
    try {
      const output = noGrad(() => this.predictBatches(x, batchSize))
      if (checkFinite) checkFiniteRows('predict', output, x)
      return output
    } finally {
      restore()
    }
  }

  private predictBatches(x: Tensor, batchSize: number): Tensor {
    const { backend, rank } = x
    const [rows] = x.shape
    if (rank < 2 || rows <= batchSize) return scope(backend, () => outputOf(this, x))
    const kept = x.isOnHost ? x : x.keep()
    const parts: Tensor[] = []
    for (let from = 0; from < rows; from += batchSize)
      parts.push(scope(backend, () => outputOf(this, rowsOf(kept, from, Math.min(from + batchSize, rows)))))
    return joinRows('predict', parts)
  }

  /**
   * A copy of all values by their paths: parameters (see {@link namedParameters}), buffers (see {@link namedBuffers}), and the number of random
   * numbers that a layer such as dropout has drawn, so that training continues with the next ones.
   */
  state(): Record<string, Float32Array | Float64Array> {
    const state: Record<string, Float32Array | Float64Array> = {}
    for (const [name, tensor] of this.savedTensors()) state[name] = tensor.data() as Float32Array | Float64Array
    for (const [name, { counter }] of this.namedGenerators()) state[name] = Float64Array.of(counter)
    return state
  }

  /** The value for JSON.stringify: {@link state}, which {@link loadState} takes back. */
  toJSON(): Record<string, Float32Array | Float64Array> {
    return this.state()
  }

  /**
   * Sets all values from {@link Module.state}, also after JSON, or from named tensors, such as those of `decodeSafetensors`. Counts of random numbers
   * may be missing or left over: a model of your own has the same names with and without dropout. A `Sequential` names layers by their number, so if
   * one model has a dropout, the other needs a `Dropout(0)` in its place.
   *
   * @throws Error if a name is missing or left over, ShapeError if a size or a shape differs, TypeError for a value that is not a state,
   *   NonFiniteError naming the tensor for a parameter that is NaN or infinite, or a buffer that is NaN; nothing is changed then
   */
  loadState(state: Readonly<Record<string, SavedValues>>): this {
    if (typeof state !== 'object' || state === null)
      throw typeError(`loadState: wants values by name, as state() has them, got ${show(state)}`)
    const left = new Set(Object.keys(state))
    const found = this.savedTensors().map(([name, tensor]) => {
      if (!left.delete(name)) throw plainError(`loadState: no values for '${name}' in ${show(state)}${hintFor(name, state)}`)
      return [tensor, valuesFor(tensor, name, state[name])] as const
    })
    const drawn = [...this.namedGenerators()]
      .filter(([name]) => left.delete(name))
      .map(([name, generator]) => [generator, savedCount(listOf(state[name], name)[0], `loadState: '${name}'`)] as const)
    for (const name of left) if (name.endsWith('generator')) left.delete(name)
    if (left.size > 0) throw plainError(`loadState: no parameter is named '${[...left].join("', '")}'`)
    for (const [tensor, values] of found) tensor.view().set(values)
    for (const [generator, counter] of drawn) generator.counter = counter
    return this
  }

  /** @internal all tensors that a state contains, in its order */
  savedTensors(): [name: string, tensor: Parameter | BufferTensor][] {
    return [...this.namedParameters(), ...this.namedBuffers()]
  }

  /** @internal `Dense(2, 3) 'encoder.1'`: a layer and its path, for messages */
  protected label(kind: string): string {
    const { path } = this
    return path === '' ? kind : `${kind} '${path}'`
  }

  /**
   * A parameter of this module, named after its path; for {@link createParameters}.
   * @param shape the last two axes are inputs and outputs for initializers that depend on their numbers; with one axis both have its length
   * @param values initial values: the name of an initializer, `'glorotUniform'`, or a function, `initializers.normal(0, 0.02)`, with random numbers
   * of its own under the model's seed. Default: zeros
   * @throws RangeError for a name that no initializer has, TypeError for more arguments
   */
  protected makeParameter(
    context: BuildContext,
    name: string,
    shape: Shape,
    values?: InitializerName | Initializer,
    ...none: never[]
  ): Parameter {
    const who = `${this.constructor.name}: parameter '${name}'`
    if (none.length > 0) throw typeError(`${who}: makeParameter takes 4 arguments`)
    const parameter = Parameter.ofShape(shape, { name: join(context.path, name), backend: context.backend })
    if (values !== undefined) initializer(values, ...fansOf(shape), who)(parameter, context.nextGenerator())
    return parameter
  }

  /** A buffer of this module with all elements `value`, named after its path; for {@link createParameters}. */
  protected makeBuffer(context: BuildContext, name: string, shape: Shape, value = 0): BufferTensor {
    if (typeof value !== 'number') throw typeError(`${this.constructor.name}: buffer '${name}' wants a number, got ${show(value)}`)
    return new BufferTensor(shape, { name: join(context.path, name), backend: context.backend, value })
  }
}

/** A module and its path from the module where a walk began. */
interface ModulePath {
  readonly module: Module
  readonly path: string
  /** The parts of the module when it was found. */
  children: readonly Named<Module>[]
}

/** @internal forward(x) of a module, checked, since plain JavaScript may return anything. @throws TypeError naming the module's class */
export function outputOf(module: Module, x: Tensor): Tensor {
  if (typeof module.forward !== 'function') throw typeError(`${module.constructor.name}: a Module wants a method forward(x)`)
  const y: unknown = module.forward(x)
  if (y instanceof Tensor) return y
  const got = y instanceof Promise ? 'a Promise: it cannot be asynchronous' : show(y)
  throw typeError(`${module.constructor.name}.forward(): wants to return a Tensor, got ${got}`)
}

/**
 * @internal Saves the training modes of a model and its parts, then sets all of them to `training` if it is given.
 * @returns a function that restores the modes
 */
export function rememberModes(model: Module, training?: boolean): () => void {
  const paths = model.modules().map((module) => ({ module }))
  return setModes(paths, training)
}

function setModes(paths: readonly { module: Module }[], training?: boolean): () => void {
  const modes = paths.map(({ module }) => module.training)
  if (training !== undefined) for (const { module } of paths) module.training = training
  return () => {
    for (let i = 0; i < paths.length; i++) paths[i].module.training = modes[i]
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Inputs and outputs of an element of a weight: the last two axes, times all before, as in Keras. */
function fansOf(shape: Shape): [fanIn: number, fanOut: number] {
  const [outputs = 1, inputs = outputs] = [...shape].reverse()
  const before = shape.slice(0, -2).reduce((product, d) => product * d, 1)
  return [before * inputs, before * outputs]
}

function isModule(value: object): value is Module {
  return value instanceof Module
}

function listed<T>(values: Iterable<T>): readonly T[] {
  return Array.isArray(values) ? values : [...values]
}

function rootContext({ seed = 0, backend = defaultBackend() }: ModuleOptions): BuildContext {
  let stream = 0
  return { backend, path: '', nextGenerator: () => new Generator(seed, ++stream) }
}
