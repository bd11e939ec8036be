/** Softmax of one row in double precision, for code that runs without kernels. */

/** z ← exp(z)/Σ exp(z), shifted by the largest of z so that nothing overflows. Returns z. */
export function softmaxOf<Z extends Float64Array | number[]>(z: Z): Z {
  let most = z[0]
  for (let k = 1; k < z.length; k++) if (z[k] > most) most = z[k]
  let sum = 0
  for (let k = 0; k < z.length; k++) sum += z[k] = Math.exp(z[k] - most)
  for (let k = 0; k < z.length; k++) z[k] /= sum
  return z
}
