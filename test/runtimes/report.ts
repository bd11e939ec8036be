/** What program.mjs reports, and what may be wrong with it. */

export interface Run {
  variant: 'simd' | 'relaxed' | 'js'
  first: number
  last: number
  hash: string
  optimizer: string
}

/** `chosen`: load({ reproducible: true }). `fast`: load(). `js`: gradus/js. `error`: instead of all others. */
export interface Report {
  error?: string
  chosen: Run
  fast: Run
  js: Run
  /** `hash` of a wide net on `count` threads, `alone` on one. */
  threads: { count: number; hash: string; alone: string; isolated?: boolean }
  repeats: boolean
  document: boolean
  warnings: string[]
}

export const failure = (error: unknown): Report => ({ error: error instanceof Error ? error.message : String(error) }) as Report

/** What differs between runtimes and pages. */
export interface Expected {
  /** How many threads run where two were asked for. */
  threads: 1 | 2
  /** A word of each warning, in order. */
  warnings: readonly string[]
  /** Whether WebAssembly may not be compiled. */
  blocked?: boolean
  /** Whether it is a worker. */
  worker?: boolean
}

/** The bits and figures of a thread more, and no warning. */
export const FULL: Expected = { threads: 2, warnings: [] }

/** What is wrong with a report; an empty list if nothing is. `reference`: the report of the first runtime. */
export function faults(report: Report, reference: Report, expected: Expected = FULL): string[] {
  if (report.error) return [report.error]
  const { blocked = false } = expected
  const { chosen, fast, js, threads, warnings } = report
  const wrong: string[] = []
  const want = (fine: boolean, text: string) => fine || wrong.push(text)
  want(chosen.variant === (blocked ? 'js' : 'simd'), `reproducible chose ${chosen.variant}`)
  want(blocked ? fast.variant === 'js' : fast.variant !== 'js', `load() chose ${fast.variant}`)
  for (const [name, run] of Object.entries({ chosen, fast, js })) {
    want(run.last < 0.25 * run.first, `${name}: the loss went from ${run.first} to ${run.last} only`)
    want(run.optimizer === 'Adam', `${name}: the optimizer calls itself ${run.optimizer}`)
  }
  want(report.repeats, 'the same seed gave other weights, or another seed the same')
  if (!blocked) want(chosen.hash === reference.chosen.hash, `weights ${chosen.hash}, elsewhere ${reference.chosen.hash}`)
  want(threads.count === expected.threads, `${threads.count} threads run, not ${expected.threads}`)
  want(threads.hash === threads.alone, `weights ${threads.hash} with ${threads.count} threads, ${threads.alone} with one`)
  if (!blocked) want(threads.hash === reference.threads.hash, `wide weights ${threads.hash}, elsewhere ${reference.threads.hash}`)
  const asExpected = warnings.length === expected.warnings.length && expected.warnings.every((word, i) => warnings[i].includes(word))
  want(asExpected, `warnings: ${JSON.stringify(warnings)}`)
  if (expected.worker) want(report.document === false, 'there is a document')
  return wrong
}
