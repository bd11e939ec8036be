/** `fill` and `copyWithin` of typed arrays for possibly few numbers: for small nets a call of these methods costs more than a loop. */
import type { FloatArray } from '../heap.js'

/** Above this many numbers the calls are faster. */
const FEW = 32

/** f[at + i] = value for i < n */
export function fillNumbers(f: FloatArray, at: number, n: number, value: number): void {
  if (n > FEW) f.fill(value, at, at + n)
  else for (let i = at; i < at + n; i++) f[i] = value
}

/** f[to + i] = f[from + i] for i < n, which do not overlap */
export function copyNumbers(f: FloatArray, from: number, to: number, n: number): void {
  if (n > FEW) f.copyWithin(to, from, from + n)
  else for (let i = 0; i < n; i++) f[to + i] = f[from + i]
}
