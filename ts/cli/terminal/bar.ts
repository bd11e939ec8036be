/** One live line at the bottom of the terminal: a bar, and beside it as many facts as fit. */
import { LiveArea } from './live-area.js'
import { columns, paint } from './terminal.js'

const WIDEST = 40
const NARROWEST = 8
/** Number of columns reserved for the facts. */
const FACTS = 60

/** A progress bar above which lines can be printed. */
export class LiveBar {
  private readonly area = new LiveArea()
  private line = ''

  /** @param total final value of {@link update} */
  constructor(private readonly total: number) {}

  /** @param facts most important first: those that do not fit are left out */
  update(value: number, title: string, facts: readonly string[]): void {
    this.line = barLine(title, value / this.total, facts, columns() - 1)
    this.area.draw([this.line])
  }

  /** Prints lines in the place of the bar, and the bar again below them. */
  above(print: () => void): void {
    this.area.clear()
    print()
    this.area.draw([this.line], true)
  }

  /** Removes the bar. */
  stop(): void {
    this.area.clear()
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
