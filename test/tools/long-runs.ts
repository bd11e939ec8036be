/**
 * Proofs that take too long for the suite: `make long-runs`, or `make long-runs ONLY=server`. Each is a test of the suite with more cases, or a
 * target of the Makefile; its result is written with its date to test/reliability/long-runs.json, from which RELIABILITY.md is made. A new proof is a
 * line of RUNS.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface LongResult {
  what: string
  /** The count, such as `10 tests`. */
  figure: string
  passed: boolean
  minutes: number
  node: string
  date: string
}

interface LongRun {
  what: string
  command: string
  /** Pattern for the output; the figure is the number of matches, or the first group. Default: tests that passed. */
  counts?: { pattern: RegExp; of: string }
}

const vitest = (env: string, file: string, name = '.') =>
  `NO_COLOR=1 ${env} "$NODE" node_modules/vitest/vitest.mjs run ${file} -t '${name}' --testTimeout=36000000`

const RUNS: Record<string, LongRun> = {
  sequences: {
    what: 'fault 1: 10,000 random sequences of writes, steps, predictions and growth against a shadow model, on each backend',
    command: vitest('GRADUS_SEQUENCES=10000', 'test/reliability/input-arrays.test.ts', 'random sequences'),
  },
  products: {
    what: 'fault 33: products for all m, n, k from 0 to 33, in three layouts, added to what is there or not, at every alignment, on each backend, against loops in double precision',
    command: vitest('GRADUS_SIZES=33', 'test/backend/kernels.gemm.test.ts', 'exhaustively'),
  },
  fits: {
    what: 'P1: 20,000 awaited fits of new models, first steps of 20,000, 80,000 abandoned iterators, 20,000 by hand: within 256 MiB',
    command: vitest('GRADUS_FITS=20000', 'test/reliability/many-fits.test.ts', 'P1: the memory'),
  },
  server: {
    what: 'a node:http server that trains a net for each of 200 requests at a time, for a minute: no error, within 256 MiB, 99 % of the turns of the event loop below 50 ms by the clock; a turn below 25 ms for 1, 50 and 200 fits at once',
    command: vitest(
      'GRADUS_STRICT=clock GRADUS_SECONDS=60',
      'test/reliability/many-fits.test.ts',
      'a server that trains|a turn of the event',
    ),
    counts: { pattern: /99 % of turns: (.*)$/m, of: '' },
  },
  denormals: {
    what: 'fault 29: a step on weights and inputs of 1e-40 takes at most 1.5 times that on others; of products of 1e-20, no longer than the processor itself, which bench/native/denormals.c measures',
    command: `gcc -O2 -msse2 bench/native/denormals.c -o .cache/denormals && .cache/denormals && GRADUS_PROCESSOR=$(.cache/denormals | grep -o '[0-9.]*' | head -1) ${vitest('GRADUS_STRICT=1', 'test/reliability/denormals.test.ts')}`,
    counts: { pattern: /^in C ([\d.]+) times/m, of: 'times in C for 1e-20' },
  },
  ...Object.fromEntries(
    [2, 3, 4, 5, 6, 7, 8, 9].map((seed) => [
      `fuzz-fit-${seed}`,
      {
        what: `2,500 of 20,000 random trainings, those of seed ${seed}, by fit and fitMany against the loop by hand, on each backend, to the bit`,
        command: vitest(`FUZZ=${seed},2500`, 'test/train/fit.fuzz.test.ts'),
      },
    ]),
  ),
  'fuzz-clock': {
    what: 'P9, fault 39: random trainings (fit, trainSteps, fitMany, stopped and gone on with; wrappers, layers and losses of one’s own, callbacks) by clocks that jump, run ahead and stand still, to the bit of the clock of the machine and of the loop by hand',
    command: 'make fuzz-clock SEED=11 RUNS=4800',
    counts: { pattern: /^\d+ cases, (\d+ trainings)/m, of: '' },
  },
  fleets: {
    what: '1,000 random fleets in JavaScript, with fused multiply-adds, without, and on two threads: weights, state and history of each net to the bit of fit alone',
    command: vitest('FLEETS=1000', 'test/train/fleet/fleet.test.ts', 'random fleets'),
  },
  'fleets-widened': {
    what: '1,000 random fleets on vectors that V8 widens (Node 24), with fused multiply-adds and without: each net to the bit of fit alone there',
    command: vitest('WIDEN=1 FLEETS=1000', 'test/train/fleet/fleet.test.ts', 'random fleets|V8 widens'),
  },
  runtimes: {
    what: 'P3, faults 36 and 37: three kinds of models on one, two and four threads, in every runtime and page: one hash of all weights',
    command: 'make runtimes',
    counts: { pattern: / ok$/gm, of: 'set-ups' },
  },
  memcheck: {
    what: 'the kernels, native, under valgrind: no read or write beside what was allocated',
    command: 'make memcheck',
    counts: { pattern: /^test result: ok\. (\d+) passed/m, of: 'tests' },
  },
  kills: {
    what: 'fault 13: SIGKILL at 1,000 random moments of a training that saves after each epoch: nothing lost, and in the end the bits of one without kills',
    command: 'make kills KILLS=1000',
    counts: { pattern: /^ *lost: (\d+)/m, of: 'lost' },
  },
  'page-kills': {
    what: 'fault 13: SIGKILL of Chromium at 100 random moments while a page saves in its database: nothing lost',
    command: 'make page-kills KILLS=100',
    counts: { pattern: /lost: (\d+)/m, of: 'lost' },
  },
  'kill-proof': {
    what: 'SIGKILL of a study at random moments, 100 times each in a journal and in SQLite, on two Nodes: no finished trial lost or doubled, and the trials of a study that nobody killed; two studies on a disk that is full keep what was told',
    command: 'make kill-proof',
    counts: { pattern: /^(\d+ kills: .*)$/m, of: '' },
  },
  'trials-in-threads': {
    what: '2,400 trials, three at a time in threads that are used again, which report late or nonsense, throw, die and hang: each has the value, reports and notes of its own',
    command: vitest('GRADUS_UNRULY=60', 'test/tune/parallel/unruly.test.ts'),
  },
  'optuna-proof': {
    what: 'a journal that gradus and Optuna write by turns and at once, with every kind of range, reports, pruning and constraints: each trial is there once and the same for both, and optuna-dashboard shows it',
    command: 'NO_COLOR=1 make optuna-proof',
  },
  'queue-proof': {
    what: 'a study on a queue of Redis, and one of PostgreSQL: 2,000 trials on machines that are network namespaces with host names of their own; 40 workers killed, the program twice, the server crashed twice, once with its last entries lost, a machine cut off for 60 s, an objective that hangs, throws and is edited in the midst: each trial is over once with a state that is true, and the study is never silent for more than ten seconds in which it has the processor',
    command: 'make queue-proof',
    counts: { pattern: /^each: (.*)$/m, of: '' },
  },
  mutants: {
    what: 'places of ts/ops, ts/optim, ts/loss and ts/data, drawn at random, that are changed one at a time, such as + to −: the tests of the folder fail. Changes without effect count as missed, unless test/tools/equivalent-mutants.json gives a reason',
    command: 'make mutants',
    counts: { pattern: /^killed (.*)$/m, of: '' },
  },
  'same-bytes': {
    what: 'two clean builds in two folders, and their tarballs, are the same to the byte',
    command: 'make same-bytes',
    counts: { pattern: /^(\d+) files/m, of: 'files' },
  },
}

const RESULTS = 'test/reliability/long-runs.json'

export function longResults(): Record<string, LongResult> {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {}
}

function figureOf({ counts }: LongRun, output: string): string {
  const { pattern, of } = counts ?? { pattern: /^\s*Tests .*?(\d+) passed/m, of: 'tests' }
  if (pattern.global) return `${output.match(pattern)?.length ?? 0} ${of}`
  const [, figure] = output.match(pattern) ?? []
  // a figure of 0 would say that nothing was lost
  if (figure === undefined) throw new Error(`nothing in the output is ${pattern}`)
  return `${figure} ${of}`.trim()
}

function run(name: string): LongResult {
  const began = performance.now()
  const env = { ...process.env, NODE: process.execPath }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', RUNS[name].command], { encoding: 'utf8', maxBuffer: 2 ** 28, env })
  if (status !== 0) process.stdout.write(`${stdout}\n${stderr}\n`)
  return {
    what: RUNS[name].what,
    figure: status === 0 ? figureOf(RUNS[name], stdout) : 'failed',
    passed: status === 0,
    minutes: Math.round((performance.now() - began) / 6000) / 10,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.env.ONLY?.split(',') ?? Object.keys(RUNS)
  for (const name of only) {
    if (!(name in RUNS)) throw new Error(`no long run '${name}'; there are ${Object.keys(RUNS).join(', ')}`)
    const result = run(name)
    process.stdout.write(`${name}: ${JSON.stringify(result)}\n`)
    // read again, as another run may have ended in the meantime
    writeFileSync(RESULTS, `${JSON.stringify({ ...longResults(), [name]: result }, null, 2)}\n`)
    if (!result.passed) process.exitCode = 1
  }
}
