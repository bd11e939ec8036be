/** The worker: everything that gradus computes for the page. */
import { inspect } from '../descent/inspect'
import { landscape } from '../descent/landscape'
import { race } from '../descent/race'
import type { Answer } from './client'
import type { Context } from './context'

const tasks = { race, landscape, inspect }
export type Tasks = typeof tasks

type Task = (input: never, context: Context<unknown>) => unknown

type Call = { id: number; task: keyof Tasks; input: never } | { id: number; message: unknown } | { id: number; stop: true }

const running = new Map<number, { inbox: unknown[]; isStopped: boolean }>()

self.onmessage = async ({ data }: MessageEvent<Call>) => {
  const { id } = data
  if (!('task' in data)) {
    const state = running.get(id)
    if (state && 'stop' in data) state.isStopped = true
    else if (state && 'message' in data) state.inbox.push(data.message)
    return
  }
  const state = { inbox: [] as unknown[], isStopped: false }
  running.set(id, state)
  const answer = (rest: object) => self.postMessage({ id, ...rest } as Answer)
  const context: Context<unknown> = {
    update: (update) => answer({ update }),
    messages: () => state.inbox.splice(0),
    get isStopped() {
      return state.isStopped
    },
    breathe,
  }
  try {
    answer({ result: await (tasks[data.task] as Task)(data.input, context) })
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) })
  } finally {
    running.delete(id)
  }
}

/** A task of the event loop, which timers would hold back by four milliseconds. */
const channel = new MessageChannel()
const waiting: (() => void)[] = []
channel.port1.onmessage = () => waiting.shift()?.()
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    channel.port2.postMessage(null)
  })
}
