/**
 * Assignment of the crate's exports to the core, which every program contains, and to parts. A program contains a part if it imports code that needs
 * it (ts/backend/wasm/parts.ts has one line for each), and loads it on first use. A kernel that is not listed is in the part `others`.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Exports of every instance that are not kernels. */
export const INSTANCE = ['memory', '__stack_pointer', 'table']

/** The updates that files of crate/optim/rules export: the first argument of `export_update!` and of similar macros. */
function updatesOf(file) {
  const text = readFileSync(`crate/optim/rules/${file}`, 'utf8')
  return [...text.matchAll(/^\s*export_(?:update|whole|sums)!\(\s*(\w+)/gm)].map(([, name]) => name)
}

const DESCENT = ['sgd.rs', 'momentum.rs']
const ADAM = ['adam.rs']
/** All others. */
const UPDATES = readdirSync('crate/optim/rules')
  .filter((file) => ![...DESCENT, ...ADAM, 'mod.rs'].includes(file))
  .flatMap(updatesOf)

const CORE = [
  ...['heapBase', 'setTile', 'runProgram'],
  ...['matmul', 'matmulNT', 'matmulTN', 'matmulShare', 'denseForward', 'denseBackward', 'denseForwardShare', 'denseGradientsShare'],
  ...['activationForward', 'activationBackward', 'crossEntropyIndices', 'crossEntropyProbabilities'],
  ...[
    'fill',
    'copy',
    'addScaled',
    'add',
    'sub',
    'mul',
    'div',
    'maximum',
    'minimum',
    'greater',
    'greaterEqual',
    'equal',
    'clip',
    'gatherRows',
  ],
  ...['sumSquares', 'sumAbs', 'maxAbs', 'randomUniform', 'permutation'],
  ...ADAM.flatMap(updatesOf),
]

/** @type {(exports: string[]) => Record<string, string[]>} the exports of each part */
export function partsOf(exports) {
  const forFleets = (names) => names.map((name) => `fleet${name[0].toUpperCase()}${name.slice(1)}`)
  const fleetUpdates = forFleets(UPDATES)
  const fleetOthers = forFleets(['squaredError', 'absoluteError', 'huber', 'crossEntropyProbabilities', 'dropout'])
  const listed = {
    doubles: exports.filter((name) => name.startsWith('double')),
    fleet: exports.filter((name) => name.startsWith('fleet') && ![...fleetUpdates, ...fleetOthers].includes(name)),
    'fleet-updates': fleetUpdates,
    'fleet-others': fleetOthers,
    descent: [...DESCENT.flatMap(updatesOf), 'perturb'],
    updates: UPDATES,
    attention: exports.filter((name) => name.startsWith('attention')),
    conv: exports.filter((name) => /^(conv|maxPool|averagePool|upsample)/.test(name)),
    'batch-norm': exports.filter((name) => name.startsWith('batchNorm')),
    losses: ['squaredError', 'absoluteError', 'huber', 'binaryCrossEntropy'],
    head: ['headLogits', 'headGradient'],
    recurrent: exports.filter((name) => name.startsWith('recurrent')),
    operations: ['neg', 'exp', 'square', 'transpose', 'reduceSum', 'softmax', 'softmaxBackward', 'dropout'],
  }
  const elsewhere = [...INSTANCE, ...CORE, ...Object.values(listed).flat()]
  return { ...listed, others: exports.filter((name) => !elsewhere.includes(name)) }
}
