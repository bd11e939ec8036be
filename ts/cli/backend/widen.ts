/** Widening for the command's own process: on if V8's widened kernels pass their check, and silently off otherwise. */
import { spawnSync } from 'node:child_process'

/**
 * Makes the engine, widened if requested. If the check fails, V8 has already widened code in this process, which cannot be undone. So the command
 * starts again in another process, without widening.
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
