/** Reads the command line, runs a command, turns errors into one line and an exit code. */
import { CommanderError } from 'commander'
import { program } from './program.js'
import { printError } from './terminal/terminal.js'

const FAILED = 1
const BAD_USAGE = 2

// A reader that has seen enough (head, less) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : FAILED))

try {
  await program().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE
  else fail(error)
}

/** One line; the stack only for those who ask. */
function fail(error: unknown): void {
  // where Ctrl-C stopped the work, its code is there already
  process.exitCode ??= FAILED
  printError(error instanceof Error ? error.message : String(error))
  if (!(error instanceof Error)) return
  if (process.argv.includes('--debug')) process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${String(error.cause)}\n` : ''}`)
}
