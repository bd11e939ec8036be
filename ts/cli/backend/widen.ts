/** Widening for the command's own process: on where V8's widened kernels pass their check, and not a word where they do not. */
import { spawnSync } from 'node:child_process'

/**
 * Makes the engine, widened if asked. Where that fails its check, V8 has widened code that there is no way to take back in this
 * process, so the command starts again in another one, without.
 */
export async function widenedOrNot<T>(widen: boolean, make: (widen: boolean) => T | Promise<T>): Promise<T> {
  try {
    return await make(widen)
  } catch (error) {
    if (!widen) throw error
    const { execPath, execArgv, argv } = process
    const { status } = spawnSync(execPath, [...execArgv, ...argv.slice(1), '--no-widen'], { stdio: 'inherit' })
    process.exit(status ?? 1)
  }
}
