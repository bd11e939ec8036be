/**
 * Two variants in one module. They differ only in multiply-adds: `relaxed` rounds once, `simd` rounds the product and then the sum. The build
 * (ts/build/pack/variants.mjs) writes each multiply-add as two instructions of three bytes that the crate does not use otherwise, the marks below:
 * one for the product, one for the sum. Here they are replaced by the instructions of a variant. For `simd` these are a multiplication and an
 * addition; for `relaxed` three no-ops, which leave the factors on the stack, and the fused multiply-add. No byte moves.
 */

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

const SIMD_PREFIX = 0xfd
const NOTHING = [1, 1, 1]

/**
 * The instructions for each mark and variant, by the second of a mark's three bytes. The first byte is the prefix of all SIMD instructions, and the
 * last is 2.
 */
const MARKS: Readonly<Record<number, Readonly<Record<Variant, readonly number[]>>>> = {
  // f32x4.relaxed_min stands for f32x4.mul or nothing, f32x4.relaxed_max for f32x4.add or f32x4.relaxed_madd
  141: { simd: [SIMD_PREFIX, 0xe6, 1], relaxed: NOTHING },
  142: { simd: [SIMD_PREFIX, 0xe4, 1], relaxed: [SIMD_PREFIX, 0x85, 2] },
  // the same of f64x2
  143: { simd: [SIMD_PREFIX, 0xf2, 1], relaxed: NOTHING },
  144: { simd: [SIMD_PREFIX, 0xf0, 1], relaxed: [SIMD_PREFIX, 0x87, 2] },
}

/** Positions of the marks. */
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

/**
 * `relaxed` from the file of `simd`. That file ends in a custom section, which engines pass over: the places of the marks, each as its
 * distance from the place before in groups of seven bits, and the number of these bytes as four bytes (ts/build/pack/variants.mjs writes it).
 */
export function relaxedOf(simd: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(simd)
  const end = out.length - 4
  const relaxedBy = new Map(Object.values(MARKS).map(({ simd, relaxed }) => [simd[1], relaxed]))
  let [place, distance, shift] = [0, 0, 0]
  for (let at = end - new DataView(out.buffer).getUint32(end, true); at < end; at++) {
    distance |= (out[at] & 127) << shift
    shift += 7
    if (out[at] >= 128) continue
    place += distance
    distance = shift = 0
    out.set(relaxedBy.get(out[place + 1]) as readonly number[], place)
  }
  return out
}
