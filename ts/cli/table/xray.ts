/** The X-ray of a net that trains on a table: shared by `gradus xray` and `gradus train --xray`. */
import { pickOptions } from '../../common/options.js'
import { crossEntropy, fit, mse, NonFiniteError, type Optimizer, tensor } from '../../index.js'
import { OPTIMIZERS } from '../../optim/index.js'
import { type NetSettings, type PreparedTable, prepareTable, tableNet } from '../../table/index.js'
import { NET } from '../../table/search/nets.js'
import { XRay, type XrayLevel, type XrayReport } from '../../xray/index.js'
import { type ScheduleName, schedule } from '../data-sets/schedules.js'
import type { OptimizerName } from '../options/net.js'
import type { TableData } from '../options/table.js'
import { LiveBar } from '../terminal/bar.js'
import { duration } from '../terminal/format.js'
import { isLive } from '../terminal/terminal.js'
import { naming, trialOptions } from './files.js'
import { sourceOfInput } from './input.js'

/** The rows, and the net. */
export interface XrayedNet extends TableData, NetSettings {
  target: string
  seed: number
}

/** How the net is trained and looked at. */
export interface XrayOptions {
  /** Default: that of `gradus train`, AdamW with one cycle. */
  optimizer?: OptimizerName
  schedule?: ScheduleName
  level?: XrayLevel
  every?: number
}

/** A training that was looked at. */
export interface XrayedTraining {
  report: XrayReport
  prepared: PreparedTable
  /** The error with which training ended, if it diverged. */
  diverged?: string
}

/** Trains a net on a table, with validation rows beside, and returns what the X-ray saw, also of a training that diverged. */
export async function xrayTable(
  file: string,
  options: XrayedNet,
  { optimizer, schedule: course, level, every }: XrayOptions,
  { signal, silent }: { signal: AbortSignal; silent: boolean },
): Promise<XrayedTraining> {
  const { seed, learningRate } = options
  const prepared = await naming(file, async () => prepareTable(await sourceOfInput(file, true), trialOptions(options)), options)
  const { train, held, classes, width } = prepared
  const { model, ...how } = tableNet(prepared, { ...pickOptions(options, NET), seed })
  if (optimizer !== undefined)
    how.optimizer = new OPTIMIZERS[optimizer](model.parameters(), learningRate === undefined ? {} : { learningRate }) as Optimizer
  const steps = how.epochs * Math.ceil(train.count / how.batchSize)
  if (optimizer !== undefined || course !== undefined)
    how.schedule = schedule(course ?? 'constant', learningRate ?? how.optimizer.learningRate, steps)
  const rows = ({ inputs, targets, count }: typeof train) => ({
    inputs: tensor(inputs, [count, width]),
    targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]),
  })
  const xray = new XRay({ ...(level && { level }), ...(every !== undefined && { every }) })
  const live = silent || !isLive() ? null : new LiveBar(steps)
  let diverged: string | undefined
  try {
    await fit(model, {
      ...{ ...rows(train), ...how, validation: rows(held), loss: classes > 0 ? crossEntropy : mse, seed, signal },
      ...{ callbacks: [xray], verbose: false },
      onProgress: ({ step, epoch, epochs: all, loss, secondsLeft }) =>
        live?.update(step, `epoch ${epoch}/${all}`, [`loss ${loss.toFixed(4)}`, `${duration(secondsLeft)} left`]),
    })
  } catch (error) {
    // the training that an X-ray is wanted for
    if (!(error instanceof NonFiniteError)) throw error
    diverged = error.message
  } finally {
    live?.stop()
  }
  return { report: namingColumns(xray.report, prepared.columns), prepared, ...(diverged !== undefined && { diverged }) }
}

/** A report whose sentences name columns of the table in place of numbers of inputs: `column 'price'` for `column 3`. */
export function namingColumns(report: XrayReport, columns: readonly string[]): XrayReport {
  const named = (text: string) =>
    text.replace(/\b(columns?) ((?:\d+, )*\d+)\b/g, (_, word: string, numbers: string) => {
      const names = numbers.split(', ').map((number) => `'${columns[Number(number)] ?? number}'`)
      return `${word} ${[...new Set(names)].join(', ')}`
    })
  return {
    ...report,
    verdicts: report.verdicts.map((verdict) => ({ ...verdict, says: named(verdict.says), remedy: named(verdict.remedy) })),
  }
}
