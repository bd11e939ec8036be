/**
 * NumPy's formats: .npy, one array (a magic number, a header that is a Python literal, the elements), and .npz, a zip of them.
 * Source: NEP 1, numpy.lib.format. Nothing in a file is run: arrays of Python objects, which are pickles, are refused.
 */
import { rangeError } from '../../common/errors.js'
import { shortened } from '../../common/show.js'
import { halfToFloat } from '../../io/dtypes.js'
import { checkLength, viewOf } from '../bytes.js'
import { unzipSync } from './unzip.js'

/** The elements of an array, in the array of their type; halves and long integers as doubles, booleans as bytes. */
export type NpyValues = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array

/** An array of NumPy. */
export interface NpyArray {
  /** NumPy's name of the type without its byte order: `f4`, `i8`, `b1`. */
  readonly type: string
  readonly shape: readonly number[]
  /** The elements in row-major order, a copy. */
  readonly data: NpyValues
}

interface Element {
  bytes: number
  make(n: number): NpyValues
  read(view: DataView, at: number, isLittle: boolean): number
}

const ELEMENTS: Readonly<Record<string, Element>> = {
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (view, at, little) => view.getUint32(at, little) },
  i8: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  f2: { bytes: 2, make: (n) => new Float64Array(n), read: (view, at, little) => halfToFloat(view.getUint16(at, little)) },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at, little) => view.getFloat64(at, little) },
}

/**
 * Reads a .npy file from memory. Arrays in Fortran order or another byte order are converted to row-major numbers of this machine.
 *
 * @param name of the file in errors
 * @example
 * const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }`.padEnd(117) + '\n'
 * const bytes = new Uint8Array([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, 118, 0, ...new TextEncoder().encode(header), 0, 0, 128, 63, 0, 0, 0, 64])
 * parseNpy(bytes).data // Float32Array.of(1, 2)
 * @throws TypeError for anything but bytes; RangeError for anything but a .npy file, a type that is not numeric, or too few or too many bytes
 */
export function parseNpy(bytes: Uint8Array | ArrayBuffer, name = 'NPY data'): NpyArray {
  const view = viewOf(bytes, name)
  const { descr, isFortran, shape, start } = readHeader(view, name)
  const [, order, type] = /^([<>|=])([a-z]\d+)$/.exec(descr) ?? []
  if (type === undefined || !Object.hasOwn(ELEMENTS, type))
    throw rangeError(`${name}: has elements of type '${shortened(descr)}', and these are read: booleans, integers and floats up to 64 bits`)
  const element = ELEMENTS[type]
  const count = shape.reduce((product, d) => product * d, 1)
  checkLength(name, view, start + count * element.bytes, `${type} [${shape.join(', ')}]`)
  const data = element.make(count)
  const place = isFortran && shape.length > 1 ? fromFortran(shape) : (i: number) => i
  for (let i = 0; i < count; i++) data[place(i)] = element.read(view, start + i * element.bytes, order !== '>')
  if (type === 'i8' || type === 'u8') checkSafe(data, name)
  return { type, shape, data }
}

/** The limit of NumPy since 2.0. */
const MAX_AXES = 64

function readHeader(view: DataView, name: string): { descr: string; isFortran: boolean; shape: number[]; start: number } {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
  if (view.byteLength < 10 || magic.some((byte, i) => view.getUint8(i) !== byte))
    throw rangeError(
      `${name} is no file of NumPy: it must begin with the byte 0x93 and NUMPY${view.byteLength > 1 && view.getUint16(0) === 0x504b ? '; it is a zip, which parseNpz reads' : ''}`,
    )
  const isLong = view.getUint8(6) > 1
  const start = isLong ? 12 : 10
  if (view.byteLength < start) throw rangeError(`${name} is truncated in its header`)
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true)
  if (view.byteLength < start + length) throw rangeError(`${name} is truncated: its header has ${length} bytes`)
  const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + start, length))
  const [, descr] = /'descr': *'([^']*)'/.exec(text) ?? []
  const [, fortran] = /'fortran_order': *(True|False)/.exec(text) ?? []
  const [, sizes] = /'shape': *\(([\d, ]*)\)/.exec(text) ?? []
  if (descr === undefined || fortran === undefined || sizes === undefined)
    throw rangeError(`${name}: the header wants descr, fortran_order and shape of a plain array, got ${shortened(text.trim())}`)
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]))
  if (shape.length > MAX_AXES) throw rangeError(`${name}: has ${shape.length} axes, NumPy has at most ${MAX_AXES}`)
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(shape.reduce((a, b) => a * b, 8)))
    throw rangeError(`${name}: shape (${shortened(sizes)}) is too large`)
  return { descr, isFortran: fortran === 'True', shape, start: start + length }
}

/** Maps index i in Fortran order to the index in row-major order. */
function fromFortran(shape: readonly number[]): (i: number) => number {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  return (i) => {
    let at = 0
    for (let axis = 0; axis < shape.length; axis++) {
      at += (i % shape[axis]) * strides[axis]
      i = Math.floor(i / shape[axis])
    }
    return at
  }
}

function checkSafe(data: NpyValues, name: string): void {
  const wrong = data.findIndex((value: number) => !Number.isSafeInteger(value))
  if (wrong >= 0) throw rangeError(`${name}: element ${wrong} is a whole number beyond 2⁵³, which JavaScript's numbers do not hold`)
}

/** Largest unpacked size of an .npz file, and of each file in it, as a multiple of its packed size: deflate cannot pack more densely. */
const MAX_RATIO = 1100
const MAX_BYTES = 2 ** 31 - 1
/** Least number of bytes of an entry in a zip directory. */
const ENTRY_BYTES = 46

/**
 * Reads a .npz file from memory: its arrays by name.
 *
 * @param name of the file in errors
 * @example
 * const empty = Uint8Array.of(80, 75, 5, 6, ...new Array(18).fill(0)) // a zip; np.savez writes one with a file for each array
 * Object.keys(parseNpz(empty)) // []
 * @throws RangeError for anything but a zip file, a damaged one, or one that contains anything but arrays
 */
export function parseNpz(bytes: Uint8Array | ArrayBuffer, name = 'NPZ data'): Record<string, NpyArray> {
  const { buffer, byteOffset, byteLength } = viewOf(bytes, name)
  const packed = new Uint8Array(buffer, byteOffset, byteLength)
  const most = Math.min(MAX_BYTES, MAX_RATIO * packed.length + 2 ** 20)
  let [total, entries] = [0, 0]
  let files: Record<string, Uint8Array>
  try {
    files = unzipSync(packed, {
      filter: ({ size, originalSize }) => {
        // nothing in the file's own description is trusted: neither the number of entries nor their sizes
        if (++entries > packed.length / ENTRY_BYTES || size > packed.length) throw rangeError('it says that more is in it than there is')
        total += originalSize
        if (total > most || originalSize > MAX_RATIO * size + 2 ** 10) throw rangeError(`it unpacks to more than ${most} bytes`)
        return true
      },
    })
  } catch (cause) {
    throw rangeError(`${name} is no zip, or is damaged: ${shortened((cause as Error).message)}`, { cause })
  }
  const arrays = Object.entries(files).map(
    ([file, content]) => [file.replace(/\.npy$/, ''), parseNpy(content, `${shortened(file)} in ${name}`)] as const,
  )
  return Object.fromEntries(arrays)
}
