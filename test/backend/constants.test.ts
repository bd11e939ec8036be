/** Constants that Rust and TypeScript both have, since one side allocates memory that the other fills: they must be equal. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SCRATCH_FLOATS, SHARED_INPUTS, WIDE } from '../../ts/backend/fleet.js'
import {
  ACCUMULATE_B,
  ACCUMULATE_W,
  ACCUMULATE_X,
  ACTIVATIONS,
  MAX_HYPER,
  SCRATCH_BYTES,
  SHARED_HYPER,
  TILES,
} from '../../ts/backend/kernels.js'
import { DROPOUT_WORDS, MAX_CLASSES, NETS } from '../../ts/train/fleet/batching-rules.js'

/** Files of constants by which other constants are defined. */
const ELSEWHERE: Readonly<Record<string, string>> = { NETS: 'fleet/mod.rs', PAIRWISE_BLOCK: 'sweep.rs' }

/** The value of a constant of a file of crate/, from its text; constants that it is made of are looked up. */
function constant(file: string, name: string): number {
  const text = readFileSync(`crate/${file}`, 'utf8')
  const found = new RegExp(`\\bconst ${name}: \\w+ = ([^;]+);`).exec(text)?.[1]
  if (found === undefined) throw new Error(`crate/${file} has no constant ${name}; if it has another name or place, say so here`)
  const value = found.replace(/[A-Z][A-Z0-9_]+/g, (other) => String(constant(ELSEWHERE[other] ?? file, other)))
  return Function(`return ${value}`)() as number
}

test.each<[string, number, string, string, number?]>([
  ['nets side by side', NETS, 'fleet/mod.rs', 'NETS'],
  ['floats of a fleet’s scratch', SCRATCH_FLOATS, 'fleet/panels.rs', 'SCRATCH_FLOATS'],
  ['bit: inputs are shared', SHARED_INPUTS, 'abi/fleet.rs', 'SHARED_INPUTS'],
  ['bit: the engine computes eight at once', WIDE, 'abi/fleet.rs', 'WIDE'],
  ['words of a net’s dropout', DROPOUT_WORDS, 'abi/fleet.rs', 'DROPOUT_WORDS'],
  ['most classes of a fleet', MAX_CLASSES, 'fleet/loss.rs', 'MAX_CLASSES'],
  ['bytes of scratch', SCRATCH_BYTES, 'gemm/mod.rs', 'SCRATCH', 4],
  ['most hyper-parameters', MAX_HYPER, 'abi/mod.rs', 'MAX_HYPER'],
  ['hyper-parameters of every update', SHARED_HYPER, 'optim/mod.rs', 'SHARED_HYPER'],
  ['bit: add to w', ACCUMULATE_W, 'dense.rs', 'ACCUMULATE_W'],
  ['bit: add to b', ACCUMULATE_B, 'dense.rs', 'ACCUMULATE_B'],
  ['bit: add to x', ACCUMULATE_X, 'dense.rs', 'ACCUMULATE_X'],
  ...ACTIVATIONS.map((name, i): [string, number, string, string] => [
    `activation ${name}`,
    i,
    'activation.rs',
    name.replace(/[A-Z]/g, '_$&').toUpperCase(),
  ]),
])('%s', (_, here, file, name, unit = 1) => {
  expect(here).toBe(unit * constant(file, name))
})

test('tiles of products stand in the same order', () => {
  const text = readFileSync('crate/gemm/tile.rs', 'utf8')
  const [, list] = /static TILES[^=]*= \[([^\]]+)\]/.exec(text) as RegExpExecArray
  const sizeOf = (rows: string) => (/^\d/.test(rows) ? Number(rows) : constant('gemm/tile.rs', rows))
  expect([...list.matchAll(/shape::<(\w+), (\d+)>/g)].map(([, rows, vectors]) => `${sizeOf(rows)}x${4 * Number(vectors)}`)).toEqual([
    ...TILES,
  ])
})
