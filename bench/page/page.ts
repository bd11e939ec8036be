/**
 * The page's program: makes the measurements of `gradus bench` in the browser, and reports them in the same words. `?seconds=0.3`
 * is quicker.
 */
import { cells, type Measurement, measure, NETS, reading } from '../../ts/cli/backend/measure.js'
import { supportedVariants } from '../../ts/debug/index.js'
import { type Backend, createBackend } from '../../ts/index.js'

const byId = (id: string) => document.getElementById(id) as HTMLElement
const seconds = Number(new URLSearchParams(location.search).get('seconds')) || 1

/** Lets the browser draw. */
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

function add(parent: HTMLElement, tag: string, text: string): HTMLElement {
  const child = document.createElement(tag)
  child.textContent = text
  return parent.appendChild(child)
}

function show({ net, batch, byHand, ...byFit }: Measurement): void {
  const row = add(byId('rows'), 'tr', '')
  const texts = [net, String(batch), ...cells(byFit), ...cells(byHand)]
  const tds = texts.map((text) => add(row, 'td', text))
  for (const [cell, { ratio }] of [
    [tds[4], byFit],
    [tds[7], byHand],
  ] as const) {
    if (ratio === null) continue
    const bar = add(cell, 'span', '')
    bar.className = 'bar'
    // twenty times as fast fills the column
    bar.style.width = `${Math.min(100, 5 * ratio)}%`
  }
}

function title(wasm: Backend | null): string {
  const engine = wasm === null ? 'no WebAssembly SIMD here' : `WebAssembly, ${wasm.variant === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}`
  return `${engine}; ${navigator.userAgent.match(/(?:Firefox|Edg|Chrome|Version)\/[\d.]+/)?.[0] ?? 'browser'}, one thread`
}

async function run(): Promise<void> {
  byId('again').hidden = true
  byId('rows').replaceChildren()
  byId('reading').replaceChildren()
  const [variant] = supportedVariants()
  const wasm = variant === undefined ? null : createBackend({ variant })
  const js = createBackend({ backend: 'js' })
  const results: Measurement[] = []
  for (const net of NETS) {
    byId('engine').textContent = `${title(wasm)}: measuring ${net.sizes.join('-')} …`
    await drawn()
    results.push(await measure(net, wasm, js, seconds))
    show(results[results.length - 1])
  }
  byId('engine').textContent = title(wasm)
  for (const line of reading(results)) add(byId('reading'), 'p', line)
  byId('again').hidden = false
  document.documentElement.dataset.done = 'true'
}

byId('again').addEventListener('click', () => void run())
run().catch((error: unknown) => {
  byId('engine').textContent = `It failed: ${error instanceof Error ? error.message : String(error)}`
})
