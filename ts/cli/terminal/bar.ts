/** One live line at the bottom of the terminal: a bar, and beside it as many facts as fit. */
import { SingleBar } from 'cli-progress'
import { columns, paint } from './terminal.js'

const WIDEST = 40
const NARROWEST = 8
/** Number of columns reserved for the facts. */
const FACTS = 60

/** A progress bar above which lines can be printed. */
export class LiveBar {
  private readonly bar: SingleBar
  private title = ''
  private facts: readonly string[] = []
  private value = 0
  private readonly total: number

  /** @param total final value of {@link update} */
  constructor(total: number) {
    this.total = total
    const format = (_: unknown, { progress }: { progress: number }) => barLine(this.title, progress, this.facts, columns() - 1)
    this.bar = new SingleBar({ format, fps: 10, stream: process.stdout, clearOnComplete: true, hideCursor: true, gracefulExit: false })
    this.start()
  }

  /** @param facts most important first: those that do not fit are left out */
  update(value: number, title: string, facts: readonly string[]): void {
    this.value = value
    this.title = title
    this.facts = facts
    this.bar.update(value)
  }

  /** Prints lines in the place of the bar, and the bar again below them. */
  above(print: () => void): void {
    this.bar.stop()
    print()
    if (this.value < this.total) this.start()
  }

  stop(): void {
    this.bar.stop()
  }

  private start(): void {
    this.bar.start(this.total, this.value)
  }
}

/** `epoch 1/5 ████████░░░░ loss 0.3121 · accuracy 91.2 %`, never wider than `width`. The bar has the same length for any facts. */
export function barLine(title: string, progress: number, facts: readonly string[], width: number): string {
  const free = width - title.length - 2
  const size = Math.max(0, Math.min(free, WIDEST, Math.max(NARROWEST, free - FACTS)))
  let shown = ''
  for (const fact of facts) {
    const longer = shown === '' ? fact : `${shown} · ${fact}`
    if (longer.length <= free - size) shown = longer
  }
  const done = Math.round(Math.min(1, Math.max(0, progress)) * size)
  return `${title} ${paint('cyan', '█'.repeat(done))}${paint('dim', '░'.repeat(size - done))} ${shown}`
}
