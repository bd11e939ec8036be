/** The commands of tuning and their options. */
import { Argument, Command, Option } from 'commander'
import { dataOptions } from '../options/table.js'
import { describeRange, numberIn, seconds } from '../options/values.js'
import { type ShowOptions, showStudy, type TuneOptions, tune, type WorkOptions, work } from './tune.js'

const TRIALS = { min: 1, whole: true }
const EPOCHS = { min: 2, max: 10000, whole: true }
const SEED = { min: 0, whole: true }
const AT_ONCE = { min: 1, max: 1024, whole: true }

const EXAMPLES = `
Examples:
  gradus tune penguins.csv --target species --time 2m
  gradus tune penguins.csv --target species --trials 200 --html report.html
  gradus tune penguins.csv --target species --exclude island --out penguins.safetensors
  gradus tune show penguins.tune.log
  gradus tune big.csv --target price --storage redis://host --time 1h    and on each machine
  gradus tune worker redis://host                                        (needs the same file under the same path)`

/** `gradus tune`, with `show` and `worker`. */
export function tuneCommand(): Command {
  const command = new Command('tune')
    .summary('find good hyper-parameters of nets for a table')
    .description(
      'Trains nets for a column of a table with many hyper-parameters, chosen by what was good before (TPE), and stops bad ones early (Hyperband). ' +
        'All results are kept in a file, so Ctrl-C loses nothing and the same command goes on. At the end it says what mattered, and the command ' +
        'that trains a model with what was found. The rows that gradus train tests with are in no trial.',
    )
    .addArgument(new Argument('<table>', 'a file: CSV, TSV, JSON, JSON lines (also .gz), Parquet'))
  command.optionsGroup?.('Options of the table:')
  for (const option of dataOptions()) command.addOption(option)
  command.optionsGroup?.('Options of the study:')
  command
    .addOption(
      new Option('--time <duration>', 'how long, such as 90s, 10m or 1h (default: 60s unless there is --trials)').argParser(seconds),
    )
    .addOption(new Option('--trials <n>', 'trials of the study when it is done').argParser(numberIn(TRIALS)))
    .option('--space <file>', 'what is tuned, as JSON: {"learningRate": {"float": [1e-4, 0.1], "log": true}, "layers": [1, 2]}')
    .option(
      '--storage <place>',
      'where it is kept: study.log (Optuna reads it), study.sqlite, redis://host or postgres://host/database (default: the name of the table, .tune.log)',
    )
    .option('--name <name>', 'name of the study in its storage (default: that of the table)')
    .addOption(new Option('-e, --epochs <n>', `passes over the rows, ${describeRange(EPOCHS)}`).default(40).argParser(numberIn(EPOCHS)))
    .addOption(new Option('--parallel <n>', 'trials at once (default: a thread for each core; 16 in a queue)').argParser(numberIn(AT_ONCE)))
    .addOption(
      new Option('-s, --seed <n>', 'decides the split and the first weights; the same seed gives the same trials, one at a time')
        .default(0)
        .argParser(numberIn(SEED)),
    )
    .option('--out <file>', 'train a model with what was found, and write it there')
    .option('--html <file>', 'write a report with pictures')
  command.optionsGroup?.('Options:')
  command
    .option('-q, --quiet', 'print the result only')
    .option('--json', 'print JSON instead, an object a line')
    .option('--debug', 'print the stack trace of an error')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: TuneOptions) => tune(file, options))
  const parts = [showCommand(), workerCommand()]
  for (const part of parts) command.addCommand(part.helpOption('-h, --help', 'print this help').exitOverride())
  return command
}

function showCommand(): Command {
  return new Command('show')
    .description('Says what a study found: the best trial, what mattered, what to try next.')
    .addArgument(new Argument('<storage>', 'where the study is kept, such as penguins.tune.log; also one by Optuna'))
    .option('--name <name>', 'which study, where there are several')
    .option('--html <file>', 'write a report with pictures')
    .option('--json', 'print all trials as one JSON object')
    .option('--debug', 'print the stack trace of an error')
    .action((storage: string, options: ShowOptions) => showStudy(storage, options))
}

function workerCommand(): Command {
  return new Command('worker')
    .description('Takes trials from a queue and runs them until Ctrl-C. Any number of workers on any number of machines.')
    .addArgument(new Argument('<url>', 'the server of the queue, redis://host:6379 or postgres://host/database'))
    .addOption(new Option('--concurrency <n>', 'trials at once').default(1).argParser(numberIn(AT_ONCE)))
    .option('--debug', 'print the stack trace of an error')
    .action((url: string, options: WorkOptions) => work(url, options))
}
