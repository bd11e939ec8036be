/** The worker: everything that gradus computes for the page. */
import type { Answer, Context } from './context'

/** The code of each tab is fetched on first use. */
const modules = {
  race: () => import('../descent/race'),
  bestRates: () => import('../descent/race'),
  fairness: () => import('../descent/fair'),
  regimes: () => import('../descent/fair'),
  starts: () => import('../descent/starts'),
  program: () => import('../descent/formula'),
  landscape: () => import('../descent/landscape'),
  inspect: () => import('../descent/inspect'),
  columns: () => import('../train/table'),
  session: () => import('../train/session'),
  pictures: () => import('../pictures/session'),
  series: () => import('../series/session'),
  compareSchedules: () => import('../schedules/compare'),
  findRate: () => import('../schedules/find-rate'),
  fleetMap: () => import('../fleet/train-many'),
  fleetImportance: () => import('../fleet/train-many'),
  benchmark: () => import('../benchmark/measure'),
}

type Modules = { [Name in keyof typeof modules]: Awaited<ReturnType<(typeof modules)[Name]>> }
export type Tasks = { [Name in keyof Modules]: Name extends keyof Modules[Name] ? Modules[Name][Name] : never }

type Task = (input: never, context: Context<unknown>) => unknown

const taskOf = (module: object, name: string) => (module as Record<string, Task>)[name]

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
    const task = taskOf(await modules[data.task](), data.task)
    // Of the tasks that came while another one kept the worker busy, those that are stopped by now never begin.
    await breathe()
    answer({ result: state.isStopped ? null : await task(data.input, context) })
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
