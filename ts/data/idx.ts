/**
 * The IDX format of MNIST and its relatives: two zero bytes, a byte for the element type, a byte for the number of dimensions, a big-endian 32-bit
 * size for each, then the elements, big-endian, row-major.
 */
import { rangeError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { checkLength, viewOf } from './bytes.js'

/** Element types of IDX. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64'
/** The elements of a file, in the array of their type. */
export type IdxArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array

/** A parsed IDX file. */
export interface IdxData {
  readonly type: IdxType
  readonly shape: readonly number[]
  /** The elements in row-major order, a copy. */
  readonly data: IdxArray
}

interface Element {
  type: IdxType
  bytes: number
  make: (n: number) => IdxArray
  read: (view: DataView, at: number) => number
}

const ELEMENTS: Readonly<Record<number, Element>> = {
  8: { type: 'uint8', bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { type: 'int8', bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  11: { type: 'int16', bytes: 2, make: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  12: { type: 'int32', bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { type: 'float32', bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { type: 'float64', bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
}

/**
 * Reads an IDX file from memory.
 *
 * @param name of the file in errors
 * @example
 * const bytes = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9) // in a file: unsigned bytes, 1 axis, of length 3
 * parseIdx(bytes).data // Uint8Array.of(7, 8, 9)
 * @throws TypeError for anything but bytes; RangeError for anything but an IDX file, an unknown type, or too few or too many bytes
 */
export function parseIdx(bytes: Uint8Array | ArrayBuffer, name = 'IDX data'): IdxData {
  const view = viewOf(bytes, name)
  const { element, shape, start } = readHeader(view, name)
  const count = shape.reduce((product, d) => product * d, 1)
  checkLength(name, view, start + count * element.bytes, `${element.type} ${formatShape(shape)}`)
  const data = element.make(count)
  if (data instanceof Uint8Array) data.set(new Uint8Array(view.buffer, view.byteOffset + start, count))
  else for (let i = 0; i < count; i++) data[i] = element.read(view, start + i * element.bytes)
  return { type: element.type, shape, data }
}

function readHeader(view: DataView, name: string): { element: Element; shape: number[]; start: number } {
  if (view.byteLength < 4) throw rangeError(`${name} is truncated: ${view.byteLength} bytes, an IDX header has at least 4`)
  const magic = view.getUint32(0)
  if (magic >>> 16 === 0x1f8b) throw rangeError(`${name} is gzip-compressed; decompress it first`)
  if (magic >>> 16 !== 0) throw rangeError(`${name} is no IDX file: it must begin with two zero bytes, got 0x${hex(magic >>> 16, 4)}`)
  const element = ELEMENTS[(magic >>> 8) & 255]
  if (!element) throw rangeError(`${name}: 0x${hex((magic >>> 8) & 255, 2)} is no IDX element type`)
  const rank = magic & 255
  const start = 4 + 4 * rank
  if (view.byteLength < start)
    throw rangeError(`${name} is truncated: a header of ${rank} dimensions has ${start} bytes, but there are ${view.byteLength}`)
  return { element, shape: Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i)), start }
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
