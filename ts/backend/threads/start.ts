/** Starts a worker from a string, in the way that the runtime offers. */
import { plainError } from '../../common/errors.js'

/** The methods of a worker that are used here, in pages and in `node:worker_threads` of Node, Deno and Bun. */
export interface Thread {
  postMessage(value: unknown, transfer?: Transferable[]): void
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

const POLICY = "a page's Content-Security-Policy has to allow blob: in worker-src"

/** @internal A worker that runs a program. @param ready called at its first message @param failed called if it cannot start, or ends by an error */
export function startThread(program: string, ready: () => void, failed: Failed): Thread {
  const node = nodeThreads()
  return node ? inNode(node, program, ready, failed) : onPage(program, ready, failed)
}

function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  return process?.getBuiltinModule?.('node:worker_threads') as NodeThreads | undefined
}

function inNode({ Worker }: NodeThreads, program: string, ready: () => void, failed: Failed): Thread {
  // The worker does not inherit options of the process: a loader such as tsx would take longer to start than everything else.
  const worker = new Worker(program, { eval: true, execArgv: [] })
  worker.once('error', failed)
  worker.once('message', ready)
  return worker
}

function onPage(program: string, ready: () => void, failed: Failed): Thread {
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
