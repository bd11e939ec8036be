/**
 * The ensemble of a table: which candidates of a search answer together, and the model that they make.
 *
 * Every net is evaluated on the held-out rows of its fold. These out-of-fold predictions select plans greedily, with repetition
 * (ts/select/choose-greedily.ts), and the nets of the selected plans form an ensemble, weighted by the number of times that their plan was selected.
 *
 * With lines, candidates that are worse than the best by no more than luck form the ensemble. If there is a trend, the latest rows decide.
 */
import { clock } from '../../common/clock.js'
import { joinedOf } from '../../common/joined.js'
import { Ensemble, type Module } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import { type Candidate, MAX_CHOICES, type Rounds, type View } from '../../search/rounds.js'
import { chooseGreedily } from '../../select/choose-greedily.js'
import { type FeatureState, plainColumn, widthOf } from '../rows/features.js'
import type { Folds } from '../rows/folds.js'
import type { TableSamples } from '../rows/samples.js'
import { type NetPlan, plainNets, widened } from './nets.js'
import { type Line, lineNet, meanOfLines } from './straight-line.js'

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
export interface TableView extends View {
  lines?: readonly FoldLine[]
}

/** A kind of nets, or a line. */
export type TableCandidate = Candidate<NetPlan, TableView>

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

/** The plan with the least loss among `plans`; undefined if none of them is a candidate. */
export function bestOf(candidates: readonly TableCandidate[], plans: readonly NetPlan[]): NetPlan | undefined {
  return candidates.find(({ recipe }) => plans.includes(recipe))?.recipe
}

/** The plans that predict best together, as one model. @param first plans of which only the best may be chosen */
export function ensembleOf(
  rounds: Rounds<NetPlan, TableView>,
  folds: Folds,
  data: TableSamples,
  { features, withLine, lines }: LineFeatures,
  first: readonly NetPlan[],
  end: number | undefined,
): SearchResult {
  const candidates = lines === null ? rounds.candidates : [...rounds.candidates, lineAlone(rounds, lines)].sort((a, b) => a.loss - b.loss)
  const { heldOut, lossOf, nets, secondsOfRow } = rounds
  // the best of the first plans alone predicts better than a blend of them (docs/design/tried.md)
  const best = bestOf(candidates, first)
  const isRival = ({ recipe }: TableCandidate) => recipe === best || !first.includes(recipe)
  const voters = lines === null ? candidates.filter(isRival) : noWorse(candidates, rounds, data.targets).slice(0, MAX_CHOICES)
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
