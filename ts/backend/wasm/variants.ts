/** One module for both variants: which instructions differ. ts/build/pack/variants.mjs writes it and says how; change neither alone. */

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

/** An instruction of SIMD, by its number. */
const simd = (number: number) => [0xfd, (number & 127) | 128, number >> 7]
const nothing = [1, 1, 1]
const [add, mul, add2, mul2] = [0xe4, 0xe6, 0xf0, 0xf2].map(simd)

/** What is written 0xfd, one of these, 2, is no instruction of ours but stands for the first in `simd`, for the other in `relaxed`. */
const MARKS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  141: [mul, nothing],
  142: [add, simd(0x105)],
  143: [mul2, nothing],
  144: [add2, simd(0x107)],
}

/** The module of a variant. */
export function variantOf(module: Uint8Array, variant: Variant): Uint8Array<ArrayBuffer> {
  const out = module.slice() as Uint8Array<ArrayBuffer>
  for (let at = -1; (at = module.indexOf(0xfd, at + 1)) >= 0; ) {
    const found = module[at + 2] === 2 && MARKS[module[at + 1]]
    if (found) out.set(found[variant === 'simd' ? 0 : 1], at)
  }
  return out
}
