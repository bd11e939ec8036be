/** Starts a worker from text, in whatever way the runtime has. */
import { PROGRAM, type Start } from './worker.js'

interface NodeWorker {
  postMessage(value: unknown): void
  once(event: string, listener: (value: unknown) => void): void
  unref(): void
}

interface NodeThreads {
  Worker: new (source: string, options: object) => NodeWorker
}

/** Milliseconds that a worker may take to start. */
const PATIENCE = 20_000

/** Starts a worker; resolves once it waits for work, rejects if it does not come to that. It keeps no process alive after that. */
export async function spawn(start: Start): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<void>((ready, reject) => {
      const failed = (reason: unknown) => reject(new Error(String(reason)))
      timer = setTimeout(() => failed(`no answer within ${PATIENCE / 1000} s`), PATIENCE)
      const threads = nodeThreads()
      if (threads) startInNode(threads, start, ready, failed)
      else startOnPage(start, ready, failed)
    })
  } finally {
    clearTimeout(timer)
  }
}

type Failed = (reason: unknown) => void

function startInNode({ Worker }: NodeThreads, start: Start, ready: () => void, failed: Failed): void {
  // Options of the process are not for it: a loader would take longer than all the rest.
  const worker = new Worker(PROGRAM, { eval: true, execArgv: [] })
  worker.once('error', failed)
  worker.once('message', () => {
    worker.unref()
    ready()
  })
  worker.postMessage(start)
}

function startOnPage(start: Start, ready: () => void, failed: Failed): void {
  if (typeof Worker === 'undefined') throw new Error('there are no workers here; Node has them from 20.16 on')
  const url = URL.createObjectURL(new Blob([PROGRAM], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.onmessage = () => {
    URL.revokeObjectURL(url)
    ready()
  }
  worker.onerror = ({ message }) => failed(message ?? 'blocked')
  worker.postMessage(start)
}

function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  return process?.getBuiltinModule?.('node:worker_threads') as NodeThreads | undefined
}
