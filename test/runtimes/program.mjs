/**
 * The program of every runtime: the same training on both backends, with results as plain data. It has no imports and nothing specific to a runtime,
 * so that it can be imported, required, served, bundled and sent to a worker.
 */
const STEPS = 200
const WIDE_STEPS = 30
const ROWS = 48
const FEATURES = 5
const CLASSES = 3

/** Trains a small net: six layers that between them use matrix products, exp, erf, softmax and random numbers. */
export function train(gradus, backend, seed = 7) {
  const { Activation, Adam, crossEntropy, Dense, Dropout, Sequential, tensor } = gradus
  const options = { seed, backend }
  const layers = [
    new Dense(FEATURES, 24, { activation: 'gelu' }),
    new Dropout(0.1),
    new Dense(24, 16, { activation: 'tanh' }),
    new Activation('softplus'),
    new Dense(16, CLASSES),
  ]
  const model = new Sequential(layers, options)
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01, weightDecay: 1e-4 })
  const { inputs, labels } = blobs()
  const x = tensor(inputs, [ROWS, FEATURES], { backend })
  const losses = []
  for (let step = 0; step < STEPS; step++) {
    const loss = crossEntropy(model.forward(x), labels)
    losses.push(loss.item())
    loss.backward()
    optimizer.step()
  }
  const weights = model.parameters().map((parameter) => parameter.data())
  return { first: losses[0], last: losses[STEPS - 1], hash: hash(weights), optimizer: optimizer.state().optimizer }
}

const WIDTH = 128

/** Trains a net that is wide enough for threads to share; its weights. */
function trainWide(gradus, backend) {
  const { Adam, crossEntropy, Dense, Sequential, tensor } = gradus
  const layers = [
    new Dense(FEATURES, WIDTH, { activation: 'relu' }),
    new Dense(WIDTH, WIDTH, { activation: 'gelu' }),
    new Dense(WIDTH, CLASSES),
  ]
  const model = new Sequential(layers, { seed: 3, backend })
  const optimizer = new Adam(model.parameters(), { learningRate: 0.003 })
  const { inputs, labels } = blobs()
  const x = tensor(inputs, [ROWS, FEATURES], { backend })
  for (let step = 0; step < WIDE_STEPS; step++) {
    crossEntropy(model.forward(x), labels).backward()
    optimizer.step()
  }
  return model.parameters().map((parameter) => parameter.data())
}

/** Trains nets by fit and by fitMany, whose steps run from recordings, with shuffled batches, a schedule and norms; all weights. */
async function trainFitted(gradus, backend) {
  const { AdamW, BatchNorm, crossEntropy, Dense, fit, fitMany, schedules, Sequential, SGD, tensor } = gradus
  const { inputs, labels } = blobs()
  const data = {
    inputs: tensor(inputs, [ROWS, FEATURES], { backend }),
    targets: labels,
    loss: crossEntropy,
    epochs: 8,
    batchSize: 20,
    seed: 5,
  }
  const one = new Sequential([new Dense(FEATURES, 12, { activation: 'silu' }), new BatchNorm(12), new Dense(12, CLASSES)], {
    seed: 1,
    backend,
  })
  const optimizer = new AdamW(one.parameters(), { weightDecay: 0.01 })
  await fit(one, { ...data, optimizer, schedule: schedules.cosine(0.02, { steps: 24 }) })
  const many = [1, 2, 3].map(
    (seed) => new Sequential([new Dense(FEATURES, 6, { activation: 'tanh' }), new Dense(6, CLASSES)], { seed, backend }),
  )
  await fitMany(many, { ...data, optimizers: many.map((model) => new SGD(model.parameters(), { learningRate: 0.1 })) })
  return [one, ...many].flatMap((model) => Object.values(model.state()).map((value) => Float32Array.from(value.data ?? value)))
}

/** Trains three kinds of models on a reproducible backend with a number of threads: returns one hash of all their weights. */
async function trainAll(gradus, threads) {
  const backend = await gradus.load({ reproducible: true, threads })
  const small = train(gradus, backend).hash
  return { count: backend.threads, hash: hash([digits(small), ...trainWide(gradus, backend), ...(await trainFitted(gradus, backend))]) }
}

const digits = (text) => Float32Array.from(text, (digit) => Number.parseInt(digit, 16))

/** Three clouds of points, by whole numbers alone: the same floats in every engine. */
function blobs() {
  let state = 12345
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) / 2 ** 24
  }
  const labels = Int32Array.from({ length: ROWS }, (_, i) => i % CLASSES)
  const inputs = Float32Array.from({ length: ROWS * FEATURES }, (_, i) => {
    const row = Math.floor(i / FEATURES)
    return next() - 0.5 + ((i % FEATURES) % CLASSES === labels[row] ? 0.75 : 0)
  })
  return { inputs, labels }
}

/** FNV-1a, 64 bits, over the bytes of all floats, little end first. */
export function hash(arrays) {
  let h = 0xcbf29ce484222325n
  for (const array of arrays) {
    const bytes = new DataView(new ArrayBuffer(4))
    for (const value of array) {
      bytes.setFloat32(0, value, true)
      for (let i = 0; i < 4; i++) h = BigInt.asUintN(64, (h ^ BigInt(bytes.getUint8(i))) * 0x100000001b3n)
    }
  }
  return h.toString(16).padStart(16, '0')
}

/**
 * @param gradus the module `gradus`
 * @param pure the module `gradus/js`
 * @returns `chosen`: the backend of load({ reproducible: true }) and its results; `js`: the same without WebAssembly;
 *   `fast`: the default backend; `threads`: for one, two and four requested threads, the number of running threads, and one hash of three models
 *   trained on them
 */
export async function smoke(gradus, pure) {
  const warnings = []
  const warn = console.warn
  console.warn = (...parts) => warnings.push(parts.join(' '))
  try {
    const fast = await gradus.load()
    const fastRun = train(gradus, fast)
    const chosen = await gradus.load({ reproducible: true })
    const first = train(gradus, chosen)
    const again = train(gradus, chosen)
    const other = train(gradus, chosen, 8)
    const threads = []
    for (const count of [1, 2, 4]) threads.push(await trainAll(gradus, count))
    const js = await pure.load({ backend: 'js' })
    return {
      fast: { variant: fast.variant, ...fastRun },
      chosen: { variant: chosen.variant, ...first },
      repeats: first.hash === again.hash && first.hash !== other.hash,
      js: { variant: js.variant, ...train(pure, js) },
      threads,
      document: typeof document !== 'undefined',
      warnings,
    }
  } finally {
    console.warn = warn
  }
}
