/** Rows of flat arrays, copied in an order. */

type Numbers = Int32Array | Float32Array | Float64Array

/** Up to this number, consecutive numbers are copied one by one: a call of set() costs more. */
const FEW = 32

/** @internal copies `count` consecutive numbers, from one place to another */
export function copyBetween(values: Numbers, from: number, count: number, out: Numbers, at: number): void {
  if (count > FEW) out.set(values.subarray(from, from + count), at)
  else for (let i = 0; i < count; i++) out[at + i] = values[from + i]
}

/** The values of these rows, `width` per row, or only the first `columns` of each row. */
export function takeRows<T extends Numbers>(values: T, rows: ArrayLike<number>, width = 1, columns = width): T {
  const out = new (values.constructor as new (size: number) => T)(rows.length * columns)
  for (let i = 0; i < rows.length; i++) copyBetween(values, rows[i] * width, columns, out, i * columns)
  return out
}

/** A share of rows, evenly spread among them. */
export function everyShare(rows: Int32Array, share: number): Int32Array {
  return share < 1 ? rows.filter((_, i) => Math.floor(i * share) < Math.floor((i + 1) * share)) : rows
}
