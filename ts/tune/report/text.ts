/** A study in a few lines, for a terminal. */
import { allVisible, visible } from '../../common/visible.js'
import { importance } from '../importance.js'
import type { Space } from '../space.js'
import type { Study } from '../study.js'
import { advice, isJudged } from './advice.js'
import { number, paramsText } from './format.js'

const BLOCKS = '▁▂▃▄▅▆▇█'
const WIDEST = 30
/** States beside complete. A trial runs, or its process was stopped and it goes on with the study. */
const OTHERS = { pruned: 'pruned', failed: 'failed', running: 'unfinished', waiting: 'waiting' }

/** Options of {@link reportText}. */
export interface ReportTextOptions {
  /** Columns of the terminal. Default 80. */
  width?: number
}

/**
 * A study in a few lines of text: trials, the best of them, how the best came about, the importance of each parameter, and {@link advice}.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1) } })
 * await study.optimize(({ x }) => x, { trials: 30 })
 * reportText(study).includes('30 trials') // true
 */
export function reportText<S extends Space>(study: Study<S>, options: ReportTextOptions = {}): string {
  const { width = 80 } = options
  const { trials } = study
  const count = (state: string) => trials.filter((trial) => trial.state === state).length
  const others = Object.entries(OTHERS).flatMap(([state, word]) => (count(state) > 0 ? [`${count(state)} ${word}`] : []))
  const lines = [`${visible(study.name)}: ${trials.length} trials${others.length > 0 ? `, of which ${others.join(', ')}` : ''}`]
  if (study.directions.length > 1) {
    lines.push('', ...wrapped(visible(advice(study)), width))
    return lines.join('\n')
  }
  const { bestTrial } = study
  if (bestTrial) {
    lines.push(`best ${number(bestTrial.value as number)}, trial ${bestTrial.number}`)
    lines.push(...wrapped(visible(paramsText(bestTrial.params)), width - 2).map((line) => `  ${line}`))
    lines.push('', `best so far  ${sparkline(study, Math.min(60, width - 13))}`)
    const shares = Object.entries(allVisible(importance(study, { evaluator: 'fanova' })) as Record<string, number>)
    const longest = Math.max(...shares.map(([name]) => name.length))
    const size = Math.max(5, Math.min(WIDEST, width - longest - 10))
    if (isJudged(study) && shares.length > 1 && shares[0][1] > 0) {
      lines.push('')
      for (const [name, share] of shares)
        lines.push(
          `${name.padEnd(longest)}  ${'█'.repeat(Math.round(share * size)).padEnd(size, '·')} ${String(Math.round(100 * share)).padStart(3)} %`,
        )
    }
  }
  lines.push('', ...wrapped(visible(advice(study)), width))
  return lines.join('\n')
}

/** The best value so far over the trials; higher is worse. */
function sparkline<S extends Space>(study: Study<S>, width: number): string {
  const sign = study.directions[0] === 'minimize' ? 1 : -1
  let best = Number.POSITIVE_INFINITY
  const course = study.trials.map(({ value, constraints }) => {
    if (value !== undefined && Object.values(constraints).every((c) => c <= 0)) best = Math.min(best, sign * value)
    return best
  })
  const places = Math.min(width, course.length)
  const shownAt = Array.from({ length: places }, (_, i) => course[Math.ceil(((i + 1) * course.length) / places) - 1])
  const finite = shownAt.filter(Number.isFinite)
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  return shownAt
    .map((value) => {
      if (!Number.isFinite(value)) return ' '
      const share = high > low ? (value - low) / (high - low) : 0
      return BLOCKS[Math.round(share * (BLOCKS.length - 1))]
    })
    .join('')
}

/** Lines of a text that are not longer than they should be. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** @deprecated for {@link reportText}; goes with the next version */
export const summarize: typeof reportText = reportText
