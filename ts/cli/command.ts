/** Runs a command line, and turns errors into one line and an exit code. */
import { CommanderError } from 'commander'
import { quoted } from './options/table.js'
import { program } from './program.js'
import { printError } from './terminal/terminal.js'

const FAILED = 1
const BAD_USAGE = 2

/** @param args words after `gradus`. The exit code is left in `process.exitCode`. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE
    else fail(error, args)
  }
}

/** Flags that an error names as its remedy: the command with them is printed, to be copied. */
const REMEDIES = [
  ['--formatted reads such columns', '--formatted'],
  ['--ragged takes', '--ragged'],
] as const

function withRemedy(message: string, args: readonly string[]): string {
  const flag = REMEDIES.find(([text]) => message.includes(text))?.[1]
  if (flag === undefined || args.includes(flag)) return message
  return `${message.replace(/\.$/, '')}: ${['gradus', ...args, flag].map(quoted).join(' ')}`
}

/** Prints one line, and the stack if requested. */
function fail(error: unknown, args: readonly string[]): void {
  // if Ctrl-C stopped the work, its code is already set
  process.exitCode ??= FAILED
  printError(withRemedy(error instanceof Error ? error.message : String(error), args))
  if (args.includes('--debug') && error instanceof Error)
    process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${String(error.cause)}\n` : ''}`)
}
