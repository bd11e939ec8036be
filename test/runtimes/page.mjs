/** One page for every case; `?page=` says which. */
const page = new URLSearchParams(location.search).get('page')

const runHere = async () => {
  const [gradus, pure, { smoke }] = await Promise.all([import('/gradus/index.js'), import('/gradus/js.js'), import('./program.mjs')])
  return smoke(gradus, pure)
}

const runInWorker = (query = '') =>
  new Promise((resolve, reject) => {
    const worker = new Worker(`/fixtures/web-worker.mjs${query}`, { type: 'module' })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message ?? 'the worker does not load'))
  })

const runInServiceWorker = async () => {
  const { installing, waiting, active } = await navigator.serviceWorker.register('/fixtures/service-worker.mjs', { type: 'module' })
  const channel = new MessageChannel()
  const report = new Promise((resolve) => {
    channel.port1.onmessage = ({ data }) => resolve(data)
  })
  const worker = installing ?? waiting ?? active
  worker.postMessage('train', [channel.port2])
  return report
}

const run =
  { worker: runInWorker, 'isolated-worker': () => runInWorker('?isolated'), 'service-worker': runInServiceWorker }[page] ?? runHere
await window.gradusReport(await run())
