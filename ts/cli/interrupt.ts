/** Ctrl-C: the first asks the running work to stop, the second ends the process at once. */
import { printNote } from './terminal/terminal.js'

/** Message of commands that train a model if they are stopped too early. */
export const NO_MODEL = 'stopped before there was a model; nothing is written'
/** Exit code of a process that was interrupted. */
export const INTERRUPTED = 130

/**
 * Runs work that stops at the end of a step when its signal fires.
 * @param stopped the error message if work ends without a result because of its signal
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, stopped = 'stopped'): Promise<T> {
  const controller = new AbortController()
  const onInterrupt = () => {
    // The cursor may be hidden by the bar.
    if (controller.signal.aborted) process.stdout.write(process.stdout.isTTY ? '\x1b[?25h\n' : '\n', () => process.exit(INTERRUPTED))
    else printNote('stopping; Ctrl-C again ends it at once')
    controller.abort()
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onInterrupt)
  try {
    return await work(controller.signal)
  } catch (error) {
    if (error === controller.signal.reason) throw new Error(stopped)
    throw error
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
    if (controller.signal.aborted) process.exitCode = INTERRUPTED
  }
}
