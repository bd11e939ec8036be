/**
 * `make bench-page`: a single file that needs no other. In Chromium, if Debian's is installed, it measures and shows its figures.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { page } from '../../bench/page/build.js'
import { NETS } from '../../ts/cli/backend/measure.js'
import { BROWSERS, visit } from '../runtimes/browser.js'

/** The final content of the page. */
interface Shown {
  engine: string
  rows: string[][]
  bars: number
  reading: string[]
  again: boolean
  failures: string[]
}

let html: string
let folder: string

beforeAll(async () => {
  html = await page()
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-bench-page-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('is one file', () => {
  expect(html).not.toMatch(/<(?:link|img)\b|<script[^>]*\ssrc=|@import|url\(/)
  expect(html.match(/<script/g)).toHaveLength(1)
  expect(html).not.toMatch(/^import /m)
  expect(html).not.toContain('/* page.ts */')
})

/** Posts the content of the page when the page says that it is done. */
const REPORTER = `<script>
  const failures = []
  addEventListener('error', ({ message }) => failures.push(message))
  addEventListener('unhandledrejection', ({ reason }) => failures.push(String(reason)))
  const texts = (selector, within = document) => [...within.querySelectorAll(selector)].map((element) => element.textContent)
  const timer = setInterval(() => {
    const engine = document.getElementById('engine').textContent
    if (!document.documentElement.dataset.done && !engine.startsWith('It failed') && failures.length === 0) return
    clearInterval(timer)
    const rows = [...document.querySelectorAll('#rows tr')].map((row) => texts('td', row))
    const bars = [...document.querySelectorAll('.bar')].filter((bar) => bar.getBoundingClientRect().width > 0).length
    const again = !document.getElementById('again').hidden
    const body = JSON.stringify({ page: 'bench', engine, rows, bars, reading: texts('#reading p'), again, failures })
    fetch('/report', { method: 'POST', body })
  }, 100)
</script>`

describe.skipIf(!existsSync(BROWSERS.chromium.command))('in Chromium', () => {
  test('measures each net and says what it means', async () => {
    writeFileSync(path.join(folder, 'bench.html'), html.replace('<script type="module">', `${REPORTER}<script type="module">`))
    const pages = [{ name: 'bench', url: '/bench.html?seconds=0.02' }]
    const reports = (await visit('chromium', pages, { '/': folder })) as unknown as Record<string, Shown>
    const { engine, rows, bars, reading, again, failures } = reports.bench
    expect(failures).toEqual([])
    expect(engine).toMatch(/^WebAssembly, relaxed SIMD; Chrome\/\d+[\d.]*, one thread$/)
    expect(rows.map(([net]) => net)).toEqual(NETS.map(({ sizes }) => sizes.join('-')))
    for (const [, , ...both] of rows)
      for (const loop of [both.slice(0, 3), both.slice(3)]) {
        const [w, j, r] = loop.map((text) => Number.parseFloat(text.replaceAll(',', '')))
        expect(Math.abs(w / j / r - 1)).toBeLessThan(0.02)
      }
    // one bar for fit and one for the hand-written loop
    expect(bars).toBe(2 * NETS.length)
    expect(reading[0]).toMatch(/^On this machine WebAssembly trains \S+ [\d.]+ times as fast as JavaScript, by fit\.$/)
    expect(reading).toHaveLength(5)
    expect(again).toBe(true)
  })
})
