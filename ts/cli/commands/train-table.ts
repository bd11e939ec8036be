/** `gradus train table.csv --target column`: a model of the user's table, with a readable report. */
import { Option } from 'commander'
import { pickOptions } from '../../common/options.js'
import type { Row } from '../../data/index.js'
import {
  type DecisionSettings,
  type NetSettings,
  type PairedDifference,
  type ReportBlock,
  type ResponseSettings,
  reportHtml,
  reportText,
  type TableModelReport,
  type TableProgress,
  type TargetsReport,
  type TrainedTable,
  type TrainedTargets,
  trainTable,
} from '../../table/index.js'
import { NET } from '../../table/search/nets.js'
import { DECISION } from '../../table/target/decision.js'
import { RESPONSE } from '../../table/target/response.js'
import { reportBlocks } from '../../xray/index.js'
import { interruptible, NO_MODEL } from '../interrupt.js'
import { names, predictLine, type TableData } from '../options/table.js'
import { checked, flag, numberFrom, seconds } from '../options/values.js'
import { checkOut, checkReport, leavingNoRest, writeFileWhole } from '../out-file.js'
import { asideOptions, naming, printTargetNotes, readRows, reportInFlags, tableOptions, withTargets } from '../table/files.js'
import { nameOfInput, sourceOfInput } from '../table/input.js'
import { tellAbsent } from '../table/model.js'
import { TableReporter } from '../table/progress.js'
import { type XrayedTraining, xrayTable } from '../table/xray.js'
import { whole } from '../terminal/format.js'
import { columns, paint, print, printLines, printText } from '../terminal/terminal.js'
import { printXray, xrayJson } from './xray.js'

/** Options of `gradus train` for a table. */
export interface TableTrainOptions extends TableData, NetSettings, DecisionSettings, ResponseSettings {
  time?: number
  out?: string
  report?: string
  seed: number
  /** A column with weights of rows. */
  weights?: string
  /** Says what more rows would bring. */
  learningCurve?: boolean
  /** Looks at one more net while it trains. */
  xray?: boolean
  quiet?: boolean
  json?: boolean
}

/** Options for tables only, besides the options for the data. */
export function tableTrainOptions(): Option[] {
  return [
    new Option('--time <duration>', 'how long to take, such as 60s or 5m: many kinds of nets, the best answer together').argParser(seconds),
    flag(
      '--class-weights <weights>',
      'how much rows of a class count: balanced, the same total for each class, or factors by class, such as yes=5,no=1',
      DECISION.classWeights,
      weights,
    ),
    flag(
      '--threshold <x>',
      'of two classes, the probability from which on the positive one is named: a number, or f1 or balanced, the best for F1 or balanced accuracy on ' +
        'rows that nets did not learn from (default: the likelier class is named)',
      DECISION.threshold,
    ),
    new Option(
      '--positive <class>',
      'of two classes, the one that F1, precision, recall and --threshold are about (default: the rarer one)',
    ),
    new Option(
      '--order <classes>',
      'classes that have an order, the least first, such as low,mid,high: the median of the probabilities is named',
    ).argParser(names),
    flag(
      '--metric <name>',
      `what kinds of nets and (but for rocAuc and averagePrecision) their epochs are chosen by: ${DECISION.metric.is.join(', ')} (default: logLoss, of numbers rmse)`,
      DECISION.metric,
    ),
    flag(
      '--distribution <name>',
      `of numbers, how they lie around a prediction: ${RESPONSE.distribution.is.join(', ')}, the best on rows held out (default: normal, with --metric mae laplace)`,
      RESPONSE.distribution,
    ),
    flag('--intervals <width>', 'of numbers, how wide intervals are: constant, or row, as the errors of similar rows', RESPONSE.intervals),
    new Option('--weights <column>', 'how much each row counts: a column of numbers from 0, which is no input'),
    new Option('--learning-curve', 'also say what more rows would bring: nets on an eighth, a quarter and half of the rows'),
    new Option('--out <file>', 'where the model goes (default: the name of the table, .safetensors)'),
    new Option('--report <file.html>', 'the report as a page with pictures'),
  ]
}

/** `balanced`, or `yes=5,no=1`. */
function weights(text: string): DecisionSettings['classWeights'] {
  const pairs = text.split(',').map((pair): [string, number] => {
    const [, name = '', factor = ''] = /^\s*(.*?)\s*=([^=]*)$/s.exec(pair) ?? []
    return [name, name === '' ? Number.NaN : numberFrom(factor)]
  })
  const value = text === 'balanced' ? text : Object.fromEntries(pairs)
  return checked(value, DECISION.classWeights.is, 'balanced, or factors above 0 by class, such as yes=5,no=1')
}

/** Runs the command on a file. */
export async function trainOnTable(file: string, options: TableTrainOptions): Promise<void> {
  tell(await trainModel(file, options), file, options)
}

/** The trained model, and the written files. */
export interface TrainedFile {
  report: TableModelReport | TargetsReport
  /** File of the model. */
  out: string
  /** File of the report as a page. */
  page: string | undefined
  /** True if Ctrl-C ended training early. */
  stopped: boolean
  xray?: XrayedTraining
}

/** Trains a model on a table and writes it, with progress at a terminal unless the options say otherwise. */
export async function trainModel(file: string, options: TableTrainOptions): Promise<TrainedFile> {
  const { target } = await withTargets(file, options)
  const { time, test, out = outOf(file), report: page, seed } = options
  checkOut('--out', out, { 'the table itself': file, 'the file of --test': test })
  checkReport(page, { 'the table itself': file, 'the file of --test': test, 'the file of the model': out })
  if (OF_OTHERS.test(out))
    throw new Error(`--out ${out}: the model goes to a file that ends in .safetensors; gradus export makes others of it`)
  if (options.xray && options.hidden?.length === 0)
    throw new Error(
      '--xray looks at a net while it trains, and --hidden none is a straight line, which is solved at once; leave one of them out',
    )
  if (options.xray && typeof target !== 'string')
    throw new Error('--xray looks at nets of one target; name one of them, or leave --xray out')
  const testRows = test === undefined ? undefined : await readRows(test, options)
  const silent = options.quiet === true || options.json === true
  return interruptible(async (signal) => {
    const { reporterOf, end } = reportersOf(file, silent)
    const watch = reporterOf(typeof target === 'string' ? target : target[0])
    const limit = time === undefined ? undefined : timeLeft(time)
    try {
      const work = async () => {
        const common = {
          ...dataOf(options, testRows),
          ...pickOptions(options, { ...NET, ...DECISION, ...RESPONSE }),
          ...(limit !== undefined && { time: limit }),
          ...(options.learningCurve && { learningCurve: true }),
          ...(options.weights !== undefined && { weights: options.weights }),
          seed,
          signal,
          onProgress: (progress: TableProgress) => (progress.target === undefined ? watch : reporterOf(progress.target)).progress(progress),
        }
        const source = await sourceOfInput(file, true)
        return typeof target === 'string' ? trainTable(source, { ...common, target }) : trainTable(source, { ...common, target })
      }
      const { model, report: inCode } = await naming<TrainedTable | TrainedTargets>(file, work, options)
      const report = 'reports' in inCode ? targetsInFlags(inCode) : reportInFlags(inCode)
      end()
      if (test !== undefined && testRows !== undefined) tellAbsent(model, testRows, test)
      await leavingNoRest(out, () => model.save(out))
      const xray =
        options.xray && typeof target === 'string' && !signal.aborted
          ? await xrayTable(file, { ...options, target }, {}, { signal, silent })
          : undefined
      if (page !== undefined) await writeFileWhole(page, reportHtml(report, xray && xrayBlocks(xray)))
      if (time !== undefined && limit !== undefined && !signal.aborted) watch.tellOverrun(time, time + report.seconds - limit)
      return { report, out, page, stopped: signal.aborted, ...(xray && { xray }) }
    } finally {
      end()
    }
  }, NO_MODEL)
}

/** The progress of each target, which has an area of the terminal of its own. */
function reportersOf(file: string, silent: boolean): { reporterOf: (target: string) => TableReporter; end: () => void } {
  const reporters = new Map<string, TableReporter>()
  const end = () => {
    for (const reporter of reporters.values()) reporter.end()
  }
  const reporterOf = (target: string) => {
    const known = reporters.get(target)
    if (known !== undefined) return known
    end()
    const made = new TableReporter(paint('bold', `Learning '${target}' from ${nameOfInput(file)}`), silent)
    reporters.set(target, made)
    return made
  }
  return { reporterOf, end }
}

function targetsInFlags(report: TargetsReport): TargetsReport {
  return { ...report, reports: Object.fromEntries(Object.entries(report.reports).map(([target, one]) => [target, reportInFlags(one)])) }
}

const XRAY_TITLE = 'X-ray of one such net, trained alone'

/** The X-ray below a report, with a title. */
function xrayBlocks({ report }: XrayedTraining): ReportBlock[] {
  const [first, ...rest] = reportBlocks(report)
  return [{ ...first, title: XRAY_TITLE }, ...rest]
}

/** Extensions of model files of other programs. */
const OF_OTHERS = /\.(onnx|m?js|pt|pth|h5|keras|pkl|joblib)$/i

/** Quality of the default nets of `gradus train` and of the tuned nets, on the test rows. */
export interface WithDefault {
  tuned: TableModelReport
  byDefault: TableModelReport
  /** Negative if the tuned nets are worse, as a fraction of a guess's loss; undefined for too few rows. */
  difference: PairedDifference | undefined
}

/** Trains with these settings of nets and with the defaults, and compares both on the test rows. */
export async function compareWithDefault(
  file: string,
  options: TableTrainOptions & { target: string },
  signal: AbortSignal,
): Promise<WithDefault> {
  const { target, test, seed } = options
  const testRows = test === undefined ? undefined : await readRows(test, options)
  const given = { ...dataOf(options, testRows), target, seed, signal, verbose: false }
  return naming(
    file,
    async () => {
      const source = await sourceOfInput(file, true)
      const { model, report: byDefault } = await trainTable(source, given)
      const { report: tuned } = await trainTable(source, { ...given, ...pickOptions(options, NET), compareWith: model })
      // a stopped training is no basis for a comparison
      signal.throwIfAborted()
      return { tuned, byDefault, difference: tuned.compared?.other }
    },
    options,
  )
}

/** The training rows and the test rows. */
function dataOf(options: TableTrainOptions, testRows: readonly Row[] | undefined) {
  return { ...tableOptions(options), ...asideOptions(options), ...(testRows !== undefined && { test: testRows }) }
}

/** Seconds to write the model and the report and to end the process: the minimum, and a share of the start-up time. */
const WRITING = { least: 0.05, share: 0.15 }

/** Remaining seconds of the time for the whole command, which started with the process. */
function timeLeft(time: number): number {
  const began = performance.now() / 1000
  return Math.max(time / 2, time - began - WRITING.least - WRITING.share * began)
}

/** `iris.csv` → `iris.safetensors`, beside it. */
function outOf(file: string): string {
  return `${nameOfInput(file)
    .replace(/^.*[\\/]/, '')
    .replace(/(\.(csv|tsv|txt|tab|data|jsonl?|ndjson|parquet|arrow|feather))?(\.gz)?$/i, '')}.safetensors`
}

/** JSON output for programs. */
export function trainedJson({ report, out, stopped, xray }: TrainedFile): object {
  return { ...report, model: out, stopped, ...(xray && { xray: xrayJson(xray) }) }
}

function tell(trained: TrainedFile, file: string, options: TableTrainOptions): void {
  const { report, out, page, stopped, xray } = trained
  if (options.json) return print(JSON.stringify(trainedJson(trained)))
  if (options.quiet) {
    const each = 'reports' in report ? Object.values(report.reports) : [report]
    const lines = each.map(({ target, metrics: [main], columns, leftOut, rows }) => {
      const { notes = [] } = columns.find(({ role }) => role === 'target') ?? {}
      printTargetNotes(target, { leftOut, notes })
      return `${each.length > 1 ? `'${target}': ` : ''}${main.name} ${main.value.toPrecision(4)} on ${whole(rows.test)} test rows`
    })
    return printLines(`${lines.join('\n')}; ${out}`)
  }
  if (stopped) print(paint('yellow', 'Stopped early; this is what there is.'))
  printLines(reportText(report, { width: Math.min(columns(), 100), paint }))
  print()
  if (xray) {
    print(paint('bold', XRAY_TITLE))
    printXray(xray)
  }
  printText(
    `${paint('green', '✓')} The model is in ${paint('bold', out)}${page === undefined ? '' : `, the report in ${paint('bold', page)}`}. It takes rows as they are in ${nameOfInput(file)}:`,
  )
  print(paint('dim', `  ${predictLine(out, options)}`))
  if (page === undefined) print(paint('dim', '  --report report.html in training writes this report as a page with pictures'))
}
