/**
 * Coverage-guided fuzzing of every parser: `make fuzz`, with `RUNS=10000000` for a long one. Inputs of a corpus are mutated, and one that
 * reaches a branch of the code that none reached before joins the corpus. The same seed gives the same run. A new parser is a line in
 * test/fuzz/targets.ts.
 *
 * A long run may be made in parts: `MINUTES=9 MORE=1` ends after nine minutes, and continues from the inputs and figures of the previous part, which
 * are kept in .cache/fuzz. `--keep` adds what was found to test/fuzz-corpus, which the suite replays. Figures go to test/fuzz/results.json, also if a
 * run is stopped early; RELIABILITY.md takes them from there.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { buildSync } from 'esbuild'
import { instrumented } from '../fuzz/instrument.js'
import { mutated, randomFrom } from '../fuzz/mutate.js'
import type { Target } from '../fuzz/targets.js'
import { cpuTime } from './clocks.js'

export interface FuzzResult {
  executions: number
  /** Number of inputs in the corpus at the end. */
  corpus: number
  /** Branches of the code that inputs have reached. */
  branches: number
  findings: number
  /** CPU time of the slowest input of the corpus. */
  slowestMilliseconds: number
  seconds: number
  date: string
}

const RESULTS = 'test/fuzz/results.json'
/** Limits of each committed corpus: number of files, and bytes of a file. */
const MAX_KEPT = 40
const LONGEST_KEPT = 512
/** Executions between two writings of the figures. */
const SAVED_EVERY = 500_000

const runs = Number(process.env.RUNS ?? 100_000)
const seed = Number(process.env.SEED ?? 1)
const keep = process.argv.includes('--keep')
const goesOn = process.env.MORE === '1'
const until = performance.now() + Number(process.env.MINUTES ?? 1e6) * 60_000

// stack traces of our errors are not read
Error.stackTraceLimit = 0

const folder = path.resolve('.cache/fuzz')
mkdirSync(folder, { recursive: true })
const built = buildSync({ entryPoints: ['test/fuzz/targets.ts'], bundle: true, platform: 'node', format: 'cjs', write: false })
const program = path.join(folder, 'targets.cjs')
writeFileSync(program, instrumented(built.outputFiles[0].text).text)
const { targets, tokens, counters } = createRequire(import.meta.url)(program) as typeof import('../fuzz/targets.js') & {
  counters: Uint8Array
}

/** The counters four at a time, as most are 0 after an input. */
const words = new Uint32Array(counters.buffer)

/** Counts are compared in classes that begin at 1, 2, 3, 4, 8, 16, 32 and 128, as in AFL. */
const LEVELS = Uint8Array.from({ length: 256 }, (_, n) => [1, 2, 3, 4, 8, 16, 32, 128].filter((least) => n >= least).length)

interface Finding {
  input: Uint8Array
  error: unknown
}

/** An input that takes longer than this many milliseconds is kept, but not mutated: fast inputs find as much in more executions, as in AFL. */
const SLOW = 0.3

/** Grows a corpus by inputs that reach a branch, or reach it more often, than any before. */
class Fuzzer {
  readonly corpus: Uint8Array[] = []
  /** The inputs of the corpus that are mutated. */
  readonly parents: Uint8Array[] = []
  readonly findings: Finding[] = []
  /** For each branch, the highest level that any input reached. */
  private readonly reached = new Uint8Array(counters.length)

  constructor(private readonly target: Target) {}

  get branches(): number {
    return this.reached.filter((level) => level > 0).length
  }

  /** Runs an input, which joins the corpus if it reaches something new. */
  run(input: Uint8Array): void {
    counters.fill(0)
    try {
      this.target(input)
    } catch (error) {
      this.findings.push({ input, error })
      return
    }
    let isNew = false
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue
      for (let i = 4 * word; i < 4 * word + 4; i++) {
        const level = LEVELS[counters[i]]
        if (level <= this.reached[i]) continue
        this.reached[i] = level
        isNew = true
      }
    }
    if (!isNew) return
    this.corpus.push(input)
    if (Math.min(...[0, 1, 2].map(() => cpuTime(() => this.target(input)))) <= SLOW) this.parents.push(input)
  }
}

/** Another run may have written it in the meantime. */
const resultsNow = (): Record<string, FuzzResult> => (existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {})
const filesIn = (folder: string) => readdirSync(folder).map((file) => new Uint8Array(readFileSync(path.join(folder, file))))

const only = process.env.TARGET?.split(',') ?? Object.keys(targets)
for (const [name, target] of Object.entries(targets)) {
  if (!only.includes(name)) continue
  const began = performance.now()
  const last = goesOn ? resultsNow()[name] : undefined
  // repeating the same random numbers would make the same inputs
  const random = randomFrom(seed + (last?.executions ?? 0))
  const kept = `test/fuzz-corpus/${name}`
  const parts = path.join(folder, `${name}-parts`)
  for (const made of [kept, parts]) mkdirSync(made, { recursive: true })
  const committed = filesIn(kept)
  const known = (tokens[name] ?? ['\0']).map((text) => new Uint8Array(Buffer.from(text, 'latin1')))
  const fuzzer = new Fuzzer(target)
  for (const input of committed) fuzzer.run(input)
  const before = fuzzer.corpus.length
  if (last !== undefined) for (const input of filesIn(parts)) fuzzer.run(input)
  // a parser without a corpus begins with nothing
  if (fuzzer.parents.length === 0) fuzzer.parents.push(new Uint8Array(0))
  let executions = last?.executions ?? committed.length
  const save = (): FuzzResult => {
    const result = {
      executions,
      corpus: fuzzer.corpus.length,
      branches: fuzzer.branches,
      findings: fuzzer.findings.length,
      slowestMilliseconds: slowest(target, fuzzer.corpus),
      seconds: (last?.seconds ?? 0) + Math.round((performance.now() - began) / 1000),
      date: new Date().toISOString().slice(0, 10),
    }
    writeFileSync(RESULTS, `${JSON.stringify({ ...resultsNow(), [name]: result }, null, 2)}\n`)
    return result
  }
  for (; executions < runs && fuzzer.findings.length === 0; executions++) {
    if (executions % SAVED_EVERY === 0) save()
    if (executions % 1000 === 0) {
      if (performance.now() > until) break
      // memory of unused objects is released between tasks
      await new Promise((resolve) => setImmediate(resolve))
    }
    fuzzer.run(mutated(fuzzer.parents, known, random))
  }
  process.stdout.write(`${name}: ${JSON.stringify(save())}\n`)
  for (const [i, input] of fuzzer.corpus.slice(before).entries()) writeFileSync(path.join(parts, String(i)), input)
  for (const { input, error } of fuzzer.findings.slice(0, 3)) {
    process.exitCode = 1
    const file = path.join(folder, `${name}-finding`)
    writeFileSync(file, input)
    process.stdout.write(`  ${file}: ${(error as Error).stack}\n`)
  }
  if (keep) keepNew(fuzzer.corpus.slice(before), kept, committed.length)
}

/** Milliseconds of CPU for the slowest input: the best of three, as the first may compile. */
function slowest(target: Target, inputs: readonly Uint8Array[]): number {
  const times = inputs.map((input) => Math.min(...[0, 1, 2].map(() => cpuTime(() => target(input)))))
  return Math.round(Math.max(...times) * 100) / 100
}

/** Adds small inputs that reached something new to the committed corpus, named by the order in which they were found. */
function keepNew(inputs: readonly Uint8Array[], folder: string, already: number): void {
  const room = Math.max(0, MAX_KEPT - already)
  const small = inputs.filter(({ length }) => length <= LONGEST_KEPT).slice(0, room)
  for (const [i, input] of small.entries()) writeFileSync(path.join(folder, `found-${String(already + i).padStart(3, '0')}`), input)
}
