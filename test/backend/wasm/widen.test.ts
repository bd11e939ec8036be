/**
 * V8 still widens the kernels that it should widen: kernels run with `--experimental-wasm-revectorize`, and V8's own trace is read. Each process has
 * one kernel, compiled by the optimizing compiler at its first call, so a trace shows that kernel alone.
 *
 * On the Node 22 of devDependencies, with the `simd` artifact (that V8 does not widen the fused multiply-add); and with both on newer Nodes: three
 * kernels on the Node 24 of `make test`, all of them in `make nightly`. Needs an x86 processor with AVX2, as widening does.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TILES } from '../../../ts/backend/kernels.js'
import type { Variant } from '../../../ts/backend/wasm/variants.js'
import { NIGHTLY } from '../../tools/nightly.js'
import { hasAvx2, NODES } from './widen/nodes.js'

/** Every update that crate/optim/rules exports. */
const UPDATES = readdirSync('crate/optim/rules').flatMap((file) =>
  [...readFileSync(`crate/optim/rules/${file}`, 'utf8').matchAll(/^export_(?:update|whole|sums)!\((\w+),/gm)].map(([, name]) => name),
)
/** Kernels that write nothing: V8 looks for pairs of vectors where they are stored. */
const SUMS_ALONE = ['dogSums']
const KERNELS = [
  ...['matmul', 'matmulNT', 'matmulTN', 'addScaled', 'softmax', 'exp', 'log', 'erf'],
  ...['relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'mish', 'selu'],
  ...UPDATES.filter((name) => !SUMS_ALONE.includes(name)),
]

/** Updates that are little more than p − η·g, which the V8 of Node 22 does not widen; `widen` pays from Node 24 on. */
const SHORT = ['asgd', 'prodigyStep', 'scheduleFreeSgd', 'sgd', 'signSgd']

/** Kernels whose eˣ − 1 without fused multiply-adds the V8 of Node 22 does not widen. */
const UNFUSED = ['elu', 'selu']

/** Kernels for other Nodes than the one of devDependencies; `make nightly` tests all. */
const SMOKE = ['matmul', 'tanh', 'adam']

const FLAG = '--experimental-wasm-revectorize'
/** Compile at the first call, at once, with the compiler that widens. */
const FLAGS = ['--trace-wasm-revectorize', '--no-liftoff', '--single-threaded']
/** The tile that is the fastest where V8 widens. */
const WIDEST = { simd: '4x16', relaxed: '6x16' } as const

function trace(node: string, variant: Variant, kernel: string, flags: readonly string[]): string {
  const args = [
    'test/backend/wasm/widen/probe.mjs',
    `ts/backend/wasm/generated/${variant}.wasm`,
    kernel,
    String(TILES.indexOf(WIDEST[variant])),
  ]
  return execFileSync(node, [...flags, ...FLAGS, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
}

/** The number of operations on pairs of vectors that V8 joined, without memory and constants, from its final report. */
function widened(text: string): number {
  let [count, decided] = [0, false]
  for (const line of text.split('\n')) {
    // Node 24 and newer list the nodes after the decision; Node 22 lists a tree after it was replaced
    if (/Decided? to vectorize, \d+ revectorizable nodes|After vectorize tree, Packed node/.test(line)) decided = true
    else if (/^Revec: (?:Print \d+: )?(?:0x\S+ )?.*\(.+\)/.test(line) && decided) count += ARITHMETIC.test(line) ? 1 : 0
    else decided = false
  }
  return count
}

const ARITHMETIC = /F32x4(?:Add|Sub|Mul|Div|Max|Min|Pmax|Pmin|Qfma|RelaxedMax|RelaxedMin|Sqrt|Abs|Lt|Le|Gt|Ge)/

describe.skipIf(!hasAvx2)('V8 widens', () => {
  for (const { title, node, variants } of NODES) {
    for (const variant of variants) {
      const isFirst = node.includes('node_modules/node/')
      const left = [...SHORT, ...(variant === 'simd' ? UNFUSED : [])]
      const all = isFirst ? KERNELS.filter((kernel) => !left.includes(kernel)) : KERNELS
      test.each(isFirst || NIGHTLY ? all : SMOKE)(`%s of ${variant} on ${title}`, (kernel) => {
        const told = trace(node, variant, kernel, [FLAG])
        expect(widened(told)).toBeGreaterThan(0)
        // if hyper-parameters are loaded together and taken apart, the code that needs them is not widened
        if (UPDATES.includes(kernel)) expect(told).not.toContain('Unsupported Simd128Shuffle')
      })
      test(`nothing of ${variant} on ${title} without the flag`, () => {
        for (const kernel of ['matmul', 'tanh', 'adam']) expect(widened(trace(node, variant, kernel, []))).toBe(0)
      })
    }
  }
})

test('all updates are asked for', () => {
  expect(UPDATES.length).toBeGreaterThan(20)
})

test('the reader of traces counts arithmetic, not copies', () => {
  const copy =
    'Revec: Print 1519: Decide to vectorize, 2 revectorizable nodes:\nRevec: Print 197: Store(#1, #2)\nRevec: Print 197: Load(#3, #4)\n'
  expect(widened(copy)).toBe(0)
  expect(widened(`${copy}Revec: Print 197: [F32x4Mul](#5, #6)\n`)).toBe(1)
  expect(widened('Revec: NewPackNode 293: PackNode [F32x4Mul](#95, #152)\nRevec: Run 1430: Build tree failed!\n')).toBe(0)
})
