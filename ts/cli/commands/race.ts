/** `gradus race` and `gradus lr-find`: optimizers and learning rates on one's own table. */
import { writeFileSync } from 'node:fs'
import { compareLearningRates, crossEntropy, lineChart, mse, OPTIMIZERS, type Optimizer, tensor } from '../../index.js'
import { prepareTable, tableNet } from '../../table/index.js'
import type { OptimizerName } from '../data-sets/setup.js'
import { checkOut } from '../out-file.js'
import { naming, type TableData, trialOptions, withTarget } from '../table/files.js'
import { barLine } from '../terminal/bar.js'
import { chartLines } from '../terminal/chart.js'
import { duration, table } from '../terminal/format.js'
import { LiveArea } from '../terminal/live-area.js'
import { columns, isLive, paint, print, printText } from '../terminal/terminal.js'

/** Options of both commands. */
export interface RaceOptions extends TableData {
  optimizers: OptimizerName[]
  epochs: number
  hidden: number[]
  batchSize: number
  points: number
  seed: number
  picture?: string
  json?: boolean
}

/** What an optimizer came to at its best learning rate. */
interface Lap {
  name: OptimizerName
  learningRate: number | null
  loss: number
  /** Held-out loss by epoch, at that rate. */
  course: number[]
  learningRates: number[]
  losses: number[]
  seconds: number
}

/** Rates that are tried of each optimizer, by how large its steps usually are. */
const RANGES: Partial<Record<string, readonly [number, number]>> = {
  SGD: [1e-3, 1],
  Momentum: [1e-3, 1],
  Nesterov: [1e-3, 1],
  Lion: [1e-5, 1e-2],
  Prodigy: [0.1, 10],
  DoG: [0.1, 10],
  Adadelta: [0.1, 10],
}

async function race(file: string, given: RaceOptions): Promise<Lap[]> {
  const options = await withTarget(file, given)
  const { optimizers, epochs, hidden, batchSize, points, seed, picture } = options
  if (picture !== undefined) checkOut('--picture', picture, { 'the table itself': file, 'the file of --test': options.test })
  const prepared = await naming(file, () => prepareTable(file, trialOptions(options)), options)
  const { train, held, classes, width } = prepared
  const rows = ({ inputs, targets, count }: typeof train) => ({
    inputs: tensor(inputs, [count, width]),
    targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]),
  })
  const [data, validation] = [rows(train), rows(held)]
  const live = options.json || !isLive() ? null : new LiveArea()
  const laps: Lap[] = []
  try {
    for (const [i, name] of optimizers.entries()) {
      const began = performance.now()
      const [from, to] = RANGES[name] ?? [1e-4, 1e-1]
      const build = ({ learningRate, seed: own }: { learningRate: number; seed: number }) => {
        const { model } = tableNet(prepared, { hidden, activation: 'silu', dropout: 0, seed: own })
        return { model, optimizer: new OPTIMIZERS[name](model.parameters(), { learningRate }) as Optimizer }
      }
      const onProgress = ({ steps, totalSteps }: { steps: number; totalSteps: number }) =>
        live?.draw([
          barLine(
            name.padEnd(12),
            (i + steps / totalSteps) / optimizers.length,
            [`${points} learning rates, ${epochs} epochs`],
            Math.min(columns() - 1, 90),
          ),
        ])
      const found = await compareLearningRates(build, {
        ...data,
        validation,
        loss: classes > 0 ? crossEntropy : mse,
        ...{ from, to, points, seeds: [seed], epochs, batchSize: Math.min(batchSize, train.count), onProgress },
      })
      const best = found.best === null ? -1 : found.learningRates.indexOf(found.best)
      laps.push({
        name,
        learningRate: found.best,
        loss: best < 0 ? Number.POSITIVE_INFINITY : found.losses[best],
        course: best < 0 ? [] : found.histories[best][0].epochs.map(({ loss }) => loss),
        learningRates: found.learningRates,
        losses: found.losses,
        seconds: (performance.now() - began) / 1000,
      })
    }
  } finally {
    live?.clear()
  }
  return laps.sort((a, b) => a.loss - b.loss)
}

/** `gradus race FILE --target COLUMN` */
export async function raceOn(file: string, options: RaceOptions): Promise<void> {
  const laps = await race(file, options)
  const lines = laps
    .filter(({ course }) => course.length > 0)
    .map(({ name, course }) => ({ name, x: course.map((_, i) => i + 1), y: course }))
  if (options.picture !== undefined)
    writeFileSync(
      options.picture,
      lineChart(lines.slice(0, 8), {
        title: `Training loss on ${file}, each optimizer at its best rate`,
        xLabel: 'epoch',
        yLabel: 'loss',
        logY: true,
        width: 760,
        height: 420,
      }),
    )
  if (options.json) return print(JSON.stringify({ file, target: options.target, epochs: options.epochs, laps }))
  printText(
    paint('bold', `${laps.length} optimizers on '${options.target}' of ${file}, each with the best of ${options.points} learning rates`),
  )
  const cells = laps.map(({ name, learningRate, loss, seconds }) => [
    `  ${name}`,
    Number.isFinite(loss) ? loss.toFixed(4) : 'diverged',
    learningRate === null ? '–' : String(Number(learningRate.toPrecision(2))),
    duration(seconds),
  ])
  const [head, ...rest] = table([['', 'held-out loss', 'best rate', 'time'], ...cells])
  print(paint('dim', head))
  for (const line of rest) print(line)
  print()
  for (const line of chartLines(lines.slice(0, 4), {
    width: Math.min(columns() - 1, 90),
    height: 12,
    logY: true,
    caption: 'training loss by epoch, the best four',
  }))
    print(line)
  print()
  printText(
    `${options.epochs} epochs on a net of ${options.hidden.join('-')}. Held-out rows chose the rates, so differences of a few percent are luck; --epochs, --points and --seed tell more.`,
  )
  if (options.picture !== undefined) print(`${paint('green', '✓')} The picture is in ${paint('bold', options.picture)}`)
}

/** `gradus lr-find FILE --target COLUMN` */
export async function findRate(file: string, options: RaceOptions): Promise<void> {
  const [{ name, learningRates, losses, learningRate }] = await race(file, options)
  if (options.picture !== undefined)
    writeFileSync(
      options.picture,
      lineChart([{ name: '', x: learningRates, y: losses }], {
        title: `${name} on ${file}`,
        xLabel: 'learning rate',
        yLabel: 'held-out loss',
        logX: true,
        logY: true,
      }),
    )
  if (options.json)
    return print(JSON.stringify({ file, target: options.target, optimizer: name, learningRates, losses, best: learningRate }))
  printText(paint('bold', `Held-out loss after ${options.epochs} epochs of ${name}, by learning rate, on '${options.target}' of ${file}`))
  const width = Math.min(columns() - 1, 90)
  for (const line of chartLines([{ name, x: learningRates, y: losses }], {
    width,
    height: 14,
    logX: true,
    logY: true,
    caption: `${learningRates[0].toExponential(0)} to ${learningRates.at(-1)?.toExponential(0)}, logarithmic`,
  }))
    print(line)
  print()
  const rows = learningRates.map((rate, i) => [
    `  ${Number(rate.toPrecision(2))}`,
    Number.isFinite(losses[i]) ? losses[i].toFixed(4) : 'diverged',
    rate === learningRate ? '← best' : '',
  ])
  for (const line of table([['  rate', 'loss', ''], ...rows])) print(line.trimEnd())
}
