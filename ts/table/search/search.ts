/**
 * The search for nets that predict a table well.
 *
 * Without a time limit one plan is trained, the usual one for the number of rows and classes: a net on each fold, or two nets on a single split. Where
 * numbers are predicted, it is also trained without dropout, and the better of both kinds answers alone.
 *
 * With a limit the search trains the same first, then plans that change one thing, then plans drawn at random, in rounds (ts/search/fill-time.ts),
 * until the remaining time is needed for the report. Those that predict best together answer (ensemble.ts).
 *
 * A growing series leaves the range of the training rows, and nets do not follow. So if rows are in time, and numbers are predicted, nets are trained
 * on the residuals of a straight line of their fold, and the line alone is a candidate, too. If the target has no trend, further nets are trained on
 * the target itself.
 */
import { plainError } from '../../common/errors.js'
import { crossEntropy, ensembleLoss, type Loss, mse, NonFiniteError, type Tensor, tensor } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import { fillTime } from '../../search/fill-time.js'
import { Rounds, type RoundsOptions, type Task } from '../../search/rounds.js'
import { type Folds, hasTrend } from '../rows/folds.js'
import { inputsAt, lossOn, predictionsOf, stopOn, type TableSamples, targetsFor } from '../rows/samples.js'
import { bestOf, ensembleOf, type FoldLine, type LineFeatures, type SearchResult, type TableView } from './ensemble.js'
import {
  makeNet,
  makeOptimizer,
  type NetPlan,
  type NetSettings,
  randomPlan,
  scheduleOf,
  sharing,
  usualPlan,
  usualRound,
  variationsOf,
} from './nets.js'

/** Options of {@link search}. */
export interface SearchOptions extends RoundsOptions {
  /** Options that all nets share. */
  net: NetSettings
}

/** @throws the signal's reason if it ends training before there is a net */
export async function search(data: TableSamples, folds: Folds, features: LineFeatures, options: SearchOptions): Promise<SearchResult> {
  const rounds = new Rounds(taskOf(data, folds, features.lines), options)
  const { net, end, signal } = options
  const { batchSize, epochs, ...given } = { ...usualRound(data.count), ...net }
  const [usual, other] = plansOf(data, given)
  const first = firstOf(usual, data, folds, features, given)
  // the nets of a single split differ by their first weights, plans on folds do not
  const how = { batchSize, epochs, isPaired: folds.folds.length > 1 }
  let isCut = false
  if (end === undefined) await rounds.train({ recipes: first, ...how, number: 0 })
  else {
    const variations = () => variationsOf(bestOf(rounds.candidates, first) ?? usual, other, given)
    const isFull = await fillTime(rounds, {
      ...{ first, ...how },
      draw: (seed, number) => variations()[number] ?? { ...randomPlan(seed), ...given },
      small: { ...usual, members: 1, hidden: [32], dropout: 0, ...given },
    })
    isCut = !isFull && !signal?.aborted
  }
  if (rounds.candidates.length === 0) {
    signal?.throwIfAborted()
    throw noNet(rounds.failure, data.count, net)
  }
  return { ...ensembleOf(rounds, folds, data, features, first, end), isCut }
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
 * The usual plan, and the other kind of net, which is tried, too, if there is time: members that share layers, or one net. Members tell two classes apart
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
 * The plans that are trained first: on a single split the usual one twice. On folds of a numeric target also the same without dropout, unless dropout
 * is given: dropout helps on some tables and harms on others, as the out-of-fold losses of all folds tell (docs/design/tried.md).
 */
function firstOf(
  usual: NetPlan,
  { count, classes }: TableSamples,
  { folds }: Folds,
  { lines }: LineFeatures,
  { dropout }: NetSettings,
): [NetPlan, ...NetPlan[]] {
  if (folds.length === 1) return [usual, usual]
  return classes > 0 || count > FEW || lines !== null || dropout !== undefined ? [usual] : [usual, { ...usual, dropout: 0 }]
}
