/**
 * The program of a worker: text, so that it needs no file of its own, whatever bundles the library. It waits for work in its words of
 * the control block: first by looking again and again, which answers within a microsecond, then asleep. The build minifies the text, so
 * this file imports nothing but types.
 */
/** What a worker's first word says. */
export const IDLE = 0
/** Its arguments are there; whoever changes this to TAKEN first computes. */
export const OPEN = 1
export const TAKEN = 2
export const STOP = 3
/** And that many modules with further kernels have been sent to it as messages: it is to take them. */
export const LISTEN = 4

/** Bytes of the control block for each worker: words of its state, then the kernel's number and arguments as doubles. */
export const BLOCK = 256
/** Of the 32-bit words, after the state: whether the worker sleeps, whether the main thread sleeps until it is done. */
export const ASLEEP = 1
export const AWAITED = 2
/** Whether the worker has ended, because its kernel threw. */
export const GONE = 3
/** Of the 64-bit words: the number of the kernel, then its arguments. */
export const KERNEL = 4
export const MOST_ARGUMENTS = 16

/** Milliseconds without work after which a worker goes to sleep. */
const PATIENCE = 0.2

/** What a worker is started with. */
export interface Start {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: SharedArrayBuffer
  /** The number of its block. */
  index: number
  /** Where its stack begins, growing down. */
  stack: number
  /** How far below each other the stacks of further modules begin. */
  between: number
}

const ARGUMENTS = Array.from({ length: MOST_ARGUMENTS }, (_, i) => `numbers[kernel + ${i + 1}]`).join()

export const PROGRAM = `
let receive = ({ module, memory, control, index, stack, between }) => {
  const words = new Int32Array(control), numbers = new Float64Array(control)
  const at = index * ${BLOCK / 4}, kernel = index * ${BLOCK / 8} + ${KERNEL}
  const pause = Atomics.pause || (() => {})
  const kernels = []
  const add = (module, stack) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    exports.__stack_pointer.value = stack
    kernels.push(...Object.values(exports))
  }
  const work = () => {
    for (let since = 0, turns = 0; ; ) {
      const state = Atomics.load(words, at)
      if (state >= ${LISTEN}) return
      if (state === ${STOP}) break
      if (state === ${OPEN} && Atomics.compareExchange(words, at, ${OPEN}, ${TAKEN}) === ${OPEN}) {
        try {
          kernels[numbers[kernel]](${ARGUMENTS})
        } catch {
          Atomics.store(words, at + ${GONE}, 1)
          Atomics.store(words, at, ${OPEN})
          break
        }
        Atomics.store(words, at, ${IDLE})
        if (Atomics.load(words, at + ${AWAITED})) Atomics.notify(words, at)
        since = turns = 0
      }
      pause()
      if (++turns & 255) continue
      const now = performance.now()
      if (since === 0) since = now
      if (now - since < ${PATIENCE}) continue
      Atomics.store(words, at + ${ASLEEP}, 1)
      Atomics.wait(words, at, ${IDLE})
      Atomics.store(words, at + ${ASLEEP}, 0)
      since = 0
    }
    ;(port ?? globalThis).close()
  }
  let modules = 0
  receive = (module) => {
    add(module, stack - between)
    const listening = ${LISTEN} + ++modules
    if (Atomics.compareExchange(words, at, listening, ${IDLE}) === listening) work()
  }
  add(module, stack)
  send('ready')
  work()
}
const port = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort
const send = (text) => (port ?? globalThis).postMessage(text)
if (port) port.on('message', (data) => receive(data))
else onmessage = ({ data }) => receive(data)
`
