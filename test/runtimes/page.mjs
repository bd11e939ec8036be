/** One page for every case; `?page=` says which. */
const page = new URLSearchParams(location.search).get('page')

const runHere = async () => {
  const [gradus, pure, { smoke }] = await Promise.all([
    import('/gradus/index.js'),
    import('/gradus/modules/js/entries/js-file.js'),
    import('./program.mjs'),
  ])
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

/** Continues a training of another runtime from a file of the server, and saves it in the database of this browser. */
const goOn = async (from, epochs) => {
  const [gradus, { base64, trainUntil }] = await Promise.all([import('/gradus/index.js'), import('./resume.mjs')])
  const report = await trainUntil(gradus, epochs, { save: 'run.safetensors', ...(from && { from: new URL(from, location.href) }) })
  const { training: _, ...parts } = await gradus.loadModelFile('run.safetensors')
  return { ...report, parts: Object.keys(parts), file: await base64('run.safetensors') }
}

/** Saves repeatedly, and reports each save; first it reports files of an earlier run. */
const saveOften = async () => {
  const { look, saveNext } = await import('./save-often.mjs')
  const gradus = await import('/gradus/index.js')
  let number = await look(gradus)
  await window.gradusReport({ found: number })
  for (;;) {
    await saveNext(gradus, ++number)
    await window.gradusReport({ saved: number })
  }
}

const run =
  {
    worker: runInWorker,
    'isolated-worker': () => runInWorker('?isolated'),
    'service-worker': runInServiceWorker,
    resume: () => goOn('/made/begun.safetensors', 6),
    'resume-again': () => goOn(null, 8),
    'save-often': saveOften,
  }[page] ?? runHere
await window.gradusReport(await run())
