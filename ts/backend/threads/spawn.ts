/** Starts a worker that runs kernels. */
import { plainError } from '../../common/errors.js'
import program from '../wasm/generated/worker.js'
import type { Start } from './protocol.js'
import { startThread, type Thread } from './start.js'

/** Milliseconds that a worker may take to start. */
const START_TIMEOUT_MS = 20_000

/**
 * Starts a worker, which is added to `threads` at once; resolves when the worker waits for work, rejects if it fails before that. From then on the
 * worker does not keep the process alive. Threads may outlive their pool and hold these arguments, but not the pool.
 */
export async function spawn(start: Start, threads: Thread[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let thread: Thread | undefined
  try {
    await new Promise<void>((ready, reject) => {
      const failed = (reason: unknown) => reject(plainError(String(reason)))
      timer = setTimeout(() => failed(`no answer within ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS)
      thread = startThread(program, ready, failed)
      thread.postMessage(start)
      threads.push(thread)
    })
  } catch (error) {
    thread?.terminate()
    throw error
  } finally {
    clearTimeout(timer)
    thread?.unref?.()
  }
}
