/** `gradus tune`: find good hyper-parameters of nets for a table. */

import { basename, extname } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { count } from '../../common/options.js'
import type { PairedDifference, TableModelReport } from '../../table/index.js'
import {
  createStudy,
  hyperband,
  netSettings,
  reportHtml,
  reportText,
  type Space,
  type Study,
  TABLE_SPACE,
  type TrialRecord,
  tableObjective,
} from '../../tune/index.js'
import { interruptible } from '../interrupt.js'
import { seedOption } from '../options/net.js'
import { spaceFrom } from '../options/space.js'
import { dataOptions, type TableData, trainLine } from '../options/table.js'
import { flag, kebab, seconds } from '../options/values.js'
import { checkEnding, checkOut, writeFileWhole } from '../out-file.js'
import { naming, printTargetNotes, trialOptions, withTarget } from '../table/files.js'
import { LiveBar } from '../terminal/bar.js'
import { duration, percent } from '../terminal/format.js'
import { columns, isLive, paint, print, printLines, printNote, printText } from '../terminal/terminal.js'
import { compareWithDefault, trainedJson, trainModel, trainOnTable, type WithDefault } from './train-table.js'
import { showCommand } from './tune-show.js'
import { deleteCommand, statusCommand } from './tune-status.js'
import { hashOf, TUNE_FILE, TUNE_MODULE, trialTimeOption, workerCommand } from './tune-worker.js'

interface TuneOptions extends TableData {
  time?: number
  trials?: number
  space?: string
  storage?: string
  name?: string
  epochs: number
  seed: number
  parallel?: number
  trialTime?: number
  out?: string
  html?: string
  quiet?: boolean
  json?: boolean
}

/** Seconds if neither a number of trials nor a time is given. */
const USUAL_TIME = 60
/** Trials in the queue at once: the number of workers is unknown. */
const QUEUED = 16
/** Attribute of the study for the settings that its trials share. */
const SETTINGS = 'gradus:table'
/** Attribute of the study for the SHA-256 of the table. */
const TABLE_HASH = 'gradus:sha256'

/** Fewer epochs than two cannot be halved. */
const EPOCHS = { is: { min: 2, whole: true }, default: 40 }

const EXAMPLES = `
Examples:
  gradus tune penguins.csv --target species --time 2m
  gradus tune penguins.csv --target species --trials 200 --html report.html
  gradus tune penguins.csv --target species --exclude island --out p.safetensors
  gradus tune show penguins.tune.log
  gradus tune big.csv --target price --storage redis://host --time 1h
  gradus tune worker redis://host --table ./big.csv    on each machine`

/** The command and its options, with `show`, `worker`, `status` and `delete`. */
export function tuneCommand(): Command {
  const command = new Command('tune')
    .summary('find good hyper-parameters of nets for a table')
    .description(
      'Trains nets for a column of a table with many hyper-parameters, chosen by what was good before (TPE), and stops bad ones early (Hyperband). ' +
        'All results are kept in a file, so Ctrl-C loses nothing and the same command goes on. At the end it says what mattered, compares a model with what was ' +
        'found with one by default on the rows that gradus train tests with, which are in no trial, and gives the command that trains the better one.',
    )
    .addArgument(new Argument('<table>', 'a file: CSV, TSV, JSON, JSON lines (also .gz), Parquet'))
  command.optionsGroup?.('Options of the table:')
  for (const option of dataOptions()) command.addOption(option)
  command.optionsGroup?.('Options of the study:')
  command
    .addOption(
      new Option('--time <duration>', 'how long, such as 90s, 10m or 1h (default: 60s unless there is --trials)').argParser(seconds),
    )
    .addOption(flag('--trials <n>', 'trials of the study when it is done', { is: count }))
    .option('--space <file>', 'what is tuned, as JSON: {"learningRate": {"float": [1e-4, 0.1], "log": true}, "layers": [1, 2]}')
    .option(
      '--storage <place>',
      'where it is kept: study.log (Optuna reads it), study.sqlite, redis://host or postgres://host/database (default: the name of the table, .tune.log)',
    )
    .option('--name <name>', 'name of the study in its storage (default: that of the table)')
    .addOption(flag('-e, --epochs <n>', 'passes over the rows', EPOCHS))
    .addOption(flag('--parallel <n>', 'trials at once (default: a thread for each core; 16 in a queue)', { is: count }))
    .addOption(trialTimeOption())
    .addOption(seedOption('the split and the first weights; the same seed gives the same trials, one at a time'))
    .option('--out <file>', 'train a model with what was found, and write it there')
    .option('--html <file>', 'write a report with pictures')
  command.optionsGroup?.('Options:')
  command
    .option('-q, --quiet', 'print the result only')
    .option('--json', 'print one JSON object instead; with --out the report of the model is in it as `trained`')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: TuneOptions) => tune(file, options))
  const parts = [showCommand(), workerCommand(), statusCommand(), deleteCommand()]
  for (const part of parts) command.addCommand(part.helpOption('-h, --help', 'print this help').exitOverride())
  return command
}

async function tune(file: string, given: TuneOptions): Promise<void> {
  const silent = given.quiet === true || given.json === true
  const reads = { 'the table itself': file, 'the file of --test': given.test, 'the file of --space': given.space }
  if (given.out !== undefined) checkOut('--out', given.out, reads)
  if (given.html !== undefined) {
    checkOut('--html', given.html, { ...reads, 'the file of the model': given.out })
    checkEnding('--html', given.html, 'a page of HTML', ['html', 'htm'])
  }
  const options = await withTarget(file, given)
  const { found, net } = await interruptible((signal) => search(file, options, silent, signal))
  const training = net !== undefined && options.out !== undefined && { ...options, ...net, time: undefined, out: options.out }
  if (options.json) return print(JSON.stringify({ ...found, ...(training && { trained: trainedJson(await trainModel(file, training)) }) }))
  if (!training) return
  if (!silent) print()
  await trainOnTable(file, training)
}

type Targeted = TuneOptions & { target: string }

/** Runs a study of nets for the table. @returns what it found, for JSON, and the best nets unless it was stopped */
async function search(file: string, options: Targeted, silent: boolean, signal: AbortSignal) {
  const { epochs, seed } = options
  const name = options.name ?? basename(file, extname(file))
  const storage = options.storage ?? `${name}.tune.log`
  const space: Space = options.space === undefined ? TABLE_SPACE : spaceFrom(options.space)
  // mistakes in the table are reported here, not by a worker
  printTargetNotes(options.target, await naming(file, () => tableObjective({ file, epochs, ...trialOptions(options) }), options))
  const pruner = hyperband({ minResource: Math.min(4, epochs), maxResource: epochs })
  const study = await createStudy({ space, storage, name, seed, pruner })
  try {
    await runTrials(study, storage, file, options, silent, signal)
    if (options.html !== undefined) await writeFileWhole(options.html, reportHtml(study))
    if (!options.json) conclude(study, options)
    const best = study.bestTrial && netSettings(study.bestParams, epochs)
    const lines = best && { tunedTrain: trainLine(file, options, best), defaultTrain: trainLine(file, options, {}) }
    const net = signal.aborted ? undefined : best
    if (net !== undefined && !silent) {
      print()
      print(paint('dim', 'Training with what was found and by default, to compare both …'))
    }
    const comparison =
      net === undefined ? undefined : compared(await compareWithDefault(file, { ...options, ...net }, signal).catch(notCompared))
    if (!options.json && lines !== undefined) advise(lines, comparison, options)
    if (signal.aborted && !options.json) printLines(`\nStopped; all results are kept in ${study.place}: the same command goes on.`)
    return {
      found: { ...foundIn(study), train: lines && adviceOf(lines, comparison), comparison: comparison && { ...comparison, ...lines } },
      net,
    }
  } finally {
    await study.close()
  }
}

/** Runs the trials of a study, with progress. @throws Error if the study began with other settings, or another table */
async function runTrials(
  study: Study,
  storage: string,
  file: string,
  options: Targeted,
  silent: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { target, epochs, trials } = options
  const isQueue = /^(rediss?|postgres(ql)?):/.test(storage)
  // a table that is fetched is no file; workers of a queue want one
  const sha256 = isQueue || !/^https?:\/\//.test(file) ? await hashOf(file) : undefined
  await checkSettings(study, storage, settingsOf(options))
  if (sha256 !== undefined) await checkTable(study, storage, file, sha256)
  const before = study.finished
  if (!silent) {
    print(paint('bold', `Tuning nets for ${target} of ${file}`))
    print(`  ${paint('dim', 'kept in')} ${study.place}${before > 0 ? `, which has ${before} trials: going on` : ''}`)
    if (isQueue)
      print(
        `  ${paint('dim', 'run by')} gradus tune worker ${study.place} --table ./${basename(file)}, on this machine and any other that has ${file}`,
      )
    print()
  }
  const time = options.time ?? (trials === undefined ? USUAL_TIME : undefined)
  const progress = new TuneProgress(study, { trials, time, before }, silent)
  try {
    await study.optimize(
      {
        ...{ module: TUNE_FILE, name: TUNE_MODULE, factory: 'tableObjective' },
        // a worker has the table under its name
        options: { ...(isQueue ? { file: basename(file), sha256 } : { file }), epochs, ...trialOptions(options) },
      },
      {
        ...(trials !== undefined && { trials }),
        ...(time !== undefined && { time }),
        parallel: options.parallel ?? (isQueue ? QUEUED : 'auto'),
        ...(isQueue && { queue: storage }),
        onError: 'continue',
        signal,
        ...(options.trialTime !== undefined && { trialTime: options.trialTime }),
        onTrial: (trial) => progress.trial(trial),
        onMessage: (text) => progress.message(text),
      },
    )
  } finally {
    progress.end()
  }
}

/** Settings that trials share, in the form of the command line: all options of the table, as they decide what a trial learns. */
function settingsOf(options: TuneOptions): Record<string, unknown> {
  const { target, epochs, seed, exclude, categories, numbers, embed, missingValues, formatted, test, testFraction, splitBy } = options
  const { decimal, thousands, encoding, ragged, header } = options
  const settings = {
    ...{ target, epochs, seed, exclude, categories, numbers, embed, missingValues, formatted },
    // no trial knows more about the test rows than whether they come from the table
    ...{ test, testFraction, splitBy, decimal, thousands, encoding, ragged, noHeader: header === false || undefined },
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [kebab(name), Array.isArray(value) ? value.join() : value]))
}

/** Trials of another target, or trained for longer, cannot be compared: they are another study. */
async function checkSettings(study: Study, storage: string, settings: Record<string, unknown>): Promise<void> {
  const before = study.attributes[SETTINGS] as Record<string, unknown> | undefined
  const inWords = (values: Record<string, unknown>) =>
    Object.entries(values)
      .map(([name, value]) => `--${name} ${value}`)
      .join(' ')
  if (before === undefined) await study.setAttribute(SETTINGS, settings)
  else if (inWords(before) !== inWords(settings))
    throw new Error(
      `the study '${study.name}' in ${storage} is one with ${inWords(before)}, got ${inWords(settings)}: its trials cannot be compared with these. ` +
        'Give this study another name by --name',
    )
}

/** Trials of a table that has changed cannot be compared, either. */
async function checkTable(study: Study, storage: string, file: string, sha256: string): Promise<void> {
  const before = study.attributes[TABLE_HASH]
  if (before === undefined) await study.setAttribute(TABLE_HASH, sha256)
  else if (before !== sha256)
    throw new Error(
      `${file} has changed since the study '${study.name}' in ${storage} began: its trials cannot be compared with these. ` +
        'Give this study another name by --name',
    )
}

interface Lines {
  tunedTrain: string
  defaultTrain: string
}

/** Comparison of tuned nets with default nets, on rows that no trial has seen. */
interface Compared {
  /** `log loss` or `RMSE`. */
  measure: string
  rows: number
  tuned: number
  default: number
  /** Advantage of the tuned nets, row by row, as a fraction of a guess's loss, with its 95 % interval. */
  difference: PairedDifference | undefined
  better: 'tuned' | 'default' | 'neither'
}

function compared(trained: WithDefault | undefined): Compared | undefined {
  if (trained === undefined) return undefined
  const { tuned, byDefault, difference } = trained
  const measure = tuned.task === 'classification' ? 'log loss' : 'RMSE'
  const valueIn = ({ metrics }: TableModelReport) => metrics.find(({ name }) => name === measure)?.value ?? Number.NaN
  const better =
    difference !== undefined && difference.low > 0 ? 'tuned' : difference !== undefined && difference.high < 0 ? 'default' : 'neither'
  return { measure, rows: tuned.rows.test, tuned: valueIn(tuned), default: valueIn(byDefault), difference, better }
}

/** The study is kept, even if the trainings after it fail. */
function notCompared(error: unknown): undefined {
  printNote(`nets with what was found are not compared with those of the default: ${(error as Error).message}`)
  return undefined
}

/** Without a comparison, the command with the parameters found. */
function adviceOf({ tunedTrain, defaultTrain }: Lines, comparison: Compared | undefined): string {
  return comparison === undefined || comparison.better === 'tuned' ? tunedTrain : defaultTrain
}

/** The results of a study, for programs. */
function foundIn({ name, place, bestTrial, trials }: Study): object {
  return {
    study: name,
    storage: place,
    trials: trials.length,
    best: bestTrial && { ...bestTrial, reports: [...bestTrial.reports] },
  }
}

/** Says which command to train with, and why. */
function advise(lines: Lines, comparison: Compared | undefined, { out }: TuneOptions): void {
  if (comparison !== undefined) {
    const { measure, rows, tuned, default: byDefault, difference, better } = comparison
    const share = (x: number) => percent(x, 1)
    const interval =
      difference &&
      `; row by row the tuned ones gain ${share(difference.difference)} of what a guess loses (95 % interval: ${share(difference.low)} to ${share(difference.high)})`
    const verdict = {
      tuned: 'The tuned ones are better:',
      default: 'The default is better:',
      neither: 'The default is as good, as far as these rows tell:',
    }[better]
    print()
    printText(
      `On the ${rows} rows to test with, which no trial has seen, nets with what was found have a ${measure} of ${tuned.toPrecision(3)}, those of the default ${byDefault.toPrecision(3)}${interval ?? ''}. ${verdict}`,
    )
  } else if (out === undefined) {
    print()
    printText('A model of such nets, tested with rows that no trial has seen:')
  }
  if (out === undefined || comparison !== undefined) print(paint('dim', `  ${adviceOf(lines, comparison)}`))
}

function conclude(study: Study, { html }: TuneOptions): void {
  printLines(reportText(study, { width: columns() }))
  const accuracy = study.bestTrial?.attributes.accuracy
  if (typeof accuracy === 'number') printLines(`\nIts net has ${percent(accuracy)} of the held-out rows right.`)
  if (html !== undefined) printLines(`\nThe report is in ${html}.`)
}

/** A bar with the best so far at a terminal, a line for each better trial elsewhere. */
class TuneProgress {
  private bar: LiveBar | undefined
  private readonly started = performance.now()
  private best = Number.POSITIVE_INFINITY
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly study: Study,
    private readonly limits: { trials?: number; time?: number; before: number },
    private readonly silent: boolean,
  ) {
    this.best = study.bestTrial?.value ?? Number.POSITIVE_INFINITY
    if (silent || !isLive()) return
    this.bar = new LiveBar(1)
    this.timer = setInterval(() => this.draw(), 200)
    this.draw()
  }

  trial({ number, value, state }: TrialRecord): void {
    if (this.silent || state !== 'complete' || value === undefined || value >= this.best) return
    this.best = value
    const line = `trial ${String(number).padStart(4)}  best ${value.toPrecision(4)}  ${Object.entries(this.study.bestParams)
      .map(([name, x]) => `${name} ${typeof x === 'number' ? Number(x.toPrecision(3)) : String(x)}`)
      .join(', ')}`
    if (this.bar) this.bar.above(() => print(line.slice(0, columns() - 1)))
    else print(line)
  }

  /** Shows a message for the user, such as that there is no worker. */
  message(text: string): void {
    if (this.bar) this.bar.above(() => printNote(text))
    else printNote(text)
  }

  end(): void {
    clearInterval(this.timer)
    this.bar?.stop()
    if (!this.silent) print()
  }

  private draw(): void {
    const { trials, time, before } = this.limits
    const elapsed = (performance.now() - this.started) / 1000
    const done = this.study.finished
    const share = Math.max(
      time === undefined ? 0 : elapsed / time,
      trials === undefined ? 0 : (done - before) / Math.max(1, trials - before),
    )
    const left = share > 0.01 ? [`${duration((elapsed / share) * (1 - Math.min(1, share)))} left`] : []
    const best = Number.isFinite(this.best) ? [`best ${this.best.toPrecision(4)}`] : []
    this.bar?.update(share, `${done} trials`, [...best, ...left])
  }
}
