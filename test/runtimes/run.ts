/**
 * Runs the packed and installed package in every runtime, prints a table, fails if one differs:
 *
 *   make runtimes, or: node node_modules/tsx/dist/cli.mjs test/runtimes/run.ts [--only WORD] [--package FOLDER]
 *
 * Node 24 and 26, Deno, Bun and workerd come from the package registry into .cache/runtimes (750 MB); Chromium and Firefox are
 * Debian's (`apt-get install chromium firefox-esr`). A missing runtime fails the run, unless --installed is given.
 * test/build/runtimes.test.ts runs the installed runtimes that start quickly with every `make test`.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { PAGES } from './browser.js'
import { CACHE, installTools, makeProject } from './consumer.js'
import { failure, faults, type Report } from './report.js'
import { expectedOf, isInstalled, PROGRAMS, RUNTIMES } from './runtimes.js'

const { values } = parseArgs({
  options: { only: { type: 'string' }, package: { type: 'string', default: '.' }, installed: { type: 'boolean', default: false } },
})
if (!values.installed) {
  installTools('node-24', 'test/runtimes/node-24')
  installTools('runtimes', 'test/runtimes')
}

const project = makeProject(path.resolve(values.package), PROGRAMS)
const rows: Row[] = []
let reference: Report | undefined
let failed = false
try {
  for (const runtime of RUNTIMES) {
    const wanted = !values.only || runtime.title.toLowerCase().includes(values.only.toLowerCase())
    if (reference && !wanted) continue
    if (!isInstalled(runtime)) {
      if (!values.installed) failed = true
      print({ runtime: runtime.title, result: 'not installed' })
      continue
    }
    const reports = await runtime.run(project.folder).catch((error): Record<string, Report> => ({ '': failure(error) }))
    for (const [page, report] of Object.entries(reports)) {
      reference ??= report
      const wrong = faults(report, reference, expectedOf(runtime, page))
      if (wrong.length > 0) failed = true
      print({
        runtime: runtime.title + (page ? `, ${PAGES[page].title}` : ''),
        result: wrong.join('; ') || 'ok',
        variants: `${report.fast?.variant}/${report.chosen?.variant}`,
        reproducible: report.chosen?.hash,
        threads: report.threads && `${report.threads.map(({ count }) => count)}: ${[...new Set(report.threads.map(({ hash }) => hash))]}`,
        js: report.js?.hash,
        fast: report.fast?.hash,
        loss: report.chosen && `${report.chosen.first.toFixed(3)} → ${report.chosen.last.toFixed(4)}`,
      })
    }
  }
} finally {
  project.remove()
}
writeFileSync(path.join(CACHE, 'runtimes.json'), `${JSON.stringify(rows, null, 2)}\n`)
process.exitCode = failed ? 1 : 0

interface Row {
  runtime: string
  result: string
  variants?: string
  reproducible?: string
  threads?: string
  js?: string
  fast?: string
  loss?: string
}

function print(row: Row): void {
  const head = {
    runtime: 'runtime',
    variants: 'fast/repr.',
    reproducible: 'reproducible',
    threads: 'threads: 3 models',
    js: 'js',
    fast: 'fast',
    loss: 'loss',
    result: 'result',
  }
  if (rows.length === 0) console.log(line(head))
  rows.push(row)
  console.log(line(row))
}

function line({ runtime, variants = '', reproducible = '', threads = '', js = '', fast = '', loss = '', result }: Row): string {
  const hashes = [reproducible.padEnd(16), threads.padEnd(23), js.padEnd(16), fast.padEnd(16)]
  return [runtime.padEnd(42), variants.padEnd(13), ...hashes, loss.padEnd(16), result].join('  ')
}
