/** The limit with which products are compared. */
import binaryen from 'binaryen'

const ROUND_MS = 2
const ROUNDS = 40

/**
 * A loop of multiply-adds on registers, a ← a·x + x in 12 independent chains: GFLOP/s that no kernel of 128-bit vectors exceeds.
 * The product must depend on a: otherwise V8 would move x·x out of the loop, and the loop would measure additions alone.
 */
export function limitOf(relaxed: boolean): () => number {
  const chains = Array.from({ length: 12 }, (_, i) => `$a${i}`)
  const term = (a: string) =>
    relaxed
      ? `(local.set ${a} (f32x4.relaxed_madd (local.get ${a}) (local.get $x) (local.get $x)))`
      : `(local.set ${a} (f32x4.add (f32x4.mul (local.get ${a}) (local.get $x)) (local.get $x)))`
  const body = [...chains, ...chains].map(term).join(' ')
  const sum = chains.slice(1).reduce((s, a) => `(f32x4.add ${s} (local.get ${a}))`, `(local.get ${chains[0]})`)
  const module = binaryen.parseText(`(module (func (export "run") (param $n i32) (result f32) (local $x v128)
    ${chains.map((a) => `(local ${a} v128)`).join(' ')}
    (local.set $x (f32x4.splat (f32.const 0.5)))
    (loop $again ${body} (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f32x4.extract_lane 0 ${sum})))`)
  module.setFeatures(binaryen.Features.All)
  const bytes = module.emitBinary() as Uint8Array<ArrayBuffer>
  module.dispose()
  const run = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.run as (n: number) => number
  const flops = 10_000 * chains.length * 2 * 8
  const limit = () => best(() => run(10_000), flops, 5)
  for (let i = 0; i < 40; i++) limit()
  return limit
}

/** Units per nanosecond in the fastest round; 0 if a call is too slow to repeat. */
export function best(call: () => void, units: number, rounds = ROUNDS): number {
  let fastest = 0
  let calls = 1
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call()
    const elapsed = performance.now() - start
    fastest = Math.max(fastest, (units * calls) / elapsed / 1e6)
    if (elapsed < ROUND_MS / 2) calls = Math.ceil(calls * Math.min(10, ROUND_MS / Math.max(elapsed, 1e-3)))
  }
  return fastest
}
