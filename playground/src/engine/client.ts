/** The page's side of the worker that trains: calls of tasks by name, with updates on the way. */
import type { Answer, Context } from './context'
import type { Tasks } from './worker'

export type Name = keyof Tasks
export type Input<N extends Name> = Parameters<Tasks[N]>[0]
export type Output<N extends Name> = Awaited<ReturnType<Tasks[N]>>
export type Update<N extends Name> = Tasks[N] extends (input: never, context: Context<infer U>) => unknown ? U : never

/** A call under way. */
export interface Running<N extends Name> {
  result: Promise<Output<N>>
  /** Sends a message to the task while it runs. */
  send(message: unknown): void
  /** Ends the task; its result is the result so far, which is null where it has not begun. */
  stop(): void
}

/** One worker; a tab has one of its own, so that no tab waits for another. */
export class Engine {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'gradus' })
  private readonly calls = new Map<number, { update?: (update: never) => void; resolve: (r: never) => void; reject: (e: Error) => void }>()
  private count = 0

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const call = this.calls.get(data.id)
      if (!call) return
      if ('update' in data) return call.update?.(data.update as never)
      this.calls.delete(data.id)
      if ('error' in data) call.reject(new Error(data.error))
      else call.resolve(data.result as never)
    }
    this.worker.onerror = (event) => {
      for (const { reject } of this.calls.values()) reject(new Error(event.message || 'the worker could not start'))
      this.calls.clear()
    }
  }

  run<N extends Name>(task: N, input: Input<N>, update?: (update: Update<N>) => void): Running<N> {
    const id = ++this.count
    const result = new Promise<Output<N>>((resolve, reject) => this.calls.set(id, { update, resolve, reject }))
    this.worker.postMessage({ id, task, input })
    return {
      result,
      send: (message) => this.worker.postMessage({ id, message }),
      stop: () => this.worker.postMessage({ id, stop: true }),
    }
  }

  /** For short tasks without updates. */
  ask<N extends Name>(task: N, input: Input<N>): Promise<Output<N>> {
    return this.run(task, input).result
  }
}

/** A worker that starts when it is first asked for something. */
export function engineOnDemand(): () => Engine {
  let engine: Engine | undefined
  return () => {
    engine ??= new Engine()
    return engine
  }
}
