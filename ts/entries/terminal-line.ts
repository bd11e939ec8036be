/** The line that `fit` shows at a terminal while it trains, in Node and Bun. Loaded by node.ts. */
import { clock } from '../common/clock.js'
import type { Progress } from '../train/callbacks.js'
import { historyText, timeText, valueTexts } from '../train/history-text.js'
import type { ProgressLine } from '../train/progress-line.js'

/** Modules of Node, without the milliseconds that importing them takes. */
interface Host {
  /** Since Node 20.16. */
  getBuiltinModule?(name: 'tty'): typeof import('node:tty')
  getBuiltinModule?(name: 'worker_threads'): typeof import('node:worker_threads')
}

/** Milliseconds of training before the line appears, unless `verbose` requests it at once. */
const PATIENCE = 500
/** Milliseconds between two lines on a terminal that cannot overwrite a line. */
const BETWEEN = 10_000

/** True while a training shows its line: two lines at the same place would overwrite each other. */
let isTaken = false

/** The line of a training; none if the output is not a terminal, unless `verbose` asks for it. */
export function terminalLine(verbose: boolean | undefined): ProgressLine | undefined {
  const isLive = isTerminal()
  if (isTaken || !(verbose ?? isLive)) return undefined
  isTaken = true
  const began = clock.now()
  let [last, isShown] = [began, false]
  const write = (text: string) => process.stdout.write(text)
  return {
    show(progress) {
      const now = clock.now()
      if (isLive ? now - began < PATIENCE || now - last < 100 : now - last < BETWEEN) return
      last = now
      isShown = true
      write(isLive ? `\r\x1b[K${fitting(lineOf(progress))}` : `${lineOf(progress)}\n`)
    },
    end(history) {
      isTaken = false
      if (isLive && isShown) write('\r\x1b[K')
      if (history !== undefined && (isShown || verbose)) write(`${historyText(history)}\n`)
    },
  }
}

function isTerminal(): boolean {
  const { env } = process
  const { getBuiltinModule: load } = process as Host
  if (env.CI || env.TERM === 'dumb' || load === undefined) return false
  return load('tty')?.isatty(1) === true && load('worker_threads')?.isMainThread === true
}

/** `epoch 3/10 ███░░░ loss 0.3121 · accuracy 0.9120 · validation.loss 0.35 · 12 s left` */
function lineOf({ epoch, epochs, batch, batchesPerEpoch, loss, metrics, validation, secondsLeft }: Progress): string {
  const done = (epoch - 1 + batch / batchesPerEpoch) / epochs
  const filled = Math.round(BAR * done)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled)
  const facts = [...valueTexts({ loss, metrics, validation }), `${timeText(secondsLeft)} left`]
  return `epoch ${epoch}/${epochs} ${bar} ${facts.join(' · ')}`
}

const BAR = 20

/** The line, cut at the width of the terminal. */
function fitting(line: string): string {
  return line.slice(0, (process.stdout.columns ?? 80) - 1)
}
