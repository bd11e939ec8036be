/**
 * The search for nets that predict a table well.
 *
 * Without a time limit one plan is trained, the usual one for the number of rows and classes: a net on each fold, or two nets on a single split. Where
 * numbers are predicted, it is also trained without dropout, and the better of both kinds answers alone.
 *
 * With a limit it works in rounds (ts/search/fill-time.ts), until the remaining time is needed for the report.
 *
 * Every net is evaluated on the held-out rows of its fold. These out-of-fold predictions select plans greedily, with repetition
 * (ts/select/choose-greedily.ts), and the nets of the selected plans form an ensemble, weighted by the number of times that their plan was selected.
 *
 * A growing series leaves the range of the training rows, and nets do not follow. So if rows are in time, and numbers are predicted, nets are trained
 * on the residuals of a straight line of their fold, and the line alone is a candidate, too. If the target has no trend, further nets are trained on
 * the target itself. Candidates that are worse than the best by no more than luck form the ensemble. If there is a trend, the latest rows decide.
 */
import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import { joinedOf } from '../../common/joined.js'
import { crossEntropy, Ensemble, ensembleLoss, type Loss, type Module, mse, NonFiniteError, type Tensor, tensor } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import { fillTime } from '../../search/fill-time.js'
import { type Candidate, MAX_CHOICES, Rounds, type RoundsOptions, type Task, type View } from '../../search/rounds.js'
import { chooseGreedily } from '../../select/choose-greedily.js'
import { type FeatureState, plainColumn, widthOf } from '../rows/features.js'
import { type Folds, hasTrend } from '../rows/folds.js'
import { inputsAt, lossOn, predictionsOf, stopOn, type TableSamples, targetsFor } from '../rows/samples.js'
import {
  makeNet,
  makeOptimizer,
  type NetPlan,
  type NetSettings,
  plainNets,
  randomPlan,
  scheduleOf,
  sharing,
  usualPlan,
  usualRound,
  widened,
} from './nets.js'
import { type Line, lineNet, meanOfLines } from './straight-line.js'

/** Options of {@link search}. */
export interface SearchOptions extends RoundsOptions {
  /** Options that all nets share. */
  net: NetSettings
}

/** Features for nets, and for a line in addition to them. */
export interface LineFeatures {
  /** For nets alone. */
  features: FeatureState
  /** The same with unchanged numbers as well, for a line. */
  withLine: FeatureState
  /** A line for each fold, whose residuals nets learn, too; null if they do not. */
  lines: readonly FoldLine[] | null
}

/** A straight line that was fitted to the training rows of a fold, whose errors nets learn. */
export interface FoldLine {
  line: Line
  /** Its prediction for each row. */
  answers: Float64Array
  /** Deviation of its errors on the training rows: nets learn errors that are divided by it. */
  deviation: number
}

/** The view of a table that nets learn; with lines, each fold's line is added to the nets' output. */
interface TableView extends View {
  lines?: readonly FoldLine[]
}

/** A kind of nets, or a line. */
type TableCandidate = Candidate<NetPlan, TableView>

/** Result of the search. */
export interface SearchResult {
  model: Ensemble
  /** The features that it takes. */
  features: FeatureState
  /** Rows in the order of the folds, and the ensemble's out-of-fold predictions for them: probabilities, or numbers. */
  heldOut: Int32Array
  predictions: Float64Array
  /** Index of the first held-out row that decides: for rows in time only the latest rows decide. */
  from: number
  /** The best first. */
  candidates: Pick<TableCandidate, 'recipe' | 'loss' | 'histories'>[]
  /** Number of times that each candidate was chosen. */
  votes: number[]
  /** Nets that were trained. */
  nets: number
  /** Those of them that answer, and the line. The model has a net of each member of a net. */
  used: number
  /** Seconds that the model takes for a row. */
  secondsOfRow: number
  /** True if the time was too short for one whole training. */
  isCut?: boolean
}

/** A difference of losses of up to this many standard errors may be luck. */
const LUCK = 2
/** Number of best candidates that start an ensemble, number of choices without an improvement that end it, and least gain of another choice. */
const CHOICES = { maxChoices: MAX_CHOICES, sortedStart: 4, patience: 5, leastGain: 1e-6 }
/** The plan that stands for a straight line among the plans of nets. */
export const LINE: NetPlan = { members: 1, hidden: [], activation: 'linear', dropout: 0, learningRate: 0, weightDecay: 0 }

/** @throws the signal's reason if it ends training before there is a net */
export async function search(data: TableSamples, folds: Folds, features: LineFeatures, options: SearchOptions): Promise<SearchResult> {
  const rounds = new Rounds(taskOf(data, folds, features.lines), options)
  const { net } = options
  const { batchSize: givenSize, epochs: givenEpochs, ...given } = net
  const [usual, other] = plansOf(data, given)
  const { batchSize, epochs } = { ...usualRound(data.count), ...net }
  let isCut = false
  if (options.end === undefined) {
    const isOneSplit = folds.folds.length === 1
    const recipes = isOneSplit ? [usual, usual] : features.lines === null ? kindsOf(usual, data, given) : [usual]
    await rounds.train({ recipes, batchSize, epochs, number: 0, isPaired: !isOneSplit })
  } else {
    isCut = !(await fillTime(rounds, {
      ...{ usual, batchSize, epochs, keepsBatchSize: givenSize !== undefined },
      draw: (seed, number) => (number === 0 && other ? other : { ...randomPlan(seed), ...given }),
      small: { ...usual, members: 1, hidden: [32], dropout: 0 },
    }))
  }
  if (rounds.candidates.length === 0) {
    options.signal?.throwIfAborted()
    throw noNet(rounds.failure, data.count, net)
  }
  return { ...ensembleOf(rounds, folds, data, features, options.end), isCut }
}

/** The task of nets: the target or, with lines, their residuals, or both. */
function taskOf(data: TableSamples, { folds, from }: Folds, lines: readonly FoldLine[] | null): Task<NetPlan, TableView> {
  const { targets, width, classes, embedded, weights, loss = classes > 0 ? crossEntropy : mse } = data
  const all = Int32Array.from(targets, (_, row) => row)
  const inputs = tensor(data.inputs, [all.length, width])
  const held = folds.map(({ validation }) => inputsAt(data, validation))
  const viewOf = (targetsOf: (fold: number) => Int32Array | Float32Array): TableView => {
    const samples = (own: Int32Array | Float32Array, rows: Int32Array, inputs: Tensor) => ({
      ...{ inputs, targets: targetsFor(own, rows) },
      ...(weights && { weights: tensor(Float32Array.from(takeRows(weights, rows)), [rows.length]) }),
    })
    const each = folds.map((_, fold) => targetsOf(fold))
    const whole = samples(each[0], all, inputs)
    return {
      training: each.map((own) => (own === each[0] ? whole : samples(own, all, inputs))),
      validation: each.map((own, fold) => samples(own, folds[fold].validation, held[fold])),
    }
  }
  const leftBy = (lines: readonly FoldLine[]): TableView => ({
    ...viewOf((fold) => Float32Array.from(targets, (y, row) => (y - lines[fold].answers[row]) / lines[fold].deviation)),
    lines,
    whole: (answers, fold) => answers.map((y, i) => lines[fold].answers[folds[fold].validation[i]] + lines[fold].deviation * y),
    units: lines.map(({ deviation }) => deviation ** 2),
  })
  return {
    ...{ folds, from, loss: ensembleLoss(loss as Loss) },
    views: [...(lines === null || !hasTrend(targets) ? [viewOf(() => targets)] : []), ...(lines ? [leftBy(lines)] : [])],
    build: (plan, seed, steps) => {
      const model = makeNet(plan, width, classes || 1, seed, embedded)
      return { model, optimizer: makeOptimizer(model, plan), schedule: scheduleOf(plan, steps) }
    },
    predict: (net, rows) => predictionsOf(net, rows, classes),
    lossOn: (rows) => lossOn(data, rows),
    stopOn: (rows) => stopOn(data, rows),
  }
}

/** The error if no net succeeded: each cause with its remedy. */
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

/** Rows from which on two classes have one net: members were measured on up to 10,000 rows, and narrow nets of very many rows learn less. */
const MANY = 15_000

/**
 * The usual plan, and the other kind of net, which comes next if there is time: members that share layers, or one net. Members tell two classes apart
 * better (log loss of eleven tables −1.9 %, of mlc_churn −12), and are worse for numbers and more classes (docs/design/tried.md). They make nets narrower,
 * so nets of given sizes have none.
 */
function plansOf({ count, classes }: TableSamples, given: NetSettings): [usual: NetPlan, other?: NetPlan] {
  const plain: NetPlan = { ...usualPlan(count), ...given }
  if (given.hidden) return [plain]
  return classes === 2 && count < MANY ? [sharing(plain), plain] : [plain, sharing(plain)]
}

/** Rows up to which dropout is chosen by the folds, as measured: the second kind of nets takes as long again, up to ten seconds for few columns. */
const FEW = 6000

/**
 * The plan, and the same without dropout for a numeric target, unless dropout is given. Dropout helps on some tables and harms on others, as the
 * out-of-fold losses of all folds tell (docs/design/tried.md).
 */
function kindsOf(plan: NetPlan, { count, classes }: TableSamples, { dropout }: NetSettings): NetPlan[] {
  return classes > 0 || count > FEW || dropout !== undefined ? [plan] : [plan, { ...plan, dropout: 0 }]
}

/** The plans that predict best together, as one model. */
function ensembleOf(
  rounds: Rounds<NetPlan, TableView>,
  folds: Folds,
  data: TableSamples,
  { features, withLine, lines }: LineFeatures,
  end: number | undefined,
): SearchResult {
  const candidates = lines === null ? rounds.candidates : [...rounds.candidates, lineAlone(rounds, lines)].sort((a, b) => a.loss - b.loss)
  const { heldOut, lossOf, nets, secondsOfRow } = rounds
  // without a time limit there are few kinds, and the best one alone predicts better than a blend of them (docs/design/tried.md)
  const isOne = end === undefined && folds.folds.length > 1
  const voters =
    lines === null ? candidates.slice(0, isOne ? 1 : undefined) : noWorse(candidates, rounds, data.targets).slice(0, MAX_CHOICES)
  // at most half of the remaining time: the other half is for the report
  const until = end === undefined ? undefined : (clock.now() + end) / 2
  const found = lines === null ? chooseGreedily(voters, lossOf, { ...CHOICES, until }) : voters.map(() => 1)
  const votes = candidates.map((candidate) => found[voters.indexOf(candidate)] ?? 0)
  const total = votes.reduce((sum, vote) => sum + vote, 0)
  const predictions = new Float64Array(heldOut.length * (data.classes || 1))
  for (const [i, { predictions: own }] of candidates.entries())
    if (votes[i] > 0) for (let j = 0; j < own.length; j++) predictions[j] += (votes[i] / total) * own[j]
  const { width, embedded } = data
  const plain = ({ recipe, nets }: TableCandidate) => nets.map((net) => plainNets(net, recipe, width, embedded))
  const chosen = candidates.flatMap((candidate, i) => (votes[i] > 0 ? [{ ...candidate, nets: plain(candidate), vote: votes[i] }] : []))
  const usesLine = chosen.some(({ view }) => view.lines)
  const members = usesLine
    ? membersWithLine(chosen, total, data, withLine)
    : chosen.flatMap(({ nets, vote }) =>
        nets.flatMap((parts) => parts.map((net): Member => ({ net, weight: vote / nets.length / parts.length }))),
      )
  const used = chosen.flatMap(({ nets }) => nets).length + (usesLine ? 1 : 0)
  const model = new Ensemble(
    members.map(({ net }) => net),
    { average: data.classes > 0 ? 'softmax' : 'outputs', weights: members.map(({ weight }) => weight) },
  )
  return {
    ...{ model, features: usesLine ? withLine : features, heldOut, predictions, from: folds.from, candidates, votes, nets },
    ...{ used, secondsOfRow: used * secondsOfRow },
  }
}

/**
 * In a series, the candidates that are worse than the best one by no more than luck answer together, each with one vote: where few rows decide, a mean with
 * equal weights is hard to beat (Clemen 1989).
 */
function noWorse(
  candidates: readonly TableCandidate[],
  { heldOut, task: { from } }: Rounds<NetPlan, TableView>,
  targets: ArrayLike<number>,
): TableCandidate[] {
  const rows = heldOut.subarray(from)
  const errors = ({ predictions }: TableCandidate) => Array.from(rows, (row, i) => (predictions[from + i] - targets[row]) ** 2)
  const best = errors(candidates[0])
  return candidates.filter((candidate) => {
    const more = errors(candidate).map((error, i) => error - best[i])
    const mean = more.reduce((sum, d) => sum + d, 0) / more.length
    const variance = more.reduce((sum, d) => sum + (d - mean) ** 2, 0) / Math.max(1, more.length - 1)
    return mean <= LUCK * Math.sqrt(variance / more.length)
  })
}

/** A candidate of the ensemble. For each fold: one plain net, or one of each of its members. */
interface Chosen extends Omit<TableCandidate, 'nets'> {
  nets: readonly Module[][]
  vote: number
}

interface Member {
  net: Module
  weight: number
}

/** The predictions of the folds' lines, without nets. */
function lineAlone({ task, lossOf }: Rounds<NetPlan, TableView>, lines: readonly FoldLine[]): TableCandidate {
  const view = task.views[task.views.length - 1]
  const predictions = joinedOf(Float64Array, task.folds, ({ validation }, fold) => takeRows(lines[fold].answers, validation))
  return { recipe: LINE, view, nets: [], predictions, loss: lossOf(predictions), histories: [] }
}

/**
 * Nets and one line as an ensemble of the chosen ones. An ensemble computes a mean, but here a sum is needed: a net that learned the residuals of a
 * line needs the whole line added. So everything is multiplied by the sum of the weights, by which the mean divides.
 */
function membersWithLine(chosen: readonly Chosen[], total: number, { width, embedded }: TableSamples, withLine: FeatureState): Member[] {
  const lines = chosen.flatMap(({ view: { lines = [] }, vote }) => lines.map(({ line }) => ({ line, weight: vote / total / lines.length })))
  const ofLine = lines.reduce((sum, { weight }) => sum + weight, 0)
  const nets = chosen.flatMap(({ recipe, view, nets, vote }) =>
    nets.flatMap((parts, fold) => {
      const unit = view.lines?.[fold].deviation ?? 1
      return parts.map((net) => ({ net, plan: recipe, weight: vote / total / nets.length / parts.length, unit }))
    }),
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
