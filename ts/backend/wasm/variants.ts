/**
 * Two variants in one module. They differ in multiply-adds alone: `relaxed` rounds once where `simd` rounds the product and then the sum. The
 * build (ts/build/pack/variants.mjs) writes each as two instructions of three bytes that the crate has no other use for, the marks below:
 * one where the product is, one where the sum is. Here they become those of a variant: for `simd` a multiplication and an addition, for
 * `relaxed` three times nothing, which leaves the factors where they are, and the fused multiply-add. No byte moves.
 */

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

const SIMD_PREFIX = 0xfd
const NOTHING = [1, 1, 1]

/** By the second of three bytes, of which the first is the prefix of all SIMD instructions and the last is 2. */
const MARKS: Readonly<Record<number, Readonly<Record<Variant, readonly number[]>>>> = {
  // f32x4.relaxed_min stands for f32x4.mul or nothing, f32x4.relaxed_max for f32x4.add or f32x4.relaxed_madd
  141: { simd: [SIMD_PREFIX, 0xe6, 1], relaxed: NOTHING },
  142: { simd: [SIMD_PREFIX, 0xe4, 1], relaxed: [SIMD_PREFIX, 0x85, 2] },
  // the same of f64x2
  143: { simd: [SIMD_PREFIX, 0xf2, 1], relaxed: NOTHING },
  144: { simd: [SIMD_PREFIX, 0xf0, 1], relaxed: [SIMD_PREFIX, 0x87, 2] },
}

/** Where marks are. */
export function marksIn(module: Uint8Array): number[] {
  const found: number[] = []
  for (let at = -1; (at = module.indexOf(SIMD_PREFIX, at + 1)) >= 0; ) if (module[at + 2] === 2 && MARKS[module[at + 1]]) found.push(at)
  return found
}

/** The module of a variant. */
export function variantOf(module: Uint8Array, variant: Variant): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(module)
  for (const at of marksIn(module)) out.set(MARKS[module[at + 1]][variant], at)
  return out
}
