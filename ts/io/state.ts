/** Everything of a training in one file: models, optimizers, schedulers, scalers, and whatever JSON has beside them. */
import { rangeError, typeError } from '../common/errors.js'
import { shortened, show } from '../common/show.js'
import { type Bytes, type DecodeOptions, decodeSafetensors, encodeSafetensors, type Storable } from './safetensors.js'

/** Where the file says how its tensors are put together: JSON with `{ $tensor: name }` in place of arrays. */
const KEY = 'gradus-state/1'

/** States are trees of a few levels; a tree of more would end in an overflow of the stack, here or where it is read. */
const DEEPEST = 1000

/** What has a state to keep: models, optimizers, wrappers, schedulers, averages, scalers, tables. */
export interface Stateful {
  state(): object
}

/**
 * Parts of a training as the bytes of one file. Models, optimizers, schedulers, scalers and tables give their `state()`; numbers,
 * texts, typed arrays, and arrays and objects of these are kept as they are, infinite numbers included. The file is a
 * [safetensors](https://github.com/huggingface/safetensors) file: others find the weights in it, as `model.0.weight` with its shape.
 *
 * @param parts by names of your own
 * @example
 * const bytes = encodeState({ model, optimizer, epoch: 3 }) // fs.writeFileSync('checkpoint.safetensors', bytes)
 *
 * const saved = decodeState(bytes)
 * model.loadState(saved.model)
 * optimizer.loadState(saved.optimizer) // the next steps have the bits that they would have had
 * saved.epoch // 3
 * @throws TypeError naming the place of a value that cannot be kept, such as a function
 */
export function encodeState(parts: object): Bytes {
  const tensors = new Map<string, Storable>()
  const above = new Set<object>()

  const visit = (value: unknown, path: string): unknown => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Object.is(JSON.parse(JSON.stringify(value)), value) ? value : { $number: numberText(value) }
    if (typeof value !== 'object') throw typeError(`encodeState: '${shortened(path)}' cannot be kept, it is ${show(value)}`)
    if (isStorable(value)) return { $tensor: keep(value, path) }
    if (above.has(value)) throw typeError(`encodeState: '${shortened(path)}' contains itself`)
    if (above.size >= DEEPEST) throw typeError(`encodeState: '${shortened(path)}' is nested more than ${DEEPEST} deep`)
    above.add(value)
    const out = visitInside(value, path)
    above.delete(value)
    return out
  }

  const visitInside = (value: object, path: string): unknown => {
    if (Array.isArray(value)) return value.map((entry, i) => visit(entry, join(path, i)))
    const content = stateOf(value)
    const prototype = Object.getPrototypeOf(content)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw typeError(`encodeState: '${shortened(path)}' cannot be kept, it is ${show(value)}; it is no plain object and has no state()`)
    const entries = Object.entries(content).filter(([, entry]) => entry !== undefined)
    const visited = entries.map(([name, entry]) => [name, visit(entry, join(path, name))])
    return entries.some(([name]) => name.startsWith('$')) ? { $entries: visited } : Object.fromEntries(visited)
  }

  /** The name of a tensor in the file: its path, or where that is taken already, a longer one. */
  const keep = (value: Storable, path: string): string => {
    let name = path
    while (tensors.has(name)) name += "'"
    tensors.set(name, value)
    return name
  }

  if (typeof parts !== 'object' || parts === null || ArrayBuffer.isView(parts))
    throw typeError(`encodeState: wants parts by name, { model, optimizer }, got ${show(parts)}`)
  const skeleton = JSON.stringify(visit(parts, ''))
  return encodeSafetensors(tensors, { [KEY]: skeleton })
}

/**
 * What {@link encodeState} was given, with states in the place of models and optimizers: give each to its `loadState`, those of
 * scalers and tables to `scalerFromState` and `encoderFromState`.
 *
 * @example
 * const saved = decodeState(encodeState({ best: Infinity, losses: Float32Array.of(2, 1) }))
 * saved.best // Infinity
 * saved.losses // Float32Array.of(2, 1)
 * @throws RangeError for a file that is damaged, or is of another maker: {@link decodeSafetensors} reads those
 */
// biome-ignore lint/suspicious/noExplicitAny: as JSON.parse, what was put in comes out
export function decodeState<T = Record<string, any>>(file: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): T {
  const { tensors, metadata } = decodeSafetensors(file, options)
  if (!Object.hasOwn(metadata, KEY))
    throw rangeError('decodeState: encodeState did not make this file; decodeSafetensors gives its tensors')

  const visit = (value: unknown, depth: number): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEEPEST) throw rangeError(`it is nested more than ${DEEPEST} deep`)
    const below = (entry: unknown) => visit(entry, depth + 1)
    if (Array.isArray(value)) return value.map(below)
    const { $tensor, $number, $entries } = value as { $tensor?: unknown; $number?: unknown; $entries?: unknown }
    if ($number !== undefined) return numberFrom($number)
    if ($tensor !== undefined) {
      if (typeof $tensor !== 'string' || !Object.hasOwn(tensors, $tensor)) throw rangeError(`there is no tensor ${show($tensor)}`)
      return tensors[$tensor].data
    }
    const entries = $entries === undefined ? Object.entries(value) : entriesFrom($entries)
    return Object.fromEntries(entries.map(([name, entry]) => [name, below(entry)]))
  }

  try {
    return visit(JSON.parse(metadata[KEY]), 0) as T
  } catch (cause) {
    throw rangeError(`decodeState: '${KEY}' in the file is damaged: ${(cause as Error).message}`, { cause })
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** What {@link numberText} wrote. @throws RangeError for anything else: Number('abc') would be NaN */
function numberFrom(text: unknown): number {
  const value = typeof text === 'string' ? Number(text) : Number.NaN
  if (numberText(value) === text) return value
  throw rangeError(`${show(text)} is no number`)
}

/** Names with their values. @throws RangeError unless they are */
function entriesFrom(entries: unknown): [string, unknown][] {
  const isPair = (entry: unknown) => Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string'
  if (Array.isArray(entries) && entries.every(isPair)) return entries
  throw rangeError('$entries are pairs of a name and a value')
}

function isStorable(value: object): value is Storable {
  return ArrayBuffer.isView(value) || ('shape' in value && 'data' in value && typeof value.data === 'function')
}

/** The state of what has one: of a model with its parameters and buffers, which know their shapes. Other objects themselves. */
function stateOf(value: object): object {
  const { savedTensors, state } = value as { savedTensors?: () => [string, Storable][]; state?: () => object }
  const own = typeof state === 'function' ? state.call(value) : value
  return typeof savedTensors === 'function' ? { ...own, ...Object.fromEntries(savedTensors.call(value)) } : own
}

function join(path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`
}
