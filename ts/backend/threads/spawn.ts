/** Starts a worker from a string, in the way that the runtime offers. */
import { plainError } from '../../common/errors.js'
import program from '../wasm/generated/worker.js'
import type { Start } from './protocol.js'

/** The methods of a worker that are used here, in pages and in `node:worker_threads` of Node, Deno and Bun. */
export interface Thread {
  postMessage(value: unknown): void
  terminate(): void
  /** Node, Deno and Bun have these too: a worker must not keep the process alive. */
  unref?(): void
}

interface NodeThread extends Thread {
  once(event: string, listener: (value: unknown) => void): void
}

interface NodeThreads {
  Worker: new (source: string, options: object) => NodeThread
}

type Failed = (reason: unknown) => void

/** Milliseconds that a worker may take to start. */
const START_TIMEOUT_MS = 20_000
const POLICY = "a page's Content-Security-Policy has to allow blob: in worker-src"

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
      const node = nodeThreads()
      thread = node ? inNode(node, ready, failed) : onPage(ready, failed)
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

function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  return process?.getBuiltinModule?.('node:worker_threads') as NodeThreads | undefined
}

function inNode({ Worker }: NodeThreads, ready: () => void, failed: Failed): Thread {
  // The worker does not inherit options of the process: a loader such as tsx would take longer to start than everything else.
  const worker = new Worker(program, { eval: true, execArgv: [] })
  worker.once('error', failed)
  worker.once('message', ready)
  return worker
}

function onPage(ready: () => void, failed: Failed): Thread {
  if (typeof Worker === 'undefined') throw plainError('this runtime has none; Node has them from 20.16 on')
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }))
  const settled = (then: () => void) => {
    URL.revokeObjectURL(url)
    then()
  }
  try {
    const worker = new Worker(url)
    worker.onmessage = () => settled(ready)
    worker.onerror = ({ message }) => settled(() => failed(message ? `${message}; ${POLICY}` : POLICY))
    return worker
  } catch (error) {
    throw plainError(`${error}; ${POLICY}`)
  }
}
