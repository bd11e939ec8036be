/**
 * Safetensors, the file format of Hugging Face that PyTorch, JAX and many others read: the length of a header in eight bytes, the
 * header in JSON (name → dtype, shape, place), then all numbers, little-endian and without gaps.
 * https://github.com/huggingface/safetensors#format
 */
import { list } from '../common/names.js'
import { formatShape, type Shape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'

/** Numbers as they lie in a file. */
export type StoredArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** A tensor of a file. */
export interface StoredTensor {
  /** How the file has it: F32, F64, F16, BF16, I8 to I64, U8 to U64 or BOOL. */
  readonly dtype: string
  readonly shape: number[]
  /** Its numbers in row-major order. Halves (F16, BF16) arrive as a Float32Array, which holds all of them. */
  readonly data: StoredArray
}

/** What {@link encodeSafetensors} takes for a tensor: a parameter or tensor, numbers with a shape, or numbers in a row. */
export type Storable = StoredArray | { readonly shape: Shape; readonly data: StoredArray | (() => StoredArray) }

/** What {@link decodeSafetensors} gives. */
export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>
  /** What the writer had to say, `{}` if nothing. */
  readonly metadata: Record<string, string>
}

/** A dtype: bytes an element, and how its bytes become numbers. */
interface Kind {
  bytes: number
  read: (buffer: ArrayBuffer) => StoredArray
}

/** In the order in which the tensors lie in a file, so that each is aligned to its size. */
const KINDS: Readonly<Record<string, Kind>> = {
  U64: { bytes: 8, read: (b) => new BigUint64Array(b) },
  I64: { bytes: 8, read: (b) => new BigInt64Array(b) },
  F64: { bytes: 8, read: (b) => new Float64Array(b) },
  F32: { bytes: 4, read: (b) => new Float32Array(b) },
  U32: { bytes: 4, read: (b) => new Uint32Array(b) },
  I32: { bytes: 4, read: (b) => new Int32Array(b) },
  BF16: { bytes: 2, read: (b) => new Float32Array(Uint32Array.from(new Uint16Array(b), (bits) => bits << 16).buffer) },
  F16: { bytes: 2, read: (b) => Float32Array.from(new Uint16Array(b), halfToFloat) },
  U16: { bytes: 2, read: (b) => new Uint16Array(b) },
  I16: { bytes: 2, read: (b) => new Int16Array(b) },
  I8: { bytes: 1, read: (b) => new Int8Array(b) },
  U8: { bytes: 1, read: (b) => new Uint8Array(b) },
  BOOL: { bytes: 1, read: (b) => new Uint8Array(b) },
}

const DTYPES = Object.keys(KINDS)

/** Class of a typed array → dtype. */
const DTYPE_OF: Readonly<Record<string, string>> = {
  BigUint64Array: 'U64',
  BigInt64Array: 'I64',
  Float64Array: 'F64',
  Float32Array: 'F32',
  Uint32Array: 'U32',
  Int32Array: 'I32',
  Uint16Array: 'U16',
  Int16Array: 'I16',
  Int8Array: 'I8',
  Uint8Array: 'U8',
}

const METADATA = '__metadata__'

/** `Uint8Array<ArrayBuffer>`, and before TypeScript 5.7, which knows no such type, `Uint8Array`. */
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
 * @throws TypeError for what is no tensor, RangeError for numbers that do not fill their shape
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Storable>> | ReadonlyMap<string, Storable>,
  metadata: Readonly<Record<string, string>> = {},
): Bytes {
  const entries = (tensors instanceof Map ? [...tensors] : Object.entries(tensors)).map(([name, value]) => readStorable(name, value))
  entries.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))
  for (const [name, text] of Object.entries(metadata))
    if (typeof text !== 'string') throw new TypeError(`encodeSafetensors: metadata '${name}' must be text, got ${show(text)}`)
  let length = 0
  const places = entries.map(({ name, shape, dtype, data }) => {
    const data_offsets = [length, (length += data.byteLength)]
    return [name, { dtype, shape, data_offsets }] as const
  })
  const head = Object.keys(metadata).length > 0 ? [[METADATA, metadata] as const] : []
  // not an object: its keys would change places where they are numbers
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
  const { shape, data: given } = (ArrayBuffer.isView(value) ? { shape: [value.length], data: value } : (value ?? {})) as Exclude<
    Storable,
    StoredArray
  >
  const data = typeof given === 'function' ? given.call(value) : given
  const dtype = DTYPE_OF[(data as object | undefined)?.constructor?.name ?? '']
  if (dtype === undefined || !Array.isArray(shape))
    throw new TypeError(`encodeSafetensors: '${name}' must be a tensor, a typed array, or { shape, data }, got ${show(value)}`)
  if (name === METADATA) throw new RangeError(`encodeSafetensors: no tensor can be named '${METADATA}'`)
  if (sizeOf(shape) !== data.length)
    throw new RangeError(`encodeSafetensors: '${name}' has ${data.length} values, which do not fill shape ${formatShape(shape)}`)
  return { name, shape, data, dtype, order: DTYPES.indexOf(dtype) }
}

/**
 * The tensors of a safetensors file, whoever wrote it. Each is a copy.
 *
 * @param file its bytes: an ArrayBuffer (`await response.arrayBuffer()`) or a Uint8Array (`fs.readFileSync(path)`)
 * @example
 * const file = encodeSafetensors({ scale: Float32Array.of(1, 2) }, { made: 'today' })
 * const { tensors, metadata } = decodeSafetensors(file)
 * tensors.scale // { dtype: 'F32', shape: [2] }
 * metadata.made // 'today'
 * @throws TypeError for what is no bytes, RangeError saying what is wrong for a file that is truncated, damaged, or of another format
 *   or dtype
 */
export function decodeSafetensors(file: Uint8Array | ArrayBuffer): SafetensorsFile {
  if (typeof file?.byteLength !== 'number')
    throw new TypeError(`decodeSafetensors: wants the bytes of a file, an ArrayBuffer or a Uint8Array, got ${show(file)}`)
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file)
  const { header, start } = readHeader(bytes)
  const { [METADATA]: metadata = {}, ...entries } = header
  const isText = isObject(metadata) && Object.values(metadata).every((text) => typeof text === 'string')
  if (!isText) wrong(`${METADATA} must be an object of texts`)
  const places = Object.entries(entries).map(([name, entry]) => readPlace(name, entry))
  let at = 0
  for (const { name, from, to } of [...places].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== at) wrong(`'${name}' begins at byte ${from}, but what is before it ends at ${at}`)
    at = to
  }
  if (start + at !== bytes.length)
    wrong(
      `${start + at > bytes.length ? 'truncated' : 'left over'}: the header promises ${start + at} bytes, but there are ${bytes.length}`,
    )
  const tensors = places.map(({ name, dtype, shape, from, to }): [string, StoredTensor] => {
    const { buffer } = new Uint8Array(bytes.subarray(start + from, start + to))
    return [name, { dtype, shape, data: KINDS[dtype].read(buffer) }]
  })
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> }
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) wrong(`truncated: ${bytes.length} bytes, a file has at least 8`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const start = 8 + length
  const isJson = bytes.length === 8 || bytes[8] === 0x7b
  if (!isJson) wrong(`no safetensors file: after 8 bytes there must be a {, got 0x${bytes[8].toString(16).padStart(2, '0')}`)
  if (start > bytes.length) wrong(`truncated: the header should have ${length} bytes, but there are ${bytes.length - 8} after its length`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)))
  } catch (cause) {
    throw new RangeError(`decodeSafetensors: the header is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (!isObject(header)) wrong('the header must be an object')
  return { header, start }
}

function readPlace(name: string, entry: unknown) {
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (isObject(entry) ? entry : {}) as { dtype: string; shape: number[]; data_offsets: number[] }
  if (!(areCounts(shape) && areCounts(offsets) && offsets.length === 2 && offsets[0] <= offsets[1]))
    wrong(`'${name}' wants a dtype, a shape and two data_offsets, got ${JSON.stringify(entry)}`)
  if (typeof dtype !== 'string' || !Object.hasOwn(KINDS, dtype))
    wrong(`'${name}' has dtype ${JSON.stringify(dtype)}; known are ${list(DTYPES).replace(' or ', ' and ')}`)
  const [from, to] = offsets
  const wanted = sizeOf(shape) * KINDS[dtype].bytes
  if (wanted !== to - from) wrong(`'${name}' of ${dtype} ${formatShape(shape)} wants ${wanted} bytes, the header gives it ${to - from}`)
  return { name, dtype, shape, from, to }
}

function wrong(message: string): never {
  throw new RangeError(`decodeSafetensors: ${message}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areCounts(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((n) => Number.isSafeInteger(n) && n >= 0)
}

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
