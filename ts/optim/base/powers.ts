/** Powers for the numbers of a step, faster than Math.pow and with the same bits on every engine: nothing but arithmetic and roots. */

/**
 * 1 − βᵗ for a whole t: what is missing in a mean that started at 0. By squaring; 1 at once where βᵗ is less than half a bit of
 * it; the error is below 1e-13.
 */
export function missing(beta: number, t: number): number {
  if ((1 - beta) * t > 40) return 1
  let power = 1
  for (let square = beta, rest = t; ; square *= square) {
    if (rest & 1) power *= square
    rest >>>= 1
    if (rest === 0) return 1 - power
  }
}

/** xʸ for x ≥ 0: by squares and roots where 4·y is a whole number, 0 to 64, as the exponents of all defaults are. */
export function power(x: number, y: number): number {
  const quarters = 4 * y
  if (!(quarters >= 0 && quarters <= 64) || quarters !== Math.floor(quarters)) return x ** y
  let result = 1
  if (quarters & 1) result = Math.sqrt(Math.sqrt(x))
  if (quarters & 2) result *= Math.sqrt(x)
  for (let square = x, rest = quarters >> 2; rest > 0; rest >>= 1, square *= square) if (rest & 1) result *= square
  return result
}

/** eˣ for x ≤ 0, to 1e-14 of it; 0 below −40, where it is less than half a bit of 1. By eˣ = (eˣᐟ²⁵⁶)²⁵⁶. */
export function decayed(x: number): number {
  if (x < -40) return 0
  const r = x / 256
  let sum = r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r / 3628800))))
  sum = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + sum)))))
  for (let i = 0; i < 8; i++) sum *= sum
  return sum
}
