/** The header of a safetensors file, treated as untrusted input: every length is checked before it is used. */
import { rangeError } from '../common/errors.js'
import { asNoModel } from '../common/file-kinds.js'
import { list } from '../common/names.js'
import { notBytes } from '../common/not-bytes.js'
import { formatShape, sizeOf } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { DTYPES, KINDS } from './dtypes.js'

/** The name under which a header keeps free texts of the program that wrote the file. */
export const METADATA = '__metadata__'

/** Deepest nesting of a header: it is an object of objects of arrays. */
const DEEPEST = 3

/** @throws TypeError for anything but bytes */
export function bytesOf(file: Uint8Array | ArrayBuffer): Uint8Array {
  if (file instanceof Uint8Array) return file
  if (typeof file?.byteLength !== 'number') throw notBytes('decodeSafetensors', file)
  const view: unknown = file
  return ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(file)
}
/** The header and the offset of the numbers. @throws RangeError for a header that is damaged or larger than the limit */
export function readHeader(bytes: Uint8Array, maxHeaderBytes: number): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) wrong(`truncated: ${bytes.length} bytes, a file has at least 8`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const start = 8 + length
  const isJson = bytes.length === 8 || bytes[8] === 0x7b
  if (!isJson) {
    const instead = asNoModel(bytes)
    if (instead !== undefined) wrong(`no safetensors file, but ${instead}`)
    wrong(`no safetensors file: wants a { after 8 bytes, got 0x${bytes[8].toString(16).padStart(2, '0')}`)
  }
  if (start > bytes.length) wrong(`truncated: the header should have ${length} bytes, but there are ${bytes.length - 8} after its length`)
  if (length > maxHeaderBytes)
    wrong(`the header has ${length} bytes, and ${maxHeaderBytes} are allowed; if you trust the file, give { maxHeaderBytes: ${length} }`)
  const text = decodeText(bytes.subarray(8, start))
  const { depth, names } = outline(text)
  if (depth > DEEPEST) wrong('the header nests deeper than names, tensors and their shapes do')
  const header = parse(text)
  if (!isObject(header)) wrong('the header wants an object')
  if (names > Object.keys(header).length) wrong(`the header names '${shortened(repeatedName(text))}' twice`)
  return { header, start }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Facts about a JSON text that JSON.parse does not report: its nesting depth, and the number of names in its outermost object, repeated names
 * included. One pass over the text, without building anything.
 * @param onName gets each name as JSON
 */
function outline(text: string, onName?: (json: string) => void): { depth: number; names: number } {
  let [depth, deepest, names] = [0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
    if (char !== '"') continue
    const end = endOfString(text, i)
    if (depth === 1 && isFollowedByColon(text, end)) {
      names++
      onName?.(text.slice(i, end))
    }
    i = end - 1
  }
  return { depth: deepest, names }
}

/** The place after the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return text.length
}

function isFollowedByColon(text: string, at: number): boolean {
  while (at < text.length && ' \t\r\n'.includes(text[at])) at++
  return text[at] === ':'
}

function repeatedName(text: string): string {
  const seen = new Set<string>()
  let repeated = ''
  outline(text, (json) => {
    const name = JSON.parse(json) as string
    if (seen.has(name)) repeated = name
    seen.add(name)
  })
  return repeated
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw notJson(cause)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notJson(cause)
  }
}

function notJson(cause: unknown): RangeError {
  return rangeError(`decodeSafetensors: the header is no JSON: ${(cause as Error).message}`, { cause })
}

/** The dtype, the shape and the place of a tensor. @throws RangeError unless they agree */
export function readEntry(name: string, entry: unknown) {
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (isObject(entry) ? entry : {}) as { dtype: string; shape: number[]; data_offsets: number[] }
  if (!(areCounts(shape) && areCounts(offsets) && offsets.length === 2 && offsets[0] <= offsets[1]))
    wrong(`'${shortened(name)}' wants a dtype, a shape and two data_offsets, got ${show(entry)}`)
  if (typeof dtype !== 'string' || !Object.hasOwn(KINDS, dtype))
    wrong(`'${shortened(name)}' has dtype ${show(dtype)}; known are ${list(DTYPES).replace(' or ', ' and ')}`)
  const [from, to] = offsets
  const wanted = sizeOf(shape) * KINDS[dtype].bytes
  if (wanted !== to - from)
    wrong(`'${shortened(name)}' of ${dtype} ${formatShape(shape)} wants ${wanted} bytes, the header gives it ${to - from}`)
  return { name, dtype, shape, from, to }
}

export function wrong(message: string): never {
  throw rangeError(`decodeSafetensors: ${message}`)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areCounts(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((n) => Number.isSafeInteger(n) && n >= 0)
}
