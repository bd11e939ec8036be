/** Optimizers at several learning rates on a table, side by side: shared by `gradus race` and `gradus lr-find`. */
import { type Command, Option } from 'commander'
import { compareLearningRates, crossEntropy, mse, type Optimizer, tensor } from '../../index.js'
import { OPTIMIZERS } from '../../optim/index.js'
import { prepareTable, tableNet } from '../../table/index.js'
import { batchOption, epochsOption, hiddenOption, type OptimizerName, seedOption } from '../options/net.js'
import { dataOptions, type TableData } from '../options/table.js'
import { flag } from '../options/values.js'
import { checkEnding, checkOut } from '../out-file.js'
import { LiveBar } from '../terminal/bar.js'
import { isLive } from '../terminal/terminal.js'
import { naming, printTargetNotes, trialOptions, withTarget } from './files.js'

/** Options of both commands. */
export interface RateOptions extends TableData {
  optimizers: OptimizerName[]
  epochs: number
  hidden: number[]
  batchSize: number
  points: number
  seed: number
  picture?: string
  json?: boolean
}

/** Result of an optimizer at its best learning rate. */
export interface Lap {
  name: OptimizerName
  learningRate: number | null
  loss: number
  /** Held-out loss by epoch, at that rate. */
  course: number[]
  learningRates: number[]
  losses: number[]
  seconds: number
}

/** Range of learning rates that are tried for each optimizer, by the usual size of its steps. */
const RANGES: Partial<Record<string, readonly [number, number]>> = {
  SGD: [1e-3, 1],
  Momentum: [1e-3, 1],
  Nesterov: [1e-3, 1],
  Lion: [1e-5, 1e-2],
  Prodigy: [0.1, 10],
  DoG: [0.1, 10],
  Adadelta: [0.1, 10],
}

/** Trains by each optimizer at each rate; the best first. */
export async function race(file: string, given: RateOptions): Promise<Lap[]> {
  const options = await withTarget(file, given)
  const { optimizers, epochs, hidden, batchSize, points, seed, picture } = options
  if (picture !== undefined) checkOut('--picture', picture, { 'the table itself': file, 'the file of --test': options.test })
  if (picture !== undefined) checkEnding('--picture', picture, 'a picture in SVG', ['svg'])
  const prepared = await naming(file, () => prepareTable(file, trialOptions(options)), options)
  const { train, held, classes, width } = prepared
  printTargetNotes(options.target, prepared)
  const rows = ({ inputs, targets, count }: typeof train) => ({
    inputs: tensor(inputs, [count, width]),
    targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]),
  })
  const [data, validation] = [rows(train), rows(held)]
  const live = options.json || !isLive() ? null : new LiveBar(optimizers.length)
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
        live?.update(i + steps / totalSteps, name.padEnd(12), [`${points} learning rates, ${epochs} epochs`])
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
    live?.stop()
  }
  return laps.sort((a, b) => a.loss - b.loss)
}

/** A command with the options of both. */
export function rateCommand(command: Command, optimizers: Option, points: number): Command {
  command.argument('<file>', 'a table')
  for (const option of dataOptions()) command.addOption(option)
  command
    .addOption(optimizers)
    .addOption(flag('--points <n>', 'learning rates that are tried of each optimizer', { is: { min: 2, whole: true }, default: points }))
    .addOption(hiddenOption().default([64, 64], '64,64'))
    .addOption(batchOption().default(64))
    .addOption(epochsOption().default(20))
    .addOption(seedOption())
  return command
    .addOption(new Option('--picture <file.svg>', 'write the picture there'))
    .addOption(new Option('--json', 'print one JSON object instead'))
}
