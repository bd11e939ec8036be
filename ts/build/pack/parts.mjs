/**
 * Which exports of the crate are in which part: all else is the core, which every program carries. A part is carried by programs that import
 * what needs it (ts/backend/wasm/parts.ts has one line for each), and loads when it is first asked for.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** The updates that files of crate/optim export: the first argument of each `export_update!` and its like. */
function updatesOf(file) {
  const text = readFileSync(`crate/optim/${file}`, 'utf8')
  return [...text.matchAll(/^\s*export_(?:update|whole|sums)!\(\s*(\w+)/gm)].map(([, name]) => name)
}

const DESCENT = ['sgd.rs', 'momentum.rs']
const CORE = ['adam.rs']

/** @type {(exports: string[]) => Record<string, string[]>} of each part, its exports */
export const partsOf = (exports) => ({
  doubles: exports.filter((name) => name.startsWith('double')),
  fleet: exports.filter((name) => name.startsWith('fleet')),
  descent: [...DESCENT.flatMap(updatesOf), 'perturb'],
  updates: readdirSync('crate/optim')
    .filter((file) => ![...DESCENT, ...CORE, 'mod.rs'].includes(file))
    .flatMap(updatesOf),
  losses: ['squaredError', 'absoluteError', 'huber', 'binaryCrossEntropy'],
  operations: ['neg', 'exp', 'square', 'transpose', 'reduceSum', 'softmax', 'softmaxBackward', 'dropout'],
  others: [
    ...['pow', 'abs', 'sign', 'log', 'sqrt', 'reciprocal', 'sin', 'cos', 'erf'],
    ...['scatterAddRows', 'reduceMax', 'reduceMin', 'argmax', 'logSoftmax', 'logSoftmaxBackward', 'randomNormal'],
  ],
})
