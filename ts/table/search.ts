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
 */
import { clock } from '../common/clock.js'
import { plainError } from '../common/errors.js'
import { Ensemble, NonFiniteError } from '../index.js'
import { chooseGreedily } from './choose.js'
import type { Fold } from './folds.js'
import { type NetPlan, type NetSettings, type RoundPlan, randomPlan, usualPlan, usualRound } from './nets.js'
import { type Candidate, PLANS_A_ROUND, Rounds, type RoundsOptions } from './rounds.js'
import type { TableSamples } from './samples.js'

/** What {@link search} is asked for. */
export interface SearchOptions extends RoundsOptions {
  /** What all nets have in common. */
  net: NetSettings
}

/** What was found. */
export interface SearchResult {
  model: Ensemble
  /** Rows in the order of the folds, and what the ensemble predicts of them by nets that were not trained on them: probabilities, or numbers. */
  heldOut: Int32Array
  predictions: Float64Array
  /** The best first. */
  candidates: Candidate[]
  /** How often each candidate was chosen. */
  votes: number[]
  /** Nets that were trained. */
  nets: number
  /** Seconds that the model takes for a row. */
  secondsOfRow: number
}

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
export async function search(data: TableSamples, folds: readonly Fold[], options: SearchOptions): Promise<SearchResult> {
  const rounds = new Rounds(data, folds, options)
  if (options.end === undefined) await trainUsual(rounds, data.count, folds.length, options)
  else await fillTime(rounds, data.count, options)
  if (rounds.candidates.length === 0) {
    options.signal?.throwIfAborted()
    throw noNet(rounds.failure, data.count, options.net)
  }
  return ensembleOf(rounds, data.classes, options.end)
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
function ensembleOf({ candidates, heldOut, lossOf, nets, secondsOfRow }: Rounds, classes: number, end: number | undefined): SearchResult {
  // half of the time that is left, at most: the other half is for the report
  const votes = chooseGreedily(candidates, lossOf, end === undefined ? undefined : (clock.now() + end) / 2)
  const members = candidates.flatMap(({ nets }, i) => (votes[i] > 0 ? nets.map((net) => ({ net, weight: votes[i] / nets.length })) : []))
  const model = new Ensemble(
    members.map(({ net }) => net),
    { average: classes > 0 ? 'softmax' : 'outputs', weights: members.map(({ weight }) => weight) },
  )
  const total = votes.reduce((sum, vote) => sum + vote, 0)
  const predictions = new Float64Array(heldOut.length * (classes || 1))
  for (const [i, { predictions: own }] of candidates.entries())
    if (votes[i] > 0) for (let j = 0; j < own.length; j++) predictions[j] += (votes[i] / total) * own[j]
  return { model, heldOut, predictions, candidates, votes, nets, secondsOfRow: members.length * secondsOfRow }
}
