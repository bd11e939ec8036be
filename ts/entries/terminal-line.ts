/** The line that `fit` shows at a terminal while it trains, in Node and Bun. Loaded by node.ts. */
import { terminalLine, textBar, timeText } from '../common/terminal-line.js'
import type { Progress } from '../train/callbacks.js'
import { historyText, valueTexts } from '../train/history-text.js'
import type { ProgressLine } from '../train/progress-line.js'

/** The line of a training; none if the output is not a terminal, unless `verbose` asks for it. */
export function trainingLine(verbose: boolean | undefined): ProgressLine | undefined {
  const line = terminalLine(verbose)
  return line && { show: (progress) => line.show(() => textOf(progress)), end: (history) => line.end(history && historyText(history)) }
}

/** `epoch 3/10 ███░░░ loss 0.3121 · accuracy 0.9120 · validation.loss 0.35 · 12 s left` */
function textOf({ epoch, epochs, batch, batchesPerEpoch, loss, metrics, validation, secondsLeft }: Progress): string {
  const bar = textBar((epoch - 1 + batch / batchesPerEpoch) / epochs)
  const facts = [...valueTexts({ loss, metrics, validation }), `${timeText(secondsLeft)} left`]
  return `epoch ${epoch}/${epochs} ${bar} ${facts.join(' · ')}`
}
