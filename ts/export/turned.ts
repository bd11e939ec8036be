/** Numbers with their axes in another order. */

/** The numbers of an array of this shape with its axes in another order. */
export function turned(values: ArrayLike<number>, shape: readonly number[], axes: readonly number[]): Float64Array {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1))
  const out = new Float64Array(values.length)
  const lengths = axes.map((axis) => shape[axis])
  for (let i = 0; i < out.length; i++) {
    let [rest, from] = [i, 0]
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += (rest % lengths[axis]) * strides[axes[axis]]
      rest = Math.floor(rest / lengths[axis])
    }
    out[i] = values[from]
  }
  return out
}
