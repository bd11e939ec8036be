/** All commands, with their help. */
import { Command } from 'commander'
import { nearest } from '../common/nearest.js'
import { benchCommand } from './commands/bench.js'
import { evaluateCommand } from './commands/evaluate.js'
import { explainCommand } from './commands/explain.js'
import { exportCommand } from './commands/export.js'
import { forecastCommand } from './commands/forecast.js'
import { infoCommand } from './commands/info.js'
import { inspectCommand } from './commands/inspect.js'
import { lrFindCommand } from './commands/lr-find.js'
import { predictCommand } from './commands/predict.js'
import { raceCommand } from './commands/race.js'
import { trainCommand } from './commands/train.js'
import { tuneCommand } from './commands/tune.js'
import { xrayCommand } from './commands/xray.js'
import { columns } from './terminal/terminal.js'
import { version } from './version.js'

/** In the order of the help. */
const COMMANDS = [
  trainCommand,
  predictCommand,
  forecastCommand,
  evaluateCommand,
  explainCommand,
  inspectCommand,
  exportCommand,
  raceCommand,
  lrFindCommand,
  xrayCommand,
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
    // options after `tune show` belong to show, even --html and --json, which tune itself has
    .enablePositionalOptions()
    .configureHelp({ helpWidth: Math.min(columns(), 100) })
    .showSuggestionAfterError(false)
    .showHelpAfterError('Run it with --help to see what there is.')
    .exitOverride()
    .addHelpText('after', ROOT_EXAMPLES)
  for (const make of COMMANDS) root.addCommand(make().copyInheritedSettings(root).helpOption('-h, --help', 'print this help'))
  complete(root, root)
  return root
}

/** Adds what all commands share: `--debug`, and errors about unknown names, which suggest the nearest known name or the commands that have the option. */
function complete(command: Command, root: Command): void {
  command.configureOutput({ outputError: (text, write) => write(withoutLongWords(withSuggestion(text, command, root))) })
  if (command !== root) command.option('--debug', 'print the stack trace of an error')
  for (const part of command.commands) complete(part.showSuggestionAfterError(false), root)
}

function withSuggestion(text: string, command: Command, root: Command): string {
  const [, what, name = ''] = /^error: unknown (option|command) '([\s\S]*)'\n?$/.exec(text) ?? []
  if (what === undefined) return text
  const flagsOf = ({ options }: Command) => options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []))
  // dashes are letters that every option has: '--sv' is not near '--to'
  const known =
    what === 'command' ? command.commands.map((part) => part.name()) : [...flagsOf(command), '--help'].map((flag) => flag.slice(2))
  const near = nearest(what === 'command' ? name : name.replace(/^--?/, ''), known)
  const others = root.commands.filter((other) => flagsOf(other).includes(name)).map((other) => other.name())
  const hint =
    near !== undefined
      ? `\n(Did you mean ${what === 'command' ? '' : '--'}${near}?)`
      : what === 'option' && others.length > 0
        ? `\n(It is an option of ${others.map((other) => `gradus ${other}`).join(', ')}.)`
        : ''
  return `${text.trimEnd()}${hint}\n`
}

/** Shortens very long words, such as a whole file given as the name of an optimizer. */
function withoutLongWords(text: string): string {
  return text.replace(/[^\s']{101,}/g, (word) => `${word.slice(0, 40)}…`)
}

const ROOT_EXAMPLES = `
Examples:
  gradus train iris.csv --target species        a model of your own table
  gradus train sales.csv -t price --time 60s    the same, a minute for many nets
  gradus predict iris.safetensors new.csv       what it says of other rows
  gradus forecast sales.csv --time date --value units    how it goes on
  gradus export iris.safetensors --to onnx      also js, pytorch, keras
  gradus tune sales.csv -t price --time 5m      look for better nets
  gradus xray sales.csv -t price                why does it not learn?
  gradus train mnist                            handwritten digits, 98 % right
  gradus train spirals --json                   for a program to read
  gradus bench                                  how fast is this machine?
  gradus train --help                           every option of training`
