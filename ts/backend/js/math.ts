/**
 * erf and erfc in doubles by the rational approximations of W. J. Cody ("Rational Chebyshev approximations for the
 * error function", Math. Comp. 23, 1969); relative error below 1e-15 where the result is a normal number.
 */

/** erf(x) */
export function erf(x: number): number {
  const t = Math.abs(x)
  if (t <= 0.46875) return x * erfSmall(x * x)
  const value = 1 - erfcPositive(t)
  return x < 0 ? -value : value
}

/** erfc(x) = 1 − erf(x), without cancellation for large x */
export function erfc(x: number): number {
  const t = Math.abs(x)
  if (t <= 0.46875) return 1 - x * erfSmall(x * x)
  return x < 0 ? 2 - erfcPositive(t) : erfcPositive(t)
}

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
/** The normal distribution's Φ(x), accurate in both tails. */
export const normalCdf = (x: number) => 0.5 * erfc(-x * Math.SQRT1_2)
/** Its density φ(x). */
export const normalPdf = (x: number) => Math.exp(-0.5 * x * x) * 0.3989422804014327

/** erf(x) / x for |x| ≤ 0.46875, from z = x² */
function erfSmall(z: number): number {
  const p = (((0.18577770618460315 * z + 3.1611237438705655) * z + 113.86415415105016) * z + 377.485237685302) * z + 3209.3775891384694
  const q = (((z + 23.601290952344122) * z + 244.02463793444417) * z + 1282.6165260773723) * z + 2844.236833439171
  return p / q
}

/** erfc(t) for t > 0.46875 */
function erfcPositive(t: number): number {
  if (t > 27) return 0
  // exp(−t²) with t² split so that its rounding error does not grow: high has 4 fraction bits, so high² is exact
  const high = Math.trunc(t * 16) / 16
  const gauss = Math.exp(-high * high) * Math.exp(-(t - high) * (t + high))
  return gauss * (t <= 4 ? erfcMiddle(t) : erfcLarge(t))
}

/** erfc(t) · exp(t²) for 0.46875 < t ≤ 4 */
function erfcMiddle(t: number): number {
  const p =
    (((((((2.1531153547440383e-8 * t + 0.5641884969886701) * t + 8.883149794388377) * t + 66.11919063714163) * t + 298.6351381974001) * t +
      881.952221241769) *
      t +
      1712.0476126340707) *
      t +
      2051.0783778260716) *
      t +
    1230.3393547979972
  const q =
    (((((((t + 15.744926110709835) * t + 117.6939508913125) * t + 537.1811018620099) * t + 1621.3895745666903) * t + 3290.7992357334597) *
      t +
      4362.619090143247) *
      t +
      3439.3676741437216) *
      t +
    1230.3393548037495
  return p / q
}

/** erfc(t) · exp(t²) for t > 4 */
function erfcLarge(t: number): number {
  const z = 1 / (t * t)
  const p =
    ((((0.016315387137302097 * z + 0.30532663496123236) * z + 0.36034489994980445) * z + 0.12578172611122926) * z + 0.016083785148742275) *
      z +
    0.0006587491615298378
  const q =
    ((((z + 2.568520192289822) * z + 1.8729528499234673) * z + 0.5279051029514285) * z + 0.06051834131244132) * z + 0.0023352049762686918
  return (0.5641895835477563 - (z * p) / q) / t
}

/** Factors of selu: λ above 0 (Klambauer et al. 2017). */
export const SELU_ABOVE = 1.0507009873554805
/** λ·α below. */
export const SELU_BELOW = 1.7580993408473766
