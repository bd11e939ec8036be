/** `gradus bench`: speed of training steps on nets from tiny to medium, for WASM and JS. */
import { Command, Option } from 'commander'
import { describe } from '../../common/options.js'
import { supportedVariants } from '../../debug/index.js'
import { createBackend, type Variant } from '../../index.js'
import { type Measurement, measure, NETS, reading, resultLines } from '../backend/measure.js'
import { backendTitle } from '../backend/title.js'
import { widenedOrNot } from '../backend/widen.js'
import { variantOption, widenOption } from '../options/backend.js'
import { flag } from '../options/values.js'
import { isLive, paint, print, printText } from '../terminal/terminal.js'

/** Options of `gradus bench`. */
interface BenchOptions {
  variant?: Variant
  widen: boolean
  /** Seconds of measurement for each net and backend. */
  seconds: number
  json?: boolean
}

const SECONDS = { is: { min: 0.01, max: 60 }, default: 1.5 }

export function benchCommand(): Command {
  return new Command('bench')
    .summary('measure training steps per second, WASM beside JS')
    .description(
      'Measures whole training steps (forward, loss, backward, Adam) on five nets from tiny to middling, on one core: by fit, which runs ' +
        'recorded steps, and by a loop by hand, which the table in the README measures.',
    )
    .addOption(flag('--seconds <x>', `measuring time for each net and backend, ${describe(SECONDS.is)}`, SECONDS))
    .addOption(variantOption())
    .addOption(widenOption())
    .addOption(new Option('--json', 'print one JSON object instead'))
    .action((options: BenchOptions) => bench(options))
}

async function bench({ variant, widen, seconds, json = false }: BenchOptions): Promise<void> {
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
