/**
 * Arithmetic for the hyper-parameters of a step: faster than Math.pow and Math.exp, and with the same bits on every engine, because it uses only
 * sums, products and square roots.
 */

/**
 * Adam's bias correction 1 − βᵗ for an integer t: a mean that started at 0 is too small by this factor after t steps.
 *
 * Computed by repeated squaring; 1 without computation if βᵗ would be lost in rounding. The error is below 1e-13. (Kingma & Ba 2015, section 3.)
 */
export function biasCorrection(beta: number, t: number): number {
  if ((1 - beta) * t > 40) return 1
  // several groups, and the nets of a fleet, request the same values
  const slot = (t & (KEPT / 2 - 1)) + (beta > 0.99 ? KEPT / 2 : 0)
  if (keptSteps[slot] === t && keptBetas[slot] === beta) return kept[slot]
  keptSteps[slot] = t
  keptBetas[slot] = beta
  return (kept[slot] = oneMinusPower(beta, t))
}

/** Bias corrections that were computed last: half of the slots are for β above 0.99, as second moments have. */
const KEPT = 1024
const keptSteps = /* @__PURE__ */ new Float64Array(KEPT)
const keptBetas = /* @__PURE__ */ new Float64Array(KEPT)
const kept = /* @__PURE__ */ new Float64Array(KEPT)

function oneMinusPower(beta: number, t: number): number {
  let power = 1
  for (let square = beta, rest = t; ; square *= square) {
    if (rest & 1) power *= square
    rest >>>= 1
    if (rest === 0) return 1 - power
  }
}

/** Adam's step size and ε at step t, with the bias corrections of both means and ε outside the root. */
export function adamStep(learningRate: number, beta1: number, beta2: number, epsilon: number, t: number) {
  const sqrtCorrection2 = Math.sqrt(biasCorrection(beta2, t))
  return { stepSize: learningRate * (sqrtCorrection2 / biasCorrection(beta1, t)), epsilonHat: sqrtCorrection2 * epsilon }
}

/** xʸ for x ≥ 0. Computed by squares and square roots if 4·y is an integer from 0 to 64, which holds for the exponents of all defaults. */
export function power(x: number, y: number): number {
  const quarters = 4 * y
  if (!(quarters >= 0 && quarters <= 64) || quarters !== Math.floor(quarters)) return x ** y
  let result = 1
  if (quarters & 1) result = Math.sqrt(Math.sqrt(x))
  if (quarters & 2) result *= Math.sqrt(x)
  for (let square = x, rest = quarters >> 2; rest > 0; rest >>= 1, square *= square) if (rest & 1) result *= square
  return result
}

/** eˣ for x ≤ 0 with a relative error of 1e-14, as (eˣᐟ²⁵⁶)²⁵⁶; 0 below −40, where eˣ is lost in the rounding of 1. */
export function expNonPositive(x: number): number {
  if (x < -40) return 0
  const r = x / 256
  let sum = r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r / 3628800))))
  sum = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + sum)))))
  for (let i = 0; i < 8; i++) sum *= sum
  return sum
}
