/** `gradus lr-find FILE --target COLUMN`: learning rates of one optimizer on the user's table. */
import { Command, Option } from 'commander'
import { lineChart } from '../../plot/index.js'
import { OPTIMIZER_NAMES } from '../options/net.js'
import { oneOf } from '../options/values.js'
import { writeFileWhole } from '../out-file.js'
import { type RateOptions, race, rateCommand } from '../table/rates.js'
import { chartLines } from '../terminal/chart.js'
import { table } from '../terminal/format.js'
import { columns, paint, print, printText } from '../terminal/terminal.js'

export function lrFindCommand(): Command {
  return rateCommand(
    new Command('lr-find')
      .summary('compare learning rates on a table')
      .description('Trains the same net at many learning rates side by side, and says which leaves the least loss on held-out rows.'),
    new Option('-o, --optimizer <name>', 'the optimizer').default(['Adam'], 'Adam').argParser((name) => [oneOf(OPTIMIZER_NAMES)(name)]),
    16,
  ).action((file: string, { optimizer, ...options }: Omit<RateOptions, 'optimizers'> & { optimizer: RateOptions['optimizers'] }) =>
    findRate(file, { ...options, optimizers: optimizer }),
  )
}

async function findRate(file: string, options: RateOptions): Promise<void> {
  const [{ name, learningRates, losses, learningRate }] = await race(file, options)
  if (options.picture !== undefined)
    await writeFileWhole(
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
  if (options.picture !== undefined) print(`${paint('green', '✓')} The picture is in ${paint('bold', options.picture)}`)
}
