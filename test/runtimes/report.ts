/** The report of program.mjs, and its checks. */

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
  /** For one, two and four requested threads: the number of running threads, and one hash of the weights of three models. */
  threads: { count: number; hash: string }[]
  repeats: boolean
  document: boolean
  warnings: string[]
}

export const failure = (error: unknown): Report => ({ error: error instanceof Error ? error.message : String(error) }) as Report

/** Differences between runtimes and pages. */
export interface Expected {
  /** All requested threads run, or only one. */
  threads: 'all' | 'one'
  /** One characteristic word of each warning, in order. */
  warnings: readonly string[]
  /** True if compiling WebAssembly is forbidden. */
  blocked?: boolean
  /** True for a worker. */
  worker?: boolean
}

/** All threads run, with the same bits as one thread, and no warning. */
export const FULL: Expected = { threads: 'all', warnings: [] }

/** The faults of a report; empty if there are none. `reference`: the report of the first runtime. */
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
  const counts = expected.threads === 'all' ? [1, 2, 4] : [1, 1, 1]
  want(threads.map(({ count }) => count).join() === counts.join(), `${threads.map(({ count }) => count)} threads run, not ${counts}`)
  const hashes = new Set([...threads, ...(blocked ? [] : reference.threads)].map(({ hash }) => hash))
  want(hashes.size === 1, `three models have different weights by threads: ${[...hashes].join(', ')}`)
  const asExpected = warnings.length === expected.warnings.length && expected.warnings.every((word, i) => warnings[i].includes(word))
  want(asExpected, `warnings: ${JSON.stringify(warnings)}`)
  if (expected.worker) want(report.document === false, 'there is a document')
  return wrong
}
