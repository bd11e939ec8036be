/** `gradus tune`: find good hyper-parameters of nets for a table. */

import { writeFileSync } from 'node:fs'
import path, { basename, extname } from 'node:path'
import {
  createStudy,
  htmlReport,
  hyperband,
  netSettings,
  openStudy,
  runWorker,
  type Space,
  type Study,
  summarize,
  TABLE_SPACE,
  type TrialRecord,
  tableObjective,
} from '../../tune/index.js'
import { interruptible } from '../interrupt.js'
import { spaceFrom } from '../options/space.js'
import { trainLine } from '../options/table.js'
import { checkOut } from '../out-file.js'
import { type TableData, trialOptions, withTarget } from '../table/files.js'
import { LiveBar } from '../terminal/bar.js'
import { duration, percent } from '../terminal/format.js'
import { columns, isLive, paint, print, printText } from '../terminal/terminal.js'
import { trainOnTable } from './train-table.js'

/** Options of `gradus tune table.csv`. */
export interface TuneOptions extends TableData {
  time?: number
  trials?: number
  space?: string
  storage?: string
  name?: string
  epochs: number
  seed: number
  parallel?: number
  out?: string
  html?: string
  quiet?: boolean
  json?: boolean
}

/** Without a number of trials or a time. */
const USUAL_TIME = 60
/** Trials in the queue at once: it does not know how many workers there are. */
const QUEUED = 16
/** What workers have under a path of their own: the module of gradus/tune. */
const TUNE_MODULE = 'gradus:tune'
/** Where the study keeps what its trials have in common. */
const SETTINGS = 'gradus:table'

/** Runs the command. */
export async function tune(file: string, given: TuneOptions): Promise<void> {
  const silent = given.quiet === true || given.json === true
  const reads = { 'the table itself': file, 'the file of --test': given.test, 'the file of --space': given.space }
  if (given.out !== undefined) checkOut('--out', given.out, reads)
  if (given.html !== undefined) checkOut('--html', given.html, { ...reads, 'the file of the model': given.out })
  const options = await withTarget(file, given)
  const net = await interruptible(async (signal) => {
    const { target, epochs, seed, trials } = options
    const data = trialOptions(options)
    const name = options.name ?? basename(file, extname(file))
    const storage = options.storage ?? `${name}.tune.log`
    const space: Space = options.space === undefined ? TABLE_SPACE : spaceFrom(options.space)
    // what is wrong with the table is said here, not by a worker
    await tableObjective({ file, epochs, ...data })
    const study = await createStudy({ space, storage, name, seed, pruner: hyperband({ least: 4, most: epochs }) })
    try {
      await checkSettings(study, storage, settingsOf(options))
      const before = study.finished
      const isQueue = /^(rediss?|postgres(ql)?):/.test(storage)
      if (!silent) {
        print(paint('bold', `Tuning nets for ${target} of ${file}`))
        print(`  ${paint('dim', 'kept in')} ${study.place}${before > 0 ? `, which has ${before} trials: going on` : ''}`)
        if (isQueue) print(`  ${paint('dim', 'run by')} gradus tune worker ${study.place}, on this machine and any other that has ${file}`)
        print()
      }
      const time = options.time ?? (trials === undefined ? USUAL_TIME : undefined)
      const progress = new TuneProgress(study, { trials, time, before }, silent)
      const module = isQueue ? TUNE_MODULE : new URL('./tune.js', import.meta.url)
      try {
        await study.optimize(
          { module, factory: 'tableObjective', options: { file: isQueue ? path.resolve(file) : file, epochs, ...data } },
          {
            ...(trials !== undefined && { trials }),
            ...(time !== undefined && { time }),
            parallel: options.parallel ?? (isQueue ? QUEUED : 'auto'),
            ...(isQueue && { queue: storage }),
            onError: 'continue',
            signal,
            onTrial: (trial) => progress.trial(trial),
          },
        )
      } finally {
        progress.end()
      }
      conclude(study, file, options)
      if (signal.aborted && !options.json) print(`\nStopped; all results are kept in ${study.place}: the same command goes on.`)
      return signal.aborted || study.bestTrial === undefined ? undefined : netSettings(study.bestParams, epochs)
    } finally {
      await study.close()
    }
  })
  if (net === undefined || options.out === undefined) return
  if (!silent) print()
  await trainOnTable(file, { ...options, ...net, time: undefined, out: options.out })
}

/** What trials have in common, as the command line says it. */
function settingsOf({
  target,
  epochs,
  seed,
  exclude,
  categories,
  numbers,
  embed,
  test,
  testFraction,
}: TuneOptions): Record<string, unknown> {
  const columns = Object.entries({ exclude, categories, numbers, embed }).map(([name, list]) => [name, list?.join()] as const)
  // of rows to test with no trial knows more than whether they come from the table
  const more = [...columns, ['test', test], ['test-fraction', testFraction]].filter(([, value]) => value !== undefined)
  return { target, epochs, seed, ...Object.fromEntries(more) }
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

function conclude(study: Study, file: string, options: TuneOptions): void {
  const { html, json, out, epochs } = options
  if (html !== undefined) writeFileSync(html, htmlReport(study))
  const { bestTrial, trials } = study
  const line = bestTrial && trainLine(file, options, netSettings(study.bestParams, epochs))
  if (json) {
    print(
      JSON.stringify({
        study: study.name,
        storage: study.place,
        trials: trials.length,
        best: bestTrial && { ...bestTrial, reports: [...bestTrial.reports] },
        train: line,
      }),
    )
    return
  }
  print(summarize(study, { width: columns() }))
  const accuracy = bestTrial?.attributes.accuracy
  if (typeof accuracy === 'number') print(`\nIts net has ${percent(accuracy)} of the held-out rows right.`)
  if (html !== undefined) print(`\nThe report is in ${html}.`)
  if (line === undefined || out !== undefined) return
  printText('\nA model of such nets, tested with rows that no trial has seen:')
  print(paint('dim', `  ${line}`))
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
    this.bar = new LiveBar(1000)
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
    this.bar?.update(Math.min(999, Math.floor(1000 * share)), `${done} trials`, [...best, ...left])
  }
}

/** Options of `gradus tune show`. */
export interface ShowOptions {
  name?: string
  html?: string
  json?: boolean
}

/** `gradus tune show`: what a study found. */
export async function showStudy(storage: string, { name, html, json }: ShowOptions): Promise<void> {
  const study = await openStudy({ storage, ...(name !== undefined && { name }) })
  try {
    if (html !== undefined) writeFileSync(html, htmlReport(study))
    if (json) print(JSON.stringify({ study: study.name, trials: study.trials.map((trial) => ({ ...trial, reports: [...trial.reports] })) }))
    else {
      print(summarize(study, { width: columns() }))
      if (html !== undefined) print(`\nThe report is in ${html}.`)
    }
  } finally {
    await study.close()
  }
}

/** Options of `gradus tune worker`. */
export interface WorkOptions {
  concurrency: number
}

/** `gradus tune worker`: run trials from a queue until Ctrl-C. */
export async function work(url: string, { concurrency }: WorkOptions): Promise<void> {
  await interruptible(async (signal) => {
    const worker = await runWorker(url, {
      concurrency,
      modules: { [TUNE_MODULE]: new URL('./tune.js', import.meta.url) },
      onTrial: ({ study, number, state }) => print(`${study} trial ${number} ${state}`),
    })
    print('Waiting for trials; Ctrl-C ends it.')
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    await worker.close()
  })
}
