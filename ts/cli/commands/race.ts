/** `gradus race FILE --target COLUMN`: optimizers on the user's table, each at its best learning rate. */
import { Command, Option } from 'commander'
import { lineChart } from '../../plot/index.js'
import { OPTIMIZER_NAMES, type OptimizerName } from '../options/net.js'
import { oneOf } from '../options/values.js'
import { writeFileWhole } from '../out-file.js'
import { type RateOptions, race, rateCommand } from '../table/rates.js'
import { chartLines } from '../terminal/chart.js'
import { duration, table } from '../terminal/format.js'
import { columns, paint, print, printText } from '../terminal/terminal.js'

const RACERS: OptimizerName[] = ['SGD', 'Nesterov', 'RMSProp', 'Adam', 'AdamW', 'Lion', 'Muon', 'SOAP', 'ScheduleFreeAdamW', 'Prodigy']

export function raceCommand(): Command {
  return rateCommand(
    new Command('race')
      .summary('compare optimizers on a table')
      .description('Trains the same net by several optimizers, each at several learning rates, all side by side.'),
    new Option('-o, --optimizers <names>', 'optimizers, with commas between').default(RACERS, RACERS.join(', ')).argParser(optimizerNames),
    8,
  ).action((file: string, options: RateOptions) => raceOn(file, options))
}

function optimizerNames(text: string): OptimizerName[] {
  return text.split(',').map((name) => oneOf(OPTIMIZER_NAMES)(name.trim()))
}

async function raceOn(file: string, options: RateOptions): Promise<void> {
  const laps = await race(file, options)
  const lines = laps
    .filter(({ course }) => course.length > 0)
    .map(({ name, course }) => ({ name, x: course.map((_, i) => i + 1), y: course }))
  if (options.picture !== undefined)
    await writeFileWhole(
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
    caption: `training loss by epoch${lines.length > 4 ? ', the best four' : ''}`,
  }))
    print(line)
  print()
  printText(
    `${options.epochs} epochs on a net of ${options.hidden.join('-')}. Held-out rows chose the rates, so differences of a few percent are luck; --epochs, --points and --seed tell more.`,
  )
  if (options.picture !== undefined) print(`${paint('green', '✓')} The picture is in ${paint('bold', options.picture)}`)
}
