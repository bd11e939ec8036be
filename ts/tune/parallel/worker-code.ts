/**
 * The program of a worker, as text: a file of its own would have to be found from every bundle that this library becomes a part of. It gets
 * the objective, as a module or as the text of a function, then runs it for each message.
 * @internal
 */
export const WORKER_CODE = `
const { parentPort, workerData } = require('node:worker_threads')
async function objectiveOf({ url, code, factory, options, isFactory }) {
  if (code !== undefined) return new Function('return ' + code)()
  const module = await import(url)
  if (isFactory) {
    // only what the module itself has: a function also has a constructor, which would make code of a text
    const from = [module, module.default].find((one) => one != null && Object.hasOwn(one, factory))
    const make = from?.[factory]
    if (typeof make !== 'function') throw new Error('the module ' + url + ' wants to export a function ' + factory)
    return await make(options)
  }
  const found = module.default ?? module.objective
  const inner = found && found.default !== undefined && typeof found !== 'function' ? found.default : found
  if (typeof inner !== 'function') throw new Error('the module ' + url + ' wants to export a function by default, the objective')
  return inner
}
objectiveOf(workerData).then(
  (objective) => {
    parentPort.on('message', (message) => {
      if (message.params !== undefined) run(objective, message)
    })
    parentPort.postMessage({ kind: 'ready' })
  },
  (error) => {
    // of a text too, or of a primitive: a module may throw anything
    const { message = String(error), name = 'Error', stack = '' } = Object(error)
    parentPort.postMessage({ kind: 'bad', message: String(message), name: String(name), stack: String(stack) })
  },
)
async function run(objective, { run, number, params }) {
  let prune = false
  const post = (message) => parentPort.postMessage({ ...message, run })
  const trial = {
    number,
    params,
    signal: new AbortController().signal,
    report(value, step) {
      post({ kind: 'report', value, step })
      return new Promise((resolve) => {
        const answer = (message) => {
          if (message.prune === undefined || message.run !== run) return
          parentPort.off('message', answer)
          prune = message.prune
          resolve()
        }
        parentPort.on('message', answer)
      })
    },
    shouldPrune: () => prune,
    prune() {
      throw Object.assign(new Error('this trial is pruned'), { name: 'TrialPruned' })
    },
    constrain: (name, value) => post({ kind: 'note', what: 'constraint', name, value }),
    setAttribute: (name, value) => post({ kind: 'note', what: 'attribute', name, value }),
  }
  try {
    post({ kind: 'done', outcome: await objective(params, trial) })
  } catch (error) {
    let inner = error
    while (inner?.cause instanceof Error && inner.name !== 'TrialPruned' && inner.name !== 'NonFiniteError') inner = inner.cause
    if (inner?.name === 'TrialPruned') return post({ kind: 'failed', name: 'TrialPruned', message: '', stack: '' })
    const { message = String(error), stack = '' } = error ?? {}
    const name = inner?.name === 'NonFiniteError' ? 'NonFiniteError' : (error?.name ?? 'Error')
    const unknown = name === 'ReferenceError' && workerData.code !== undefined
    const more = unknown ? '; in a worker a function sees its arguments alone: import inside it, put it into a module, or set parallel: 1' : ''
    post({ kind: 'failed', name, message: message + more, stack })
  }
}
`
