/** Polynomials in the lag, by which autoregression and ARIMA describe their forms. */

/** A polynomial in the lag: the coefficient of L^i is at i. */
export type Polynomial = readonly number[]

export function times(a: Polynomial, b: Polynomial): Polynomial {
  const out = new Array<number>(a.length + b.length - 1).fill(0)
  for (const [i, x] of a.entries()) if (x !== 0) for (const [j, y] of b.entries()) out[i + j] += x * y
  return out
}

/** True if the roots lie outside the unit circle: all reflection coefficients are below 1 (the recursion of Durbin and Levinson, back). */
export function isStable(polynomial: Polynomial): boolean {
  let phi = polynomial.slice(1)
  while (phi.length > 0) {
    const last = phi[phi.length - 1]
    if (!(Math.abs(last) < 1)) return false
    phi = phi.slice(0, -1).map((c, i) => (c - last * phi[phi.length - 2 - i]) / (1 - last * last))
  }
  return true
}
