/** The dtypes of safetensors: how the bytes of each become numbers. */

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

/** A dtype: bytes an element, and how its bytes become numbers. */
interface Kind {
  bytes: number
  read: (buffer: ArrayBuffer) => StoredArray
}

/** Dtypes in the order in which a file has their tensors: the largest elements first, so that each tensor is aligned. */
export const KINDS: Readonly<Record<string, Kind>> = {
  U64: { bytes: 8, read: (b) => new BigUint64Array(b) },
  I64: { bytes: 8, read: (b) => new BigInt64Array(b) },
  F64: { bytes: 8, read: (b) => new Float64Array(b) },
  F32: { bytes: 4, read: (b) => new Float32Array(b) },
  U32: { bytes: 4, read: (b) => new Uint32Array(b) },
  I32: { bytes: 4, read: (b) => new Int32Array(b) },
  BF16: { bytes: 2, read: bfloat16 },
  F16: { bytes: 2, read: float16 },
  U16: { bytes: 2, read: (b) => new Uint16Array(b) },
  I16: { bytes: 2, read: (b) => new Int16Array(b) },
  I8: { bytes: 1, read: (b) => new Int8Array(b) },
  U8: { bytes: 1, read: (b) => new Uint8Array(b) },
  BOOL: { bytes: 1, read: (b) => new Uint8Array(b) },
}

export const DTYPES = Object.keys(KINDS)

/** Class of a typed array → dtype. */
export const DTYPE_OF: Readonly<Record<string, string>> = {
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

/** Numbers of bfloat16, each the upper half of a float32. The result is the only copy, as a file may be large. */
function bfloat16(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer)
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16
  return new Float32Array(bits.buffer)
}

function float16(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer)
  const out = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) out[i] = halfToFloat(halves[i])
  return out
}

/** @internal IEEE 754 binary16 */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** @internal converts numbers to the bits of 16-bit floats, rounded to nearest, ties to even; numbers that are too large become infinite */
export const HALVES: Readonly<Record<string, (values: ArrayLike<number>) => Uint16Array>> = {
  F16: (values) => Uint16Array.from(values, floatToHalf),
  BF16: toBfloat16,
}

/** @internal numbers in 16 bits each, of any size: halves of numbers from −1 to 1, and their common factor */
export function halvesOf(values: ArrayLike<number>): { factor: number; halves: Uint16Array } {
  let most = 0
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) most = Math.max(most, Math.abs(values[i]))
  const factor = most || 1
  return { factor, halves: Uint16Array.from(values, (value) => floatToHalf(value / factor)) }
}

/** A half is a whole number of units: 2⁻²⁴ below 2⁻¹⁴, from there on 1/1024 of the power of two below it. */
function floatToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(Math.floor(Math.log2(size)), -14)
  // the logarithm of a number just below a power of two may be rounded up to the logarithm of the power; such a number rounds to the power with
  // either unit
  const unit = 2 ** (exponent - 10)
  const units = roundToEven(size / unit)
  return sign | (units + (exponent + 14) * 1024)
}

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return floor + Number(rest > 0.5 || (rest === 0.5 && floor % 2 === 1))
}

function toBfloat16(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  return Uint16Array.from(bits, (n) => {
    if ((n & 0x7fffffff) > 0x7f800000) return (n >>> 16) | 0x40
    return (n + 0x7fff + ((n >>> 16) & 1)) >>> 16
  })
}
