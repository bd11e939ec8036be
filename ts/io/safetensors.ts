/**
 * Safetensors, the file format of Hugging Face that PyTorch, JAX and many others read: the length of a header in eight bytes, the
 * header in JSON (name → dtype, shape, place), then all numbers, little-endian and without gaps.
 * https://github.com/huggingface/safetensors#format
 */

import { rangeError, typeError } from '../common/errors.js'
import { countFrom0, readOptions, type Schema } from '../common/options.js'
import { formatShape, type Shape, sizeOf } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { DTYPE_OF, DTYPES, HALVES, KINDS, type StoredArray } from './dtypes.js'
import { bytesOf, isObject, METADATA, readEntry, readHeader, wrong } from './safetensors-header.js'

/** A tensor of a file. */
export interface StoredTensor {
  /** Type in the file: F32, F64, F16, BF16, I8 to I64, U8 to U64 or BOOL. */
  readonly dtype: string
  readonly shape: number[]
  /** Its numbers in row-major order. Halves (F16, BF16) arrive as a Float32Array, which holds all of them. */
  readonly data: StoredArray
}

/**
 * A tensor for {@link encodeSafetensors}: a parameter or tensor, numbers with a shape, or a flat list of numbers. With the dtype `F16` or `BF16`
 * numbers are written as halves, rounded to the nearest.
 */
export type Storable = StoredArray | { readonly shape: Shape; readonly data: StoredArray | (() => StoredArray); readonly dtype?: string }

/** Result of {@link decodeSafetensors}. */
export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>
  /** Texts of the writer, `{}` if none. */
  readonly metadata: Record<string, string>
}

/** Options of {@link decodeSafetensors} and `decodeState`. */
export interface DecodeOptions {
  /**
   * The largest header to read, in bytes. A header becomes objects, which take several times its bytes of memory, so the file of a
   * stranger should not decide how large it is. Default 16 MiB, enough for 100,000 tensors.
   */
  maxHeaderBytes?: number
}

export const DECODE = { maxHeaderBytes: { is: countFrom0, default: 16 * 2 ** 20 } } satisfies Schema<DecodeOptions>

/** `Uint8Array<ArrayBuffer>`, or `Uint8Array` before TypeScript 5.7, which has no such type. */
export type Bytes = ReturnType<typeof Uint8Array.of>

/**
 * Tensors as the bytes of a safetensors file, the same bytes that Python's `safetensors` writes.
 *
 * @param tensors by name: `model.namedParameters()`, or an object of tensors, typed arrays or `{ shape, data }`
 * @param metadata further texts by name. Default: none
 * @example
 * const bytes = encodeSafetensors(model.namedParameters()) // fs.writeFileSync('model.safetensors', bytes)
 * const { tensors } = decodeSafetensors(bytes)
 * tensors['0.weight'].shape // [4, 8]
 * model.loadState(tensors)
 * @throws TypeError for anything but a tensor, RangeError for numbers that do not fill their shape
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Storable>> | ReadonlyMap<string, Storable>,
  metadata: Readonly<Record<string, string>> = {},
): Bytes {
  return encodeEntries(storedEntries(tensors instanceof Map ? [...tensors] : Object.entries(tensors)), metadata)
}

/** A tensor as written to a file. @internal */
export type StoredEntry = ReturnType<typeof readStorable>

/** @internal tensors in the order of a file */
export function storedEntries(tensors: readonly (readonly [string, Storable])[]): StoredEntry[] {
  const entries = tensors.map(([name, value]) => readStorable(name, value))
  return entries.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))
}

/** @internal as {@link encodeSafetensors}, of entries in their order */
export function encodeEntries(entries: readonly StoredEntry[], metadata: Readonly<Record<string, string>>): Bytes {
  for (const [name, text] of Object.entries(metadata))
    if (typeof text !== 'string') throw typeError(`encodeSafetensors: metadata '${shortened(name)}' wants text, got ${show(text)}`)
  let length = 0
  const places = entries.map(({ name, shape, dtype, data }) => {
    const data_offsets = [length, (length += data.byteLength)]
    return [name, { dtype, shape, data_offsets }] as const
  })
  const head = Object.keys(metadata).length > 0 ? [[METADATA, metadata] as const] : []
  // written by hand, since an object would reorder names that are numbers
  const json = [...head, ...places].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`)
  const header = new TextEncoder().encode(`{${json.join(',')}}`)
  const start = 8 + Math.ceil(header.length / 8) * 8
  const file = new Uint8Array(start + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true)
  file.fill(0x20, 8, start)
  file.set(header, 8)
  for (const [i, { data }] of entries.entries())
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + places[i][1].data_offsets[0])
  return file
}

function readStorable(name: string, value: Storable) {
  const {
    shape,
    data: given,
    dtype: asked = '',
  } = (ArrayBuffer.isView(value) ? { shape: [value.length], data: value } : (value ?? {})) as Exclude<Storable, StoredArray>
  const numbers = typeof given === 'function' ? given.call(value) : given
  const own = DTYPE_OF[(numbers as object | undefined)?.constructor?.name ?? '']
  const isHalf = /^F(32|64)$/.test(own) && Object.hasOwn(HALVES, asked)
  const [dtype, data] = isHalf ? [asked, HALVES[asked](numbers as Float32Array)] : [own, numbers]
  if (dtype === undefined || !Array.isArray(shape))
    throw typeError(`encodeSafetensors: '${shortened(name)}' wants a tensor, a typed array, or { shape, data }, got ${show(value)}`)
  if (name === METADATA) throw rangeError(`encodeSafetensors: no tensor can be named '${METADATA}'`)
  if (sizeOf(shape) !== data.length)
    throw rangeError(`encodeSafetensors: '${shortened(name)}' has ${data.length} values, which do not fill shape ${formatShape(shape)}`)
  return { name, shape, data, dtype, order: DTYPES.indexOf(dtype) }
}

/**
 * The tensors of a safetensors file of any origin. Each is a copy.
 *
 * @param file its bytes: an ArrayBuffer (`await response.arrayBuffer()`) or a Uint8Array (`fs.readFileSync(path)`)
 * @example
 * const file = encodeSafetensors({ scale: Float32Array.of(1, 2) }, { made: 'today' })
 * const { tensors, metadata } = decodeSafetensors(file)
 * tensors.scale // { dtype: 'F32', shape: [2] }
 * metadata.made // 'today'
 * @throws TypeError for anything but bytes, RangeError that names the fault for a file that is truncated, damaged, or of another format or dtype, or
 *   whose header is too large or names a tensor twice
 */
export function decodeSafetensors(file: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): SafetensorsFile {
  return decodeChecked(file, options)
}

/**
 * @internal {@link decodeSafetensors} with checks
 * @param checkOf makes, from the metadata, a function that checks the bytes of each tensor before they are used
 */
export function decodeChecked(
  file: Uint8Array | ArrayBuffer,
  options: DecodeOptions = {},
  checkOf?: (metadata: Readonly<Record<string, string>>) => (name: string, bytes: Uint8Array) => void,
): SafetensorsFile {
  const { maxHeaderBytes } = readOptions('decodeSafetensors', options, DECODE)
  const bytes = bytesOf(file)
  const { header, start } = readHeader(bytes, maxHeaderBytes)
  const { [METADATA]: metadata = {}, ...entries } = header
  const isText = isObject(metadata) && Object.values(metadata).every((text) => typeof text === 'string')
  if (!isText) wrong(`${METADATA} wants an object of texts`)
  const places = Object.entries(entries).map(([name, entry]) => readEntry(name, entry))
  let at = 0
  for (const { name, from, to } of [...places].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== at) wrong(`'${shortened(name)}' begins at byte ${from}, but what is before it ends at ${at}`)
    at = to
  }
  if (start + at !== bytes.length)
    wrong(
      `${start + at > bytes.length ? 'truncated' : 'left over'}: the header promises ${start + at} bytes, but there are ${bytes.length}`,
    )
  const check = checkOf?.(metadata as Record<string, string>)
  const tensors = places.map(({ name, dtype, shape, from, to }): [string, StoredTensor] => {
    const stored = bytes.subarray(start + from, start + to)
    check?.(name, stored)
    return [name, { dtype, shape, data: KINDS[dtype].read(new Uint8Array(stored).buffer) }]
  })
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> }
}
