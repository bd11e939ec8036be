/** Everything of a training in one file: models, optimizers, schedulers, scalers, and whatever JSON has beside them. */
import { show } from '../common/show.js'
import { type Bytes, decodeSafetensors, encodeSafetensors, type Storable } from './safetensors.js'

/** Where the file says how its tensors are put together: JSON with `{ $tensor: name }` in place of arrays. */
const KEY = 'gradus-state/1'

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
    if (typeof value !== 'object') throw new TypeError(`encodeState: '${path}' cannot be kept, it is ${show(value)}`)
    if (isStorable(value)) return { $tensor: keep(value, path) }
    if (above.has(value)) throw new TypeError(`encodeState: '${path}' contains itself`)
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
      throw new TypeError(`encodeState: '${path}' cannot be kept, it is ${show(value)}; it is no plain object and has no state()`)
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
    throw new TypeError(`encodeState: wants parts by name, { model, optimizer }, got ${show(parts)}`)
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
export function decodeState<T = Record<string, any>>(file: Uint8Array | ArrayBuffer): T {
  const { tensors, metadata } = decodeSafetensors(file)
  if (!Object.hasOwn(metadata, KEY))
    throw new RangeError('decodeState: encodeState did not make this file; decodeSafetensors gives its tensors')

  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(visit)
    const { $tensor, $number, $entries } = value as { $tensor?: string; $number?: string; $entries?: [string, unknown][] }
    if ($number !== undefined) return Number($number)
    if ($tensor !== undefined) {
      if (!Object.hasOwn(tensors, $tensor)) throw new RangeError(`there is no tensor '${$tensor}'`)
      return tensors[$tensor].data
    }
    return Object.fromEntries(($entries ?? Object.entries(value)).map(([name, entry]) => [name, visit(entry)]))
  }

  try {
    return visit(JSON.parse(metadata[KEY])) as T
  } catch (cause) {
    throw new RangeError(`decodeState: '${KEY}' in the file is damaged: ${(cause as Error).message}`, { cause })
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function isStorable(value: object): value is Storable {
  return ArrayBuffer.isView(value) || ('shape' in value && 'data' in value && typeof value.data === 'function')
}

/** The state of what has one, of a model with its tensors, which know their shapes; other objects themselves. */
function stateOf(value: object): object {
  const { namedParameters, state } = value as { namedParameters?: () => Map<string, Storable>; state?: () => object }
  const own = typeof state === 'function' ? state.call(value) : value
  return typeof namedParameters === 'function' ? { ...own, ...Object.fromEntries(namedParameters.call(value)) } : own
}

function join(path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`
}
