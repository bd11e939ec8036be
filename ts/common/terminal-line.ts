/** A line at a terminal that is overwritten while work goes on, in Node and Bun. Entries that are built apart have copies of this file. */
import { clock } from './clock.js'

/** Modules of Node, without the milliseconds that importing them takes. */
interface Host {
  /** Since Node 20.16. */
  getBuiltinModule?(name: 'tty'): typeof import('node:tty')
  getBuiltinModule?(name: 'worker_threads'): typeof import('node:worker_threads')
}

/** @internal The line of one piece of work. */
export interface TerminalLine {
  /** Shows a text, unless it comes too soon after the one before. */
  show(text: () => string): void
  /** Removes the line. A text takes its place, if the line was shown or requested. */
  end(text?: string): void
}

/** Milliseconds of work before the line appears, unless `verbose` requests it at once. */
const PATIENCE = 500
/** Milliseconds between two lines on a terminal that cannot overwrite a line. */
const BETWEEN = 10_000

/** True while a line is shown: two lines at the same place would overwrite each other. */
let isTaken = false

/** @internal The line of some work; none if the output is not a terminal, unless `verbose` asks for it. */
export function terminalLine(verbose: boolean | undefined): TerminalLine | undefined {
  const isLive = isTerminal()
  if (isTaken || !(verbose ?? isLive) || typeof process === 'undefined' || !process.stdout) return undefined
  isTaken = true
  const began = clock.now()
  let [last, isShown] = [began, false]
  const write = (text: string) => process.stdout.write(text)
  return {
    show(text) {
      const now = clock.now()
      if (isLive ? now - began < PATIENCE || now - last < 100 : now - last < BETWEEN) return
      last = now
      isShown = true
      write(isLive ? `\r\x1b[K${fitting(text())}` : `${text()}\n`)
    },
    end(text) {
      isTaken = false
      if (isLive && isShown) write('\r\x1b[K')
      if (text !== undefined && (isShown || verbose)) write(`${text}\n`)
    },
  }
}

function isTerminal(): boolean {
  if (typeof process === 'undefined') return false
  const { env } = process
  const { getBuiltinModule: load } = process as Host
  if (!env || env.CI || env.TERM === 'dumb' || load === undefined) return false
  return load('tty')?.isatty(1) === true && load('worker_threads')?.isMainThread === true
}

const BAR = 20

/** @internal `███░░░`, for a fraction from 0 to 1 */
export function textBar(done: number): string {
  const filled = Math.round(BAR * done)
  return '█'.repeat(filled) + '░'.repeat(BAR - filled)
}

/** @internal `1.2 s`, `3 min 5 s` */
export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  const whole = Math.round(seconds)
  if (whole < 60) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** The line, cut at the width of the terminal. */
function fitting(line: string): string {
  return line.slice(0, (process.stdout.columns ?? 80) - 1)
}
