/** A history in a line, for a terminal. */
import { timeText } from '../common/terminal-line.js'
import type { Progress } from './callbacks.js'
import type { History } from './history.js'

/** @internal `10 epochs in 12 s · loss 0.0312 · validation.loss 0.041` */
export function historyText({ epochs, seconds, stopReason }: History): string {
  const last = epochs.at(-1)
  const how = stopReason === 'completed' ? '' : ` (${stopReason})`
  const count = `${epochs.length} epoch${epochs.length === 1 ? '' : 's'}`
  return [`${count} in ${timeText(seconds)}${how}`, ...(last ? valueTexts(last) : [])].join(' · ')
}

/** @internal `loss 0.3121`, and each metric */
export function valueTexts({
  loss,
  metrics,
  validation,
}: Pick<Progress, 'loss' | 'metrics'> & Pick<Partial<Progress>, 'validation'>): string[] {
  const text = (name: string, value: number) => `${name} ${value.toPrecision(4)}`
  const of = (values: Record<string, number>, prefix = '') => Object.entries(values).map(([name, value]) => text(prefix + name, value))
  return [text('loss', loss), ...of(metrics), ...of(validation ?? {}, 'validation.')]
}
