/**
 * The search for nets that predict a table well.
 *
 * Without a limit of time one plan is trained, the usual one for so many rows (nets.ts): a net on each fold, or two nets where there is one split.
 *
 * With a limit it goes in rounds (rounds.ts), until the time that is left is needed for the report:
 * 1. a pilot on at most 2,000 rows, for two epochs: there is a model early, and it says how long an epoch takes;
 * 2. a short training on as many rows as fit in two fifths of the time, which measures an epoch well;
 * 3. the usual plan in full, then plans drawn at random (Bergstra & Bengio 2012), two a round, each as long as the time allows.
 *
 * Every net is judged by rows of its fold that it was not trained on. By these out-of-fold predictions plans are chosen greedily, with repetition
 * (choose.ts), and the nets of those that were chosen answer together, weighted by how often their plan was.
 *
 * A series that grows leaves what nets have seen, and they do not follow. So where rows are in time, and numbers are predicted, nets are trained on what
 * a straight line of their fold leaves of the target, and the line alone is a candidate, too; where the target has no trend, also on the target itself.
 * The latest rows decide.
 */
import { clock } from '../common/clock.js'
import { plainError } from '../common/errors.js'
import { joined } from '../common/joined.js'
import { Ensemble, type Module, NonFiniteError } from '../index.js'
import { chooseGreedily } from './choose.js'
import { type FeatureState, plainColumn, widthOf } from './features.js'
import type { Folds } from './folds.js'
import { type NetPlan, type NetSettings, type RoundPlan, randomPlan, usualPlan, usualRound, widened } from './nets.js'
import { type Candidate, type FoldLine, PLANS_A_ROUND, Rounds, type RoundsOptions } from './rounds.js'
import type { TableSamples } from './samples.js'
import { lineNet, meanOfLines } from './straight-line.js'

/** What {@link search} is asked for. */
export interface SearchOptions extends RoundsOptions {
  /** What all nets have in common. */
  net: NetSettings
}

/** What nets take, and what a line beside them does. */
export interface LineFeatures {
  /** Of nets alone. */
  features: FeatureState
  /** With numbers as they are, too. */
  withLine: FeatureState
  /** Of each fold a line, whose errors nets learn, too; null where they do not. */
  lines: readonly FoldLine[] | null
}

/** What was found. */
export interface SearchResult {
  model: Ensemble
  /** The features that it takes. */
  features: FeatureState
  /** Rows in the order of the folds, and what the ensemble predicts of them by nets that were not trained on them: probabilities, or numbers. */
  heldOut: Int32Array
  predictions: Float64Array
  /** From which of these rows on they decide: of rows in time, the latest. */
  from: number
  /** The best first. */
  candidates: Candidate[]
  /** How often each candidate was chosen. */
  votes: number[]
  /** Nets that were trained. */
  nets: number
  /** Seconds that the model takes for a row. */
  secondsOfRow: number
}

/**
 * Of rows in time, candidates whose loss on the latest is at most so many times the least vote: what helps a few rows by chance is no help to those
 * that come.
 */
const NEAR = 1.1
/**
 * A target has a trend where its order explains so much of its variance. Of six series three have one (0.13 to 0.82 explained), where nets of the target
 * itself had R² −0.9 to 0.7 on the latest fifth and lines with nets 0.90 to 0.99; in the others it explains up to 0.05.
 */
const TREND = 0.1
/** A line, as the plan of a net. */
export const LINE: NetPlan = { hidden: [], activation: 'linear', dropout: 0, learningRate: 0, weightDecay: 0 }
/** Rows of the pilot, at most. */
const PILOT_ROWS = 2000
/** Epochs of the pilot and, at least, of the training that measures an epoch. */
const PILOT_EPOCHS = 2
const FEWEST_EPOCHS = 3
/** Shares of the time that is left: for the training that measures an epoch, and for any other, so that it ends in time. */
const MEASURING = 0.4
const FITTING = 0.9
/** A training that measures an epoch has at most this share of the epochs of a whole one. */
const SHORT = 1 / 6
/** There are two plans in a round where so many trainings of one fit into the time that is left. */
const ROUNDS_LEFT = 4
/** Between the seeds of the plans of two rounds. */
const SEED_STEP = 7919
/** Batch sizes of the rounds, in turns, as multiples of the usual one. */
const BATCH_FACTORS = [1, 2, 0.5] as const

/** @throws the signal's reason where it ends training before there is a net */
export async function search(data: TableSamples, folds: Folds, features: LineFeatures, options: SearchOptions): Promise<SearchResult> {
  const rounds = new Rounds(data, folds, options, features.lines, features.lines !== null && hasTrend(data.targets))
  if (options.end === undefined) await trainUsual(rounds, data.count, folds.folds.length, options)
  else await fillTime(rounds, data.count, options)
  if (rounds.candidates.length === 0) {
    options.signal?.throwIfAborted()
    throw noNet(rounds.failure, data.count, options.net)
  }
  return ensembleOf(rounds, folds, data, features, options.end)
}

/** Whether the target grows, or falls, with the order of the rows. */
export function hasTrend(targets: ArrayLike<number>): boolean {
  const middle = (targets.length - 1) / 2
  const [xy, xx, yy] = Array.from(targets).reduce(
    ([xy, xx, yy], y, i) => [xy + (i - middle) * y, xx + (i - middle) ** 2, yy + y ** 2],
    [0, 0, 0],
  )
  // targets have mean 0
  return xy ** 2 > TREND * xx * yy
}

/** The error where nothing came of any net: each cause with its remedy. */
function noNet(failure: Error | undefined, rows: number, { learningRate }: NetSettings): Error {
  if (failure === undefined) return plainError('trainTable: the time was over before a net had seen all rows once; give more time')
  if (!(failure instanceof NonFiniteError)) return plainError(`trainTable: no net was trained: ${failure.message}`, { cause: failure })
  const [where] = failure.message.replace(/^fit: /, '').split(/; |, though/)
  const usual = `${usualPlan(rows).learningRate} is usual for so many rows`
  const remedy =
    learningRate === undefined
      ? `Look for columns of huge numbers, or give a learningRate (${usual})`
      : `Lower the learningRate (now ${learningRate}; ${usual})`
  return new NonFiniteError(`trainTable: every net diverged: ${where}. ${remedy}`, { cause: failure })
}

/** What is usual for so many rows, unless it was said. */
function usualOf(rows: number, { batchSize, epochs, ...plan }: NetSettings): NetPlan & RoundPlan {
  const usual = usualRound(rows)
  return { ...usualPlan(rows), ...plan, batchSize: batchSize ?? usual.batchSize, epochs: epochs ?? usual.epochs }
}

async function trainUsual(rounds: Rounds, count: number, folds: number, { net }: SearchOptions): Promise<void> {
  const { batchSize, epochs, ...usual } = usualOf(count, net)
  const plans = folds === 1 ? [usual, usual] : [usual]
  await rounds.train({ plans, batchSize, epochs, number: 0 })
}

async function fillTime(rounds: Rounds, count: number, { net, seed, signal }: SearchOptions): Promise<void> {
  const { batchSize, epochs, ...usual } = usualOf(count, net)
  const { batchSize: givenSize, epochs: _, ...given } = net
  const timeLeft = () => (rounds.deadline as number) - clock.now()

  const pilotShare = Math.min(1, PILOT_ROWS / rounds.trainingRows)
  let started = clock.now()
  await rounds.train({ plans: [usual], batchSize, epochs: PILOT_EPOCHS, number: 0, share: pilotShare })
  const affordable = (MEASURING * timeLeft() * PILOT_EPOCHS * pilotShare) / (clock.now() - started)

  const few = Math.max(FEWEST_EPOCHS, Math.round(Math.min(epochs * SHORT, affordable)))
  const share = Math.min(1, Math.max(pilotShare, affordable / few))
  started = clock.now()
  await rounds.train({ plans: [usual], batchSize, epochs: few, number: 0, share })
  const epochTime = (clock.now() - started) / few / share

  for (let number = 1; timeLeft() > 0 && !signal?.aborted; number++) {
    const fitting = Math.floor((FITTING * timeLeft()) / epochTime)
    // what is left may be too short for a training worth its name: it is given to one that is stopped
    const own = Math.max(few, Math.min(epochs, fitting))
    const plans = Array.from({ length: fitting >= ROUNDS_LEFT * own ? PLANS_A_ROUND : 1 }, (_, i) =>
      number === 1 && i === 0 ? usual : { ...randomPlan(seed + SEED_STEP * number + i), ...given },
    )
    const isUsualSize = number === 1 || givenSize !== undefined
    await rounds.train({
      plans,
      batchSize: isUsualSize ? batchSize : batchSize * BATCH_FACTORS[number % BATCH_FACTORS.length],
      epochs: own,
      number,
      share: Math.min(1, Math.max(share, fitting / few)),
    })
  }
  // there was not even the time for one epoch of all folds: a small net is better than none
  if (rounds.candidates.length === 0 && rounds.failure === undefined && !signal?.aborted) {
    const small = { ...usual, hidden: [32], dropout: 0 }
    await rounds.train({ plans: [small], batchSize, epochs: PILOT_EPOCHS, number: 0, share: pilotShare, isTimed: false })
  }
}

/** The plans that predict best together, as one model. */
function ensembleOf(
  rounds: Rounds,
  folds: Folds,
  data: TableSamples,
  { features, withLine, lines }: LineFeatures,
  end: number | undefined,
): SearchResult {
  const candidates =
    lines === null ? rounds.candidates : [...rounds.candidates, lineAlone(rounds, folds, lines)].sort((a, b) => a.loss - b.loss)
  const { heldOut, lossOf, nets, secondsOfRow } = rounds
  const voters = lines === null ? candidates : candidates.filter(({ loss }) => loss <= NEAR * candidates[0].loss)
  // half of the time that is left, at most: the other half is for the report
  const found = chooseGreedily(voters, lossOf, end === undefined ? undefined : (clock.now() + end) / 2)
  const votes = candidates.map((candidate) => found[voters.indexOf(candidate)] ?? 0)
  const total = votes.reduce((sum, vote) => sum + vote, 0)
  const predictions = new Float64Array(heldOut.length * (data.classes || 1))
  for (const [i, { predictions: own }] of candidates.entries())
    if (votes[i] > 0) for (let j = 0; j < own.length; j++) predictions[j] += (votes[i] / total) * own[j]
  const chosen = candidates.flatMap((candidate, i) => (votes[i] > 0 ? [{ ...candidate, vote: votes[i] }] : []))
  const usesLine = chosen.some((candidate) => candidate.lines)
  const members = usesLine
    ? membersWithLine(chosen, total, data, withLine)
    : chosen.flatMap(({ nets, vote }) => nets.map((net): Member => ({ net, weight: vote / nets.length })))
  const model = new Ensemble(
    members.map(({ net }) => net),
    { average: data.classes > 0 ? 'softmax' : 'outputs', weights: members.map(({ weight }) => weight) },
  )
  return {
    ...{ model, features: usesLine ? withLine : features, heldOut, predictions, from: folds.from, candidates, votes, nets },
    secondsOfRow: members.length * secondsOfRow,
  }
}

interface Member {
  net: Module
  weight: number
}

/** What the lines of the folds say, without nets. */
function lineAlone({ lossOf }: Rounds, folds: Folds, lines: readonly FoldLine[]): Candidate {
  const predictions = joined(
    Float64Array,
    folds.folds.map(({ validation }, fold) => Float64Array.from(validation, (row) => lines[fold].answers[row])),
  )
  return { plan: LINE, nets: [], lines, predictions, loss: lossOf(predictions), histories: [] }
}

/**
 * Nets and one line, the mean of those that were chosen. An ensemble takes a mean, and here a sum is wanted: a net that learnt what a line leaves comes
 * with all of that line. So everything is multiplied by the sum of the weights, which the mean divides by.
 */
function membersWithLine(
  chosen: readonly (Candidate & { vote: number })[],
  total: number,
  { width, embedded }: TableSamples,
  withLine: FeatureState,
): Member[] {
  const lines = chosen.flatMap(({ lines = [], vote }) => lines.map(({ line }) => ({ line, weight: vote / total / lines.length })))
  const ofLine = lines.reduce((sum, { weight }) => sum + weight, 0)
  const nets = chosen.flatMap(({ plan, nets, lines, vote }) =>
    nets.map((net, fold) => ({ net, plan, weight: vote / total / nets.length, unit: lines?.[fold].deviation ?? 1 })),
  )
  const sum = nets.reduce((sum, { weight }) => sum + weight, ofLine)
  const mean = meanOfLines(lines.map(({ line, weight }) => ({ line, weight: (sum * weight) / ofLine })))
  const more = widthOf(withLine) - width
  return [
    { net: lineNet(mean, widthOf(withLine), plainColumn(withLine)), weight: ofLine },
    ...nets.map(({ net, plan, weight, unit }) => ({
      net: widened(net, plan, { inputs: width, more, embedded, factor: sum * unit }),
      weight,
    })),
  ]
}
