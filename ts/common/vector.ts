/** Plain loops over vectors in double precision. */

/** aᵀb */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** √(aᵀa) */
export function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a))
}

/** maxᵢ |aᵢ|; NaN if any is NaN */
export function maxAbs(a: Float64Array): number {
  let max = 0
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs(a[i])
    if (size !== size) return size
    if (size > max) max = size
  }
  return max
}

/** Σᵢ |aᵢ| */
export function sumAbs(a: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i])
  return sum
}

/** y ← y + α·x */
export function addScaled(y: Float64Array, alpha: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += alpha * x[i]
}

/** out ← x + t·d */
export function along(x: Float64Array, t: number, d: Float64Array, out: Float64Array): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i] + t * d[i]
}

/** out ← α·x */
export function scaled(x: Float64Array, alpha: number, out: Float64Array): void {
  for (let i = 0; i < x.length; i++) out[i] = alpha * x[i]
}

/** a − b */
export function difference(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length)
  for (let i = 0; i < a.length; i++) out[i] = a[i] - b[i]
  return out
}

/** True if every element is a finite number. */
export function allFinite(a: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (!Number.isFinite(a[i])) return false
  return true
}

/** A copy as a Float64Array, by a loop: Float64Array.from uses iterators, which are slow. @internal */
export function copied(r: ArrayLike<number>): Float64Array {
  const out = new Float64Array(r.length)
  for (let i = 0; i < out.length; i++) out[i] = r[i]
  return out
}
