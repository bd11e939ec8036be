/** `gradus bench`: training steps on nets from tiny to middling, WASM beside JS. */
import { createBackend, supportedVariants, type Variant } from '../../index.js'
import { type Measurement, measure, NETS, reading, resultLines } from '../backend/measure.js'
import { widenedOrNot } from '../backend/widen.js'
import { backendTitle } from '../data-sets/setup.js'
import { isLive, paint, print, printText } from '../terminal/terminal.js'

/** Options of `gradus bench`. */
export interface BenchOptions {
  variant?: Variant
  widen: boolean
  /** Seconds of measuring for each net and backend. */
  seconds: number
  json?: boolean
}

/** Runs the command. */
export async function bench({ variant, widen, seconds, json = false }: BenchOptions): Promise<void> {
  const chosen = variant ?? supportedVariants()[0]
  const make = (wide: boolean) => (chosen === undefined ? null : createBackend({ backend: 'wasm', variant: chosen, widen: wide }))
  const wasm = await widenedOrNot(widen, make)
  const js = createBackend({ backend: 'js' })
  if (!json) {
    print(paint('bold', 'Training steps per second, by fit and by a loop by hand: forward, loss, backward and Adam'))
    print(`Node ${process.versions.node}, ${wasm ? backendTitle(wasm) : 'no WebAssembly here'}`)
    print()
  }
  const results: Measurement[] = []
  for (const net of NETS) {
    if (!json && isLive()) process.stdout.write(`\r\x1b[Kmeasuring ${net.sizes.join('-')} …`)
    await new Promise(setImmediate)
    results.push(await measure(net, wasm, js, seconds))
  }
  if (!json && isLive()) process.stdout.write('\r\x1b[K')
  const { variant: used = null, widened = false } = wasm ?? {}
  if (json) print(JSON.stringify({ runtime: `Node ${process.versions.node}`, variant: used, widened, results }))
  else {
    for (const line of [...resultLines(results), '']) print(line)
    for (const sentence of reading(results)) printText(sentence)
  }
}
