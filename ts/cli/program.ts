/** All commands, with the help that teaches them. */
import { Command } from 'commander'
import { benchCommand } from './commands/bench.js'
import { evaluateCommand } from './commands/evaluate.js'
import { exportCommand } from './commands/export.js'
import { infoCommand } from './commands/info.js'
import { inspectCommand } from './commands/inspect.js'
import { lrFindCommand } from './commands/lr-find.js'
import { predictCommand } from './commands/predict.js'
import { raceCommand } from './commands/race.js'
import { trainCommand } from './commands/train.js'
import { tuneCommand } from './commands/tune.js'
import { columns } from './terminal/terminal.js'
import { version } from './version.js'

/** In the order of the help. */
const COMMANDS = [
  trainCommand,
  predictCommand,
  evaluateCommand,
  inspectCommand,
  exportCommand,
  raceCommand,
  lrFindCommand,
  tuneCommand,
  benchCommand,
  infoCommand,
]

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
  for (const make of COMMANDS) root.addCommand(make().copyInheritedSettings(root).helpOption('-h, --help', 'print this help'))
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
