/** A study in a few lines, for a terminal. */
import { isShown, rangeOf } from '../../plot/scale.js'
import { type Block, checkShown } from '../../report/blocks.js'
import { formatNumber } from '../../report/format.js'
import { type ReportTextOptions, textOf } from '../../report/text.js'
import { importance } from '../importance.js'
import type { Space } from '../space.js'
import type { Study } from '../study.js'
import { adviceLines, importanceBlock, isJudged } from './advice.js'
import { paramsText } from './axes.js'

const BLOCKS = '▁▂▃▄▅▆▇█'
/** States other than `complete`. An unfinished trial is running, or its process was stopped and the study will repeat it. */
const OTHERS = { pruned: 'pruned', failed: 'failed', running: 'unfinished', waiting: 'waiting' }

/**
 * A study in a few lines of text: trials, the best of them, how the best came about, the importance of each parameter, and {@link advice}.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1) } })
 * await study.optimize(({ x }) => x, { trials: 30 })
 * reportText(study).includes('30 trials') // true
 */
export function reportText<S extends Space>(study: Study<S>, options: ReportTextOptions = {}): string {
  checkShown(Array.isArray(Object(study).trials), 'a study of createStudy', study)
  const { trials } = study
  const count = (state: string) => trials.filter((trial) => trial.state === state).length
  const others = Object.entries(OTHERS).flatMap(([state, word]) => (count(state) > 0 ? [`${count(state)} ${word}`] : []))
  const facts: (readonly [string, string])[] = []
  const best = study.directions.length === 1 ? study.bestTrial : undefined
  if (best) {
    facts.push(['best', `${formatNumber(best.value as number)}, trial ${best.number}: ${paramsText(best.params)}`])
    facts.push(['course', sparkline(study, Math.min(60, (options.width ?? 80) - 9))])
  }
  const shares = best && isJudged(study) ? importance(study, { evaluator: 'fanova' }) : undefined
  const blocks: Block[] = [
    { kind: 'facts', title: `${study.name}: ${trials.length} trials${others.length > 0 ? `, of which ${others.join(', ')}` : ''}`, facts },
    importanceBlock(Object.entries(shares ?? {})),
    { kind: 'advice', title: '', lines: adviceLines(study, shares) },
  ]
  return textOf(blocks, options)
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
  const [low, high] = rangeOf([shownAt])
  const letter = (value: number) => BLOCKS[Math.round((high > low ? (value - low) / (high - low) : 0) * (BLOCKS.length - 1))]
  return shownAt.map((value) => (isShown(value) ? letter(value) : ' ')).join('')
}
