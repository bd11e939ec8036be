/** Rows of flat arrays, copied in an order. */

type Numbers = Int32Array | Float32Array | Float64Array

/** The values of these rows, `width` per row, or only the first `columns` of each row. */
export function takeRows<T extends Numbers>(values: T, rows: ArrayLike<number>, width = 1, columns = width): T {
  const out = new (values.constructor as new (size: number) => T)(rows.length * columns)
  for (let i = 0; i < rows.length; i++) {
    if (columns === 1) out[i] = values[rows[i] * width]
    else out.set(values.subarray(rows[i] * width, rows[i] * width + columns), i * columns)
  }
  return out
}
