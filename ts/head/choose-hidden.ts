/** The choice between a line and a small net, by the same folds. */
import { rangeError } from '../common/errors.js'
import { count, isAllowed, type Kind } from '../common/options.js'
import type { Answers } from './answers.js'
import { type Chosen, searchPenalty } from './choose-penalty.js'
import { EngineRows } from './engine-rows.js'
import type { Learnt } from './hidden.js'
import { Lines } from './lines.js'
import type { Rows } from './vectors.js'

/** The small net that was tried beside the line. */
export interface HiddenReport {
  /** Neurons of the hidden layer, and passes over the rows. */
  neurons: number
  epochs: number
  /** Held-out scores of the net, and of the line on the same rows. */
  logLoss: number
  accuracy: number
  lineLogLoss: number
  lineAccuracy: number
}

/** Neurons by default; chosen on the sets of bench/head.ts. */
const NEURONS = 64
/** A net is tried from this number of rows on, in all and for each class. */
const [LEAST_ROWS, LEAST_ROWS_PER_CLASS] = [300, 30]
/** Nothing is left to gain below this log loss of the line. */
const LEAST_LOSS = 0.05
/** A net is kept if it lowers the log loss by this share of it, and is better in a paired test over the folds. */
const LEAST_SHARE = 0.03
/** Quantile of Student's distribution: one-sided, 95 %, by folds less one. */
const STUDENT = [Number.POSITIVE_INFINITY, 6.31, 2.92, 2.35, 2.13]
/** Epochs of a net that is wanted where no rows can be held out. */
const USUAL_EPOCHS = 20

export const hiddenLayer: Kind = {
  wants: '[], or the neurons of one hidden layer, such as [64]',
  fits: (value) => Array.isArray(value) && value.length < 2 && value.every((size) => isAllowed(size, count)),
}

/** Options of `trainHead`, and what the rows answer to. */
export interface HowToChoose {
  hidden?: readonly number[] | undefined
  l2?: number | undefined
  calibrate: boolean
  classes: number
  answers: Answers
  seed: number
}

/** The hidden layer of a head, and the search of the penalty with it. */
export interface ChosenHidden {
  /** Null where the line is kept. */
  net: (Learnt & { chosen: Chosen | null }) | null
  report: HiddenReport | null
}

/**
 * Tries a net if the line leaves something to gain and there are rows enough, and keeps it if it is better by a clear margin.
 *
 * @param chosen the search of the penalty for the line; null if there was none
 */
export async function chooseHidden(rows: Rows, answerOf: Int32Array, chosen: Chosen | null, how: HowToChoose): Promise<ChosenHidden> {
  const none = { net: null, report: null }
  const { hidden: wanted, l2, classes, answers, seed } = how
  const isWanted = wanted !== undefined && wanted.length > 0
  if (!isWanted && (wanted !== undefined || l2 !== undefined || chosen === null || !isWorthwhile(chosen, classes))) return none
  const neurons = wanted?.[0] ?? NEURONS
  const held = chosen && (await heldOutNets(chosen, neurons, how))
  if (!isWanted && (chosen === null || held === null || !isBetter(chosen, held.chosen, answers, classes)))
    return { net: null, report: held?.report ?? null }
  const engine = chosen?.rows === rows.count ? chosen.engine : new EngineRows(rows)
  const all = { train: Int32Array.from(answerOf.keys()), held: null, epochs: held?.report.epochs ?? USUAL_EPOCHS, seed }
  const { learnHidden } = await import('./hidden.js')
  const learnt = await learnHidden({ rows, engine, answerOf, classes, answers, neurons }, [all])
  if (learnt !== null) return { net: { ...learnt[0], chosen: held?.chosen ?? null }, report: held?.report ?? null }
  if (!isWanted) return none
  throw rangeError('trainHead: the net of `hidden` diverged; scale the vectors, or leave `hidden` out')
}

function isWorthwhile({ own, best }: Chosen, classes: number): boolean {
  return own.count >= Math.max(LEAST_ROWS, LEAST_ROWS_PER_CLASS * classes) && best.logLoss >= LEAST_LOSS
}

/** A net for each fold, judged by the rows that it did not see; null if one diverged, or if the first one says that there is nothing to gain. */
async function heldOutNets(
  line: Chosen,
  neurons: number,
  { hidden: wanted, l2, calibrate, classes, answers, seed }: HowToChoose,
): Promise<{ chosen: Chosen; report: HiddenReport } | null> {
  const { own, engine, answerOf, foldOf, folds, judged } = line
  const rowsOf = (keeps: (fold: number) => boolean) => Int32Array.from(foldOf.keys()).filter((row) => keeps(foldOf[row]))
  const parts = Array.from({ length: folds }, (_, fold) => ({
    ...{ train: rowsOf((f) => f !== fold), held: rowsOf((f) => f === fold), seed: seed + fold },
  }))
  const lesson = { rows: own, engine, answerOf, classes, answers, neurons }
  const { learnHidden } = await import('./hidden.js')
  const first = await learnHidden(lesson, parts.slice(0, 1))
  if (first === null || (wanted === undefined && !(first[0].loss < (1 - LEAST_SHARE) * foldLosses(line, answers, classes)[0]))) return null
  const others = await learnHidden(lesson, parts.slice(1))
  if (others === null) return null
  const learnt = [...first, ...others]
  const lines = learnt.map(({ lifted }, fold) => {
    const rows = new EngineRows(lifted, (row) => Number(foldOf[row] === fold))
    rows.setAnswers(answerOf, answers, classes)
    return new Lines(rows, classes, answers, 1)
  })
  const { solutions: _, ...found } = searchPenalty(lines, { answerOf, judged, classes, answers }, { spread: 1, only: l2, calibrate })
  const epochs = Math.max(1, Math.round(learnt.reduce((sum, { epochs }) => sum + epochs, 0) / folds))
  const { logLoss, accuracy } = found.best
  const report = { ...{ neurons, epochs, logLoss, accuracy }, lineLogLoss: line.best.logLoss, lineAccuracy: line.best.accuracy }
  return { chosen: { ...line, ...found, start: null }, report }
}

/** The mean loss of the rows that each fold holds out. */
function foldLosses({ judged, foldOf, folds, answerOf, logits, temperature }: Chosen, answers: Answers, classes: number): Float64Array {
  const sums = new Float64Array(folds)
  const counts = new Int32Array(folds)
  for (const row of judged) {
    sums[foldOf[row]] += answers.lossOf(logits.subarray(row * classes, (row + 1) * classes), answerOf[row], 1 / temperature)
    counts[foldOf[row]]++
  }
  return sums.map((sum, fold) => sum / Math.max(1, counts[fold]))
}

/**
 * A paired test of the log loss over the folds. Folds share most of their training rows, so that their variance counts 1/folds + 1/(folds − 1) times
 * (Nadeau & Bengio 2003).
 */
function isBetter(line: Chosen, net: Chosen, answers: Answers, classes: number): boolean {
  const { folds } = line
  const losses = foldLosses(net, answers, classes)
  const gains = foldLosses(line, answers, classes).map((loss, fold) => loss - losses[fold])
  const mean = gains.reduce((a, b) => a + b) / folds
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (folds - 1)
  const error = Math.sqrt(variance * (1 / folds + 1 / (folds - 1)))
  return mean > LEAST_SHARE * line.best.logLoss && mean > STUDENT[folds - 1] * error
}
