/**
 * Trees of values in a safetensors file. Its tensors are the arrays of numbers; a text in its metadata, the *skeleton*, describes the tree. The
 * skeleton is JSON, with `{ $tensor: name }` for arrays and `{ $number: text }` for numbers that JSON does not have; an object whose names begin with
 * `$` is written as `{ $entries: [[name, value], …] }`. Another text has checksums of each tensor and of the skeleton.
 */
import { rangeError, typeError } from '../common/errors.js'
import { checkSaved, refuseLater } from '../common/saved.js'
import { shortened, show } from '../common/show.js'
import { crc32, crc32Of } from './crc32.js'
import {
  type Bytes,
  type DecodeOptions,
  decodeChecked,
  encodeEntries,
  type Storable,
  type StoredTensor,
  storedEntries,
} from './safetensors.js'

/** The name under which a file has its checksums: JSON, { text, tensors: { name: checksum } }. */
const CHECKSUMS = 'gradus-crc32'

/** Deepest level of a tree. States have a few levels; a much deeper tree would overflow the stack when it is written or read. */
const DEEPEST = 1000

/** @internal writes values as a tree */
export class TreeWriter {
  private readonly tensors = new Map<string, Storable>()
  private readonly above = new Set<object>()

  /**
   * @param who for messages
   * @param special the value to write instead of an object, undefined for an ordinary object
   */
  constructor(
    private readonly who: string,
    private readonly special: (value: object, path: string, writer: TreeWriter) => object | undefined = () => undefined,
  ) {}

  /** The value as it stands in the skeleton. @throws TypeError for a value that would be lost */
  visit(value: unknown, path: string): unknown {
    const { who, above } = this
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Object.is(JSON.parse(JSON.stringify(value)), value) ? value : { $number: numberText(value) }
    if (typeof value !== 'object') throw typeError(`${who}: '${shortened(path)}' cannot be kept, it is ${show(value)}`)
    if (isStorable(value)) return this.tensor(value, path)
    if (above.has(value)) throw typeError(`${who}: '${shortened(path)}' contains itself`)
    if (above.size >= DEEPEST) throw typeError(`${who}: '${shortened(path)}' is nested more than ${DEEPEST} deep`)
    above.add(value)
    const out = this.special(value, path, this) ?? this.visitInside(value, path)
    above.delete(value)
    return out
  }

  /** Keeps a tensor. Its name in the file is its path, or a longer name if that is taken. */
  tensor(value: Storable, path: string): { $tensor: string } {
    let name = path
    while (this.tensors.has(name)) name += "'"
    this.tensors.set(name, value)
    return { $tensor: name }
  }

  /** @throws NonFiniteError naming a parameter or buffer of a model that diverged: its file would take the place of a good one */
  checkWeights(tensor: Storable, path: string): void {
    const { data } = tensor as { data: () => ArrayLike<number> }
    checkSaved(`${this.who}: '${shortened(path)}'`, tensor, data.call(tensor))
  }

  private visitInside(value: object, path: string): unknown {
    if (Array.isArray(value)) return value.map((entry, i) => this.visit(entry, join(path, i)))
    const content = stateOf(value, (name, tensor) => this.checkWeights(tensor, join(path, name)))
    const prototype = Object.getPrototypeOf(content)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw typeError(`${this.who}: '${shortened(path)}' cannot be kept, it is ${show(value)}; it is no plain object and has no state()`)
    const entries = Object.entries(content).filter(([, entry]) => entry !== undefined)
    const visited = entries.map(([name, entry]) => [name, this.visit(entry, join(path, name))])
    return entries.some(([name]) => name.startsWith('$')) ? { $entries: visited } : Object.fromEntries(visited)
  }

  /** The file of a tree. @param key names the format in the metadata */
  encode(key: string, skeleton: unknown): Bytes {
    const text = JSON.stringify(skeleton)
    const entries = storedEntries([...this.tensors])
    const checksums = { text: textSum(text), tensors: Object.fromEntries(entries.map(({ name, data }) => [name, crc32Of(data)])) }
    return encodeEntries(entries, { [key]: text, [CHECKSUMS]: JSON.stringify(checksums) })
  }
}

/** The `special` of a tree without special objects. */
const AS_IT_IS = () => undefined

/** A format of files. @internal */
export interface TreeFormat {
  /** Its name in the metadata. */
  readonly key: string
  /** Message about a file without this text. */
  foreign(metadata: Readonly<Record<string, string>>): string
}

/** Reader of a tree. @internal */
export interface TreeReader {
  /** The value of a part of the skeleton. */
  visit(value: unknown): unknown
  /** The tensor for an entry of {@link TreeWriter.tensor}. @throws RangeError */
  tensor(value: unknown): StoredTensor
}

/**
 * @internal the value of a file's tree
 * @param who for messages
 * @param special the value for an object of the skeleton, undefined for an ordinary object
 * @throws RangeError for a file that is damaged, or of another format
 */
export function decodeTree(
  who: string,
  file: Uint8Array | ArrayBuffer,
  options: DecodeOptions,
  { key, foreign }: TreeFormat,
  special: (value: Readonly<Record<string, unknown>>, reader: TreeReader) => object | undefined = AS_IT_IS,
): unknown {
  const { tensors, metadata } = decodeChecked(file, options, (metadata) => {
    if (!Object.hasOwn(metadata, key)) {
      for (const found of Object.keys(metadata)) refuseLater(who, found, key)
      throw rangeError(`${who}: ${foreign(metadata)}`)
    }
    return checkerOf(who, key, metadata)
  })
  let depth = 0
  const reader: TreeReader = {
    visit(value) {
      if (typeof value !== 'object' || value === null) return value
      if (depth >= DEEPEST) throw rangeError(`it is nested more than ${DEEPEST} deep`)
      depth++
      const out = visitInside(value)
      depth--
      return out
    },
    tensor(value) {
      const { $tensor } = (value ?? {}) as { $tensor?: unknown }
      if (typeof $tensor !== 'string' || !Object.hasOwn(tensors, $tensor)) throw rangeError(`there is no tensor ${show($tensor)}`)
      return tensors[$tensor]
    },
  }
  const visitInside = (value: object): unknown => {
    if (Array.isArray(value)) return value.map(reader.visit)
    const { $tensor, $number, $entries } = value as { $tensor?: unknown; $number?: unknown; $entries?: unknown }
    if ($number !== undefined) return numberFrom($number)
    if ($tensor !== undefined) return reader.tensor(value).data
    const made = special(value as Record<string, unknown>, reader)
    if (made !== undefined) return made
    const entries = $entries === undefined ? Object.entries(value) : entriesFrom($entries)
    return Object.fromEntries(entries.map(([name, entry]) => [name, reader.visit(entry)]))
  }
  try {
    return reader.visit(JSON.parse(metadata[key]))
  } catch (cause) {
    const { message } = cause as Error
    throw rangeError(`${who}: ${special === AS_IT_IS ? `'${key}' in the file is damaged: ` : ''}${message}`, { cause })
  }
}

/** A function that compares bytes with the checksums of a file. @throws RangeError */
function checkerOf(who: string, key: string, metadata: Readonly<Record<string, string>>): (name: string, bytes: Uint8Array) => void {
  const damaged = (what: string) => rangeError(`${who}: ${what} is damaged: its checksum is not that of what was saved`)
  const { text, tensors } = parsedObject(metadata[CHECKSUMS] ?? '') as { text?: unknown; tensors?: unknown }
  if (text !== textSum(metadata[key])) throw damaged(`'${key}' in the file`)
  const sums = new Map(Object.entries(Object(tensors)))
  return (name, bytes) => {
    if (sums.get(name) !== crc32(bytes)) throw damaged(`'${shortened(name)}'`)
  }
}

function parsedObject(text: string): object {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

function textSum(text: string): string {
  return crc32(new TextEncoder().encode(text))
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The number of a {@link numberText}. @throws RangeError for anything else: Number('abc') would be NaN */
function numberFrom(text: unknown): number {
  const value = typeof text === 'string' ? Number(text) : Number.NaN
  if (numberText(value) === text) return value
  throw rangeError(`${show(text)} is no number`)
}

/** Checks names with their values. @throws RangeError for anything else */
function entriesFrom(entries: unknown): [string, unknown][] {
  const isPair = (entry: unknown) => Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string'
  if (Array.isArray(entries) && entries.every(isPair)) return entries
  throw rangeError('$entries are pairs of a name and a value')
}

function isStorable(value: object): value is Storable {
  return ArrayBuffer.isView(value) || ('shape' in value && 'data' in value && typeof value.data === 'function')
}

/** The state of an object that has one; for a model its parameters and buffers, which know their shapes. Other objects are returned unchanged. */
function stateOf(value: object, check: (name: string, tensor: Storable) => void): object {
  const { savedTensors, state } = value as { savedTensors?: () => [string, Storable][]; state?: () => object }
  const own = typeof state === 'function' ? state.call(value) : value
  if (typeof savedTensors !== 'function') return own
  const tensors = savedTensors.call(value)
  for (const [name, tensor] of tensors) check(name, tensor)
  return { ...own, ...Object.fromEntries(tensors) }
}

/** @internal a place in a tree */
export function join(path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`
}
