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
  repeats: boolean
  document: boolean
  warnings: string[]
}

export const failure = (error: unknown): Report => ({ error: error instanceof Error ? error.message : String(error) }) as Report

/** What is wrong with a report; an empty list if nothing is. `reference`: the report of the first runtime. */
export function faults(report: Report, reference: Report, page = ''): string[] {
  if (report.error) return [report.error]
  const blocked = page === 'csp-strict'
  const { chosen, fast, js, warnings } = report
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
  const expected = blocked ? ['wasm-unsafe-eval', 'reproducible: true'] : []
  const asExpected = warnings.length === expected.length && expected.every((word, i) => warnings[i].includes(word))
  want(asExpected, `warnings: ${JSON.stringify(warnings)}`)
  if (['worker', 'service-worker'].includes(page)) want(report.document === false, 'there is a document')
  return wrong
}
