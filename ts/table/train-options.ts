/** Options of trainTable. */
import { rangeError, typeError } from '../common/errors.js'
import {
  anything,
  flag,
  fraction,
  handler,
  type Kind,
  object,
  pickOptions,
  type Read,
  readOptions,
  type Schema,
  seconds,
  seed,
  signal,
} from '../common/options.js'
import { show } from '../common/show.js'
import type { Source } from '../data/index.js'
import { choiceOf } from '../data/table/options.js'
import { TableModel } from './model/model.js'
import type { TableProgress } from './progress.js'
import { INSPECT_TABLE, type InspectTableOptions } from './rows/column-plan.js'
import { weightColumn } from './rows/row-weights.js'
import { groupColumn, timeColumn } from './rows/set-aside.js'
import { NET, type NetSettings } from './search/nets.js'
import { DECISION, type DecisionSettings } from './target/decision.js'
import { RESPONSE, type ResponseSettings } from './target/response.js'

/**
 * Options of {@link trainTable}: options of `fromTable` for the columns, options for the nets and their training, and options for classes of
 * different frequency or cost.
 */
export interface TrainTableOptions extends InspectTableOptions, NetSettings, DecisionSettings, ResponseSettings {
  /**
   * Seconds to spend: on the usual kind of net first, then on others, the best of which form an ensemble. Accurate to a few percent, the report
   * included. Default: the time to train the usual kind of net, for numbers with and without dropout, from seconds to a minute or two.
   */
  time?: number
  /** Share of test rows, on which the report is made and no net is trained, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /**
   * A column of dates or numbers by which the rows are split in time: the report is made from the latest rows, as for a model that predicts the
   * future, and nets are validated on blocks in time. The model follows growing numbers: nets learn the residuals of a straight line. If no two rows
   * have the same time, the report compares with the target of the row before. Default: rows at random.
   */
  splitBy?: string
  /**
   * A column of groups, such as patients: rows of a group are never on both sides, neither of training and test rows nor of the folds that validate
   * nets. Choose it where rows of a group are alike and later rows come from new groups. It is no input. Default: each row for itself.
   */
  groups?: string
  /**
   * A column with the weight of each row in the loss of nets and of the straight line, 0 or more: how many cases it stands for, or how much it may be
   * trusted. Only ratios matter; rows of weight 0 are not learned from. It is no input, and
   * rows to predict need not have it. Metrics of the report count each row once. Default: 1 for each.
   */
  weights?: string
  /** Test rows for the report, instead of a fraction of the given rows. */
  test?: readonly object[] | Source
  /**
   * A model that was trained on the same rows with the same options, except those of nets: `report.compared.other` says whether the new one is
   * better, row by row on the test rows.
   */
  compareWith?: TableModel
  /**
   * Also trains nets on an eighth, a quarter and half of the rows, and says in `report.learningCurve` what twice as many rows would bring. It takes about
   * twice as long as a training without `time`, in addition to it. Default false.
   */
  learningCurve?: boolean
  /** Decides splits, weights and order. The same seed gives the same model, unless `time` is given. Default 0. */
  seed?: number
  /**
   * Ends training early: the result uses the nets trained so far, without a learning curve. Until each fold has a net, which without `time` takes most
   * of the training, there is no model: the promise rejects with the signal's reason.
   */
  signal?: AbortSignal
  /**
   * Called at the start of each phase (`reading`, `encoding`, `training`, `measuring`) and several times a second while rows are read and nets are
   * trained.
   */
  onProgress?: (progress: TableProgress) => void
  /**
   * Shows progress in a line that is overwritten. Default: in Node, if the output is a terminal and there is no onProgress, for work longer than half a
   * second. True: also for other outputs and shorter work. Only Node and Bun show a line.
   */
  verbose?: boolean
}

/**
 * Options of {@link trainTable} for several targets. Those for classes or numbers, such as `metric`, are for each target; `time` is for all of them
 * together. A `signal` that fires before the last target has nets ends the training without a model: the promise rejects with its reason.
 */
export interface TrainTargetsOptions extends Omit<TrainTableOptions, 'target' | 'compareWith'> {
  /** The columns to predict. None of them is an input. */
  target: readonly string[]
}

const tableModel: Kind = { wants: 'a model of trainTable', fits: (value) => value instanceof TableModel }

export const TRAIN_TABLE = {
  ...{ ...INSPECT_TABLE, ...NET, ...DECISION, ...RESPONSE },
  time: { is: seconds },
  testFraction: { is: fraction, default: 0.2 },
  splitBy: { is: timeColumn },
  groups: { is: groupColumn, aka: ['group'] },
  weights: { is: weightColumn, aka: ['sampleWeight', 'weight'] },
  test: { is: anything },
  compareWith: { is: tableModel },
  learningCurve: { is: flag, default: false },
  seed: { is: seed, default: 0 },
  signal: { is: signal },
  onProgress: { is: handler },
  verbose: { is: flag },
} satisfies Schema<TrainTableOptions>

/** The options, with defaults. */
export type ReadTrainOptions = Read<TrainTableOptions, typeof TRAIN_TABLE>

/** @throws RangeError, TypeError naming the option */
export function readTrainOptions(given: TrainTableOptions): ReadTrainOptions {
  const misuse = misusedAs(given)
  if (misuse !== '') throw typeError(`trainTable: wants the column to predict, { target: 'species' }${misuse}`)
  const options = readOptions('trainTable', given, TRAIN_TABLE)
  if (options.test !== undefined && options.splitBy !== undefined)
    throw rangeError('trainTable: splitBy says which rows are set aside to test with, and test gives other ones; give one of the two')
  if (options.groups !== undefined) {
    if (options.splitBy !== undefined)
      throw rangeError('trainTable: splitBy sets the latest rows aside, and groups whole groups; give one of the two')
    if (options.groups === options.target) throw rangeError(`trainTable: groups wants another column than the target '${options.target}'`)
  }
  if (options.weights === options.target) throw rangeError(`trainTable: weights wants another column than the target '${options.target}'`)
  if (options.learningCurve && options.splitBy !== undefined)
    throw rangeError('trainTable: learningCurve wants rows at random, and splitBy cuts them in time; leave one of the two out')
  if (options.learningCurve && options.hidden?.length === 0)
    throw rangeError('trainTable: learningCurve is for nets, and hidden: [] is a straight line; leave one of the two out')
  const { hidden, ...ofNets } = pickOptions(options, NET)
  const [useless] = Object.keys(ofNets)
  if (hidden?.length === 0 && useless !== undefined)
    throw rangeError(`trainTable: hidden: [] is a straight line, which has no ${useless}; leave it out, or give hidden layers`)
  if (hidden?.length === 0 && options.distribution !== undefined && options.distribution !== 'normal')
    throw rangeError(
      `trainTable: hidden: [] is a ridge regression, of normal errors; leave hidden out, or distribution: ${show(options.distribution)}`,
    )
  const { target, columns, order } = options
  if (order === undefined) return options
  const own = choiceOf(columns, target)
  if (own.order !== undefined || (own.as ?? 'category') !== 'category')
    throw rangeError(
      `trainTable: order makes '${target}' classes in an order, and columns has ${show(own.order ?? own.as)} for it; give one of the two`,
    )
  return { ...options, columns: { ...columns, [target]: { ...own, as: 'category', order } } }
}

/** The options of each target, with the other targets left out. @throws RangeError, TypeError naming the option */
export function readTargetsOptions({ target: targets, ...given }: TrainTargetsOptions): ReadTrainOptions[] {
  const wrong = targets.find((name, i) => typeof name !== 'string' || targets.indexOf(name) !== i)
  if (targets.length === 0 || wrong !== undefined)
    throw rangeError(
      `trainTable: target wants a column, or different columns in an array, got ${wrong === undefined ? '[]' : typeof wrong === 'string' ? `${show(wrong)} twice` : `${show(wrong)} among them`}`,
    )
  if ('compareWith' in given && given.compareWith !== undefined) throw rangeError('trainTable: compareWith is for one target; leave it out')
  for (const option of ['groups', 'weights'] as const) {
    const wrong = targets.find((name) => name === given[option])
    if (wrong !== undefined) throw rangeError(`trainTable: ${option} wants another column than the target '${wrong}'`)
  }
  return targets.map((target) => {
    const others = targets.filter((name) => name !== target)
    const withoutOthers = <T>(choices: T): T =>
      (object.fits(choices)
        ? Object.fromEntries(Object.entries(choices as object).filter(([name]) => !others.includes(name)))
        : choices) as T
    const { exclude = [], categories, columns, missing } = given
    return readTrainOptions({
      ...given,
      target,
      exclude: Array.isArray(exclude) ? [...exclude, ...others] : exclude,
      ...(columns && { columns: withoutOthers(columns) }),
      ...(missing && { missing: withoutOthers(missing) }),
      ...(categories && { categories: Array.isArray(categories) ? categories.filter((name) => !others.includes(name)) : categories }),
    })
  })
}

/** The remedy for a call in the form of other libraries: `(X, y)`, or the name of the column alone. */
function misusedAs(options: unknown): string {
  if (typeof options === 'string') return `, got ${show(options)}; give { target: ${show(options)} }`
  if (!Array.isArray(options) && !ArrayBuffer.isView(options)) return ''
  return ", got an array as second argument; put targets y beside inputs X as one more column: trainTable(X.map((row, i) => ({ ...row, y: y[i] })), { target: 'y' })"
}
