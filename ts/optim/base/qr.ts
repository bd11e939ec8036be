/** The QR factorization of small matrices in doubles, by Householder reflections. */

/**
 * Q of the QR factorization of a[n, n]: orthonormal columns whose first j span the first j columns of `a`. Orthonormal to rounding for any `a`; if a
 * column depends on earlier ones, some unit vector takes its place.
 */
export function orthonormalize(a: Float64Array, n: number): Float64Array {
  const columns = transposed(a, n)
  const reflectors: Float64Array[] = []
  for (let k = 0; k < n; k++) {
    const reflector = householder(columns.subarray(k * n, (k + 1) * n), k)
    for (let j = k + 1; j < n; j++) reflect(columns, j * n, reflector, k)
    reflectors.push(reflector)
  }
  const q = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    q[j * n + j] = 1
    for (let k = j; k >= 0; k--) reflect(q, j * n, reflectors[k], k)
  }
  return transposed(q, n)
}

/** v with I − v·vᵀ taking x[k..] to a multiple of the k-th unit vector; zeros if it is one already. */
function householder(x: Float64Array, k: number): Float64Array {
  const v = new Float64Array(x.length)
  const largest = x.subarray(k).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (largest === 0) return v
  let sum = 0
  for (let i = k; i < x.length; i++) sum += (v[i] = x[i] / largest) ** 2
  const norm = Math.sqrt(sum)
  const head = v[k] + (v[k] < 0 ? -norm : norm)
  const scale = 1 / Math.sqrt(norm * Math.abs(head))
  v[k] = head
  for (let i = k; i < x.length; i++) v[i] *= scale
  return v
}

/** y ← y − v·(v·y) for the column that starts at `at`, from its k-th element on. */
function reflect(y: Float64Array, at: number, v: Float64Array, k: number): void {
  let dot = 0
  for (let i = k; i < v.length; i++) dot += v[i] * y[at + i]
  if (dot !== 0) for (let i = k; i < v.length; i++) y[at + i] -= dot * v[i]
}

function transposed(a: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[j * n + i] = a[i * n + j]
  return out
}
