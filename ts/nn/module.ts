/**
 * Modules: layers and the models built from them. A module owns parameters and other modules as plain properties;
 * everything else (parameters(), train(), saving) finds them there.
 */

import { noGrad, scope } from '../autograd.js'
import { type Backend, defaultBackend } from '../backend/index.js'
import { checkCount } from '../common/checks.js'
import { COPY } from '../common/copies.js'
import { ShapeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { Parameter } from '../parameter.js'
import { Generator } from '../random.js'
import { asList, asTensor, Tensor, type TensorLike } from '../tensor.js'

/** What a layer needs to make its parameters. */
export interface BuildContext {
  readonly backend: Backend
  /** Where the layer is in its model, such as `0` or `encoder.1`; a prefix of its parameters' names. */
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

/** Options of {@link Module.predict}. */
export interface PredictOptions {
  /** Rows per forward pass, to bound memory. Default 1024. */
  batchSize?: number
}

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
  /** True while training: dropout is active. See {@link train} and {@link evaluate}. */
  training = true
  /** Where the module is in its model; part of parameter names and error messages. */
  path = ''
  private readonly moduleOptions: ModuleOptions
  /** Private to the language too: a field of that name is the user's. */
  #context: BuildContext | undefined

  constructor(options: ModuleOptions = {}) {
    this.moduleOptions = options
    if (options.seed !== undefined) new Generator(options.seed) // checks it now, not at the first use
  }

  /** @internal */
  get gradusCopy(): object {
    return COPY
  }

  /** The output for an input. Recorded for backpropagation unless under noGrad(); use {@link predict} to evaluate. */
  abstract forward(x: Tensor): Tensor

  /** Makes the module's own parameters; those of its child modules are made by {@link build}. Override in layers. */
  protected createParameters(_context: BuildContext): void {}

  /**
   * Makes all parameters, once. Called by the first use, with the module's own seed and backend; a model builds its layers
   * with its own. A part that was built before it became part of a model keeps its values and gets its place as its name. A part
   * that is put into a model that was built, such as a new head, is built when the model is next asked for its parameters.
   */
  build(context?: BuildContext): this {
    if (this.#context !== undefined) {
      if (context !== undefined) this.moveTo(context.path)
      return this
    }
    const own = context ?? rootContext(this.moduleOptions)
    this.createParameters(own)
    this.#context = own
    for (const [name, child] of this.children()) child.build({ ...own, path: join(own.path, name) })
    this.moveTo(own.path)
    return this
  }

  private moveTo(path: string): void {
    this.path = path
    for (const [name, p] of membersOf(this, isParameter)) p.name = join(path, name)
    for (const [name, child] of this.children()) child.moveTo(join(path, name))
  }

  /**
   * Child modules by property name, in the order of their definition; entries of an array or a set by number, of a map or a plain
   * object by key, nested as they are.
   */
  protected children(): Iterable<[string, Module]> {
    return membersOf(this, (value): value is Module => value instanceof Module)
  }

  /** This module and all modules inside, outermost first; one that is used twice comes once. */
  modules(): Module[] {
    const found = new Set<Module>()
    const visit = (module: Module): void => {
      if (found.has(module)) return
      found.add(module)
      for (const [, child] of module.children()) visit(child)
    }
    visit(this)
    return [...found]
  }

  /** All trainable tensors, each once, in the order of their layers. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()]
  }

  /** All trainable tensors by where they are, such as `encoder.0.weight`; one that is used twice has its first place. */
  namedParameters(): Map<string, Parameter> {
    return this.namedMembers(isParameter)
  }

  /** @internal what layers draw random numbers from, by where it is, such as `1.generator` of a dropout */
  namedGenerators(): Map<string, Generator> {
    return this.namedMembers((value): value is Generator => value instanceof Generator)
  }

  /** What this module and those inside hold of a kind, each once, by its first place. */
  private namedMembers<T>(isMember: (value: unknown) => value is T): Map<string, T> {
    this.build()
    const found = new Map<string, T>()
    const seen = new Set<unknown>()
    const visit = (module: Module, path: string): void => {
      if (seen.has(module)) return
      seen.add(module)
      for (const [name, member] of membersOf(module, isMember)) {
        if (!seen.has(member)) found.set(path + name, member)
        seen.add(member)
      }
      for (const [name, child] of module.children()) {
        if (child.#context === undefined || child.path === '')
          child.build({ ...(module.#context as BuildContext), path: join(module.path, name) })
        visit(child, `${path}${name}.`)
      }
    }
    visit(this, '')
    return found
  }

  /** The backend that the parameters live on. */
  get backend(): Backend {
    return this.parameters()[0]?.backend ?? this.moduleOptions.backend ?? defaultBackend()
  }

  /** Training mode: dropout active. */
  train(): this {
    for (const module of this.modules()) module.training = true
    return this
  }

  /** Evaluation mode: dropout is the identity. */
  evaluate(): this {
    for (const module of this.modules()) module.training = false
    return this
  }

  /**
   * The output in evaluation mode, without recording: an ordinary tensor that needs no care, however often it is called.
   *
   * @throws ShapeError naming the layer that the input does not fit
   */
  predict(input: TensorLike, options?: PredictOptions): Tensor {
    if (options !== undefined) checkNames('predict', options, ['batchSize'])
    const { batchSize = 1024 } = options ?? {}
    checkCount('predict: batchSize', batchSize)
    this.build()
    const x = asTensor(input, this.backend, 'predict')
    const restore = rememberModes(this, false)
    try {
      return noGrad(() => this.predictBatches(x, batchSize))
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
    for (let from = 0; from < rows; from += batchSize) {
      parts.push(scope(backend, () => outputOf(this, rowsOf(kept, from, Math.min(from + batchSize, rows)))))
    }
    return joinRows('predict', parts)
  }

  /**
   * A copy of all values by where they are (see {@link namedParameters}), and, of a layer with random numbers such as dropout, how
   * many it has drawn: training goes on with the next ones.
   */
  state(): Record<string, Float32Array | Float64Array> {
    const state: Record<string, Float32Array | Float64Array> = {}
    for (const [name, p] of this.namedParameters()) state[name] = p.data()
    for (const [name, { counter }] of this.namedGenerators()) state[name] = Float64Array.of(counter)
    return state
  }

  /** For JSON.stringify: {@link state}, which {@link loadState} takes back. */
  toJSON(): Record<string, Float32Array | Float64Array> {
    return this.state()
  }

  /**
   * Sets all values from {@link Module.state}, also after JSON, or from named tensors, such as those of `decodeSafetensors`. How many
   * random numbers were drawn may be missing or left over: with and without dropout a model of your own has the same names. In a
   * `Sequential` layers are named by their number, so where one has a dropout the other wants a `Dropout(0)`.
   *
   * @throws Error if a name is missing or left over, ShapeError if a size or a shape differs, TypeError for what is no state; then
   *   nothing was changed
   */
  loadState(state: Readonly<Record<string, SavedValues>>): this {
    if (typeof state !== 'object' || state === null)
      throw new TypeError(`loadState: wants values by name, as state() has them, got ${show(state)}`)
    const left = new Set(Object.keys(state))
    const found = Array.from(this.namedParameters(), ([name, p]) => {
      if (!left.delete(name)) throw new Error(`loadState: no values for '${name}' in ${show(state)}${hintFor(name, state)}`)
      return [p, valuesFor(p, name, state[name])] as const
    })
    const drawn = [...this.namedGenerators()].filter(([name]) => left.delete(name))
    for (const name of left) if (name.endsWith('generator')) left.delete(name)
    if (left.size > 0) throw new Error(`loadState: no parameter is named '${[...left].join("', '")}'`)
    for (const [p, values] of found) p.view().set(values)
    for (const [name, generator] of drawn) generator.counter = Number(listOf(state[name])[0])
    return this
  }

  /** @internal 'Dense 2' for messages */
  protected label(kind: string): string {
    return this.path === '' ? kind : `${kind} '${this.path}'`
  }

  /** @internal a parameter named after its place */
  protected makeParameter(context: BuildContext, name: string, shape: Shape): Parameter {
    return Parameter.ofShape(shape, { name: context.path === '' ? name : `${context.path}.${name}`, backend: context.backend })
  }
}

/** Values of a parameter as they were kept: in a row, or with their shape, as tensors are. */
export type SavedValues =
  | ArrayLike<number>
  | { readonly shape: Shape; readonly data: ArrayLike<number | bigint> | (() => ArrayLike<number>) }

function listOf(saved: SavedValues): ArrayLike<number> {
  const { data = saved } = saved as Partial<Exclude<SavedValues, ArrayLike<number>>>
  return asList((typeof data === 'function' ? data.call(saved) : data) as ArrayLike<number>)
}

/** Where the values may be instead: in the model's state, one deeper, in what was kept beside an optimizer, or after a layer more or less. */
function hintFor(name: string, state: object): string {
  const { format, optimizer } = state as { format?: unknown; optimizer?: unknown }
  if (typeof format === 'string' && typeof optimizer === 'string') return `; this is the state of an optimizer, ${optimizer}`
  const [inside] = Object.entries(state).find(([, value]) => Object.hasOwn(Object(value), name)) ?? []
  if (inside !== undefined) return `; did you mean what is under '${inside}'?`
  return Object.keys(state).some((key) => /^\d/.test(key)) ? '; Dropout counts as a layer' : ''
}

function valuesFor(p: Parameter, name: string, saved: SavedValues): ArrayLike<number> {
  const { shape = p.shape } = saved as Partial<Exclude<SavedValues, ArrayLike<number>>>
  const values = listOf(saved)
  if (sameShape(shape, p.shape) && values.length === p.size && typeof values[0] !== 'bigint') return values
  const kind = typeof values[0] === 'bigint' ? ' of 64-bit integers' : ''
  const got = sameShape(shape, p.shape) ? values.length : `shape ${formatShape(shape)}`
  throw new ShapeError(`loadState: '${name}' has shape ${formatShape(p.shape)} (${p.size} values), got ${got}${kind}`)
}

/** @internal forward(x) of a module, whatever plain JavaScript made of it. @throws TypeError naming the module's class */
export function outputOf(module: Module, x: Tensor): Tensor {
  if (typeof module.forward !== 'function') throw new TypeError(`${module.constructor.name}: a Module wants a method forward(x)`)
  const y: unknown = module.forward(x)
  if (y instanceof Tensor) return y
  const got = y instanceof Promise ? 'a Promise: it cannot be asynchronous' : show(y)
  throw new TypeError(`${module.constructor.name}.forward(): must return a Tensor, got ${got}`)
}

/** @internal Remembers the training modes of a model and its parts; `training`, if given, is what all get. @returns what puts their modes back */
export function rememberModes(model: Module, training?: boolean): () => void {
  const modes = model.modules().map((m) => [m, m.training] as const)
  if (training !== undefined) for (const [module] of modes) module.training = training
  return () => {
    for (const [module, mode] of modes) module.training = mode
  }
}

/** @internal rows from..to (exclusive) of a tensor on the host as a view: a slice would copy the whole of it into the arena */
export function rowsOf(t: Tensor, from: number, to: number): Tensor {
  const width = t.size / t.shape[0]
  return Tensor.onHost(t.backend, [to - from, ...t.shape.slice(1)], t.read().subarray(from * width, to * width))
}

/** @internal rows of batches as one tensor. @throws ShapeError where they differ */
export function joinRows(what: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  const { backend, shape } = first
  const Values = first.read().constructor as Float32ArrayConstructor
  const values = new Values(parts.reduce((size, part) => size + part.size, 0))
  let [at, rows] = [0, 0]
  for (const part of parts) {
    if (part.rank === 0 || !sameShape(part.shape.slice(1), shape.slice(1)))
      throw new ShapeError(`${what}: batches of shapes ${formatShape(shape)} and ${formatShape(part.shape)} are not rows of one table`)
    values.set(part.read(), at)
    at += part.size
    rows += part.shape[0]
  }
  return Tensor.onHost(backend, [rows, ...shape.slice(1)], values)
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

const isParameter = (value: unknown): value is Parameter => value instanceof Parameter

/** How deep containers of modules may be nested: an end also for objects that hold themselves. */
const DEEPEST = 4

/** Values of one kind by property name, also in arrays, sets, maps and plain objects: by name and number or key, `heads.left.0`. */
function membersOf<T>(owner: object, isMember: (value: unknown) => value is T): [string, T][] {
  const found: [string, T][] = []
  const visit = (value: unknown, path: string, depth: number): void => {
    if (typeof value !== 'object' || value === null) return
    if (isMember(value)) found.push([path, value])
    else if (depth < DEEPEST) for (const [key, entry] of entriesOf(value)) visit(entry, `${path}.${key}`, depth + 1)
  }
  for (const name of Object.keys(owner)) visit(owner[name as never], name, 0)
  return found
}

const NOTHING: readonly [unknown, unknown][] = []

/** What a container holds; nothing for objects that are none, and for data. */
function entriesOf(value: object): Iterable<[unknown, unknown]> {
  if (Array.isArray(value)) return typeof value[0] === 'number' ? NOTHING : value.entries()
  const prototype = Object.getPrototypeOf(value)
  // a backend is a plain object too, one without modules and with hundreds of kernels
  if (prototype === Object.prototype || prototype === null) return 'kernels' in value && 'heap' in value ? NOTHING : Object.entries(value)
  if (value instanceof Map) return value.entries()
  return value instanceof Set ? [...value].entries() : NOTHING
}

function rootContext({ seed = 0, backend = defaultBackend() }: ModuleOptions): BuildContext {
  let stream = 0
  return { backend, path: '', nextGenerator: () => new Generator(seed, ++stream) }
}
