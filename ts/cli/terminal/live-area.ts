/** Some lines at the bottom of the terminal that are drawn over and over. */

import { shownLine } from './terminal.js'

/** Milliseconds between two drawings. */
const BETWEEN = 120

/** Lines that replace the previous ones. */
export class LiveArea {
  private drawn = 0
  private last = 0

  /** @param atOnce draws even if the last drawing was just now */
  draw(lines: readonly string[], atOnce = false): void {
    const now = performance.now()
    if (!atOnce && now - this.last < BETWEEN) return
    this.last = now
    const rows = Math.max(1, (process.stdout.rows ?? 24) - 1)
    const shown = lines.slice(0, rows)
    process.stdout.write(`${this.back()}\x1b[?25l${shown.map(shownLine).join('\n')}`)
    this.drawn = shown.length
  }

  /** Removes the lines, and shows the cursor again. */
  clear(): void {
    if (this.drawn === 0) return
    process.stdout.write(`${this.back()}\x1b[?25h`)
    this.drawn = 0
  }

  /** Moves to the first drawn line and clears everything below. */
  private back(): string {
    return this.drawn === 0 ? '' : `\r${this.drawn > 1 ? `\x1b[${this.drawn - 1}A` : ''}\x1b[J`
  }
}
