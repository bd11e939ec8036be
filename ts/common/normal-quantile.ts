/** The inverse of the normal distribution, by + − × ÷ √ and a logarithm. */

/** Factors of two polynomials of degree 7, that of the highest power first, which are divided. */
type Ratio = readonly [above: readonly number[], below: readonly number[]]

const CENTRE: Ratio = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513, 133.14166789178438,
    3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579, 42.31333070160091,
    1,
  ],
]
const MIDDLE: Ratio = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045, 5.769497221460691,
    4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851, 1.6763848301838038,
    2.053191626637759, 1,
  ],
]
const TAIL: Ratio = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487, 1.7848265399172913,
    5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615, 0.1369298809227358,
    0.599832206555888, 1,
  ],
]

/**
 * Φ⁻¹(p) for 0 < p < 1: algorithm AS 241 (PPND16) of M. J. Wichura (Applied Statistics 37, 1988), about 1e-16 relative. Engines differ in the last
 * bit of Math.log, so the logarithm is the caller's own.
 * @internal
 */
export function normalQuantileBy(log: (x: number) => number, p: number): number {
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q)
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p))
  const value = r <= 5 ? ratio(MIDDLE, r - 1.6) : ratio(TAIL, r - 5)
  return q < 0 ? -value : value
}

function ratio([above, below]: Ratio, r: number): number {
  return polynomial(above, r) / polynomial(below, r)
}

/** Horner's rule, written out: a loop takes twice as long. */
function polynomial(f: readonly number[], x: number): number {
  return ((((((f[0] * x + f[1]) * x + f[2]) * x + f[3]) * x + f[4]) * x + f[5]) * x + f[6]) * x + f[7]
}
