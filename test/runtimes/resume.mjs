/**
 * A training that is stopped and resumed in any runtime: in a page with files in its database, in Node, Deno and Bun on the disk. Like program.mjs,
 * it has no imports and nothing specific to a runtime.
 */
const ROWS = 40

/**
 * Trains to the end of epoch `epochs` on the reproducible backend.
 * @param from the file of a training to continue; without it, `save` is continued if it exists
 * @param save the file in which the training is saved after each epoch
 * @returns the SHA-256 of weights, state of the optimizer and all losses; and the first epoch that was trained
 */
export async function trainUntil(gradus, epochs, { from, save }) {
  const { AdamW, BatchNorm, Checkpoint, crossEntropy, Dense, Dropout, EarlyStopping, fit, load, resumeFrom, schedules, Sequential } = gradus
  await load({ reproducible: true })
  const layers = [new Dense(4, 16, { activation: 'gelu' }), new BatchNorm(16), new Dropout(0.2), new Dense(16, 3)]
  const model = new Sequential(layers, { seed: 5 })
  const optimizer = new AdamW(model.parameters(), { learningRate: 0.01, weightDecay: 0.01 })
  // whole numbers alone: the same floats in every engine
  const inputs = Array.from({ length: ROWS }, (_, i) => [0, 1, 2, 3].map((j) => ((i * 7 + j * 13 + i * j) % 17) / 8 - 1))
  const checkpoint = new Checkpoint(save, { monitor: 'validation.loss' })
  let trained = 0
  const count = {
    onEpochEnd: () => {
      trained++
    },
  }
  const { epochs: records } = await fit(model, {
    inputs,
    targets: inputs.map(([a, b], i) => (a > b ? 0 : 1 + (i % 2))),
    loss: crossEntropy,
    optimizer,
    epochs,
    batchSize: 8,
    seed: 11,
    schedule: schedules.warmup(schedules.cosine(0.02, { steps: 60 }), { steps: 6 }),
    validationFraction: 0.25,
    metrics: ['accuracy'],
    callbacks: [new EarlyStopping({ patience: 30 }), count, checkpoint],
    resume: from === undefined ? checkpoint : resumeFrom(from),
  })
  const losses = records.map(({ loss, validation }) => [loss, validation.loss])
  const all = [...numbersOf(model.state()), ...numbersOf(optimizer.state()), ...losses.flat()]
  return { sha: await sha256(Float64Array.from(all)), trained }
}

/** All numbers in a state, in the order of their names. */
function numbersOf(value) {
  if (typeof value === 'number') return [value]
  if (ArrayBuffer.isView(value)) return [...value]
  if (typeof value !== 'object' || value === null) return []
  return Object.keys(value)
    .sort()
    .flatMap((key) => numbersOf(value[key]))
}

async function sha256(numbers) {
  const hash = await crypto.subtle.digest('SHA-256', numbers)
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The bytes of a file that this browser keeps, as text for a report: from the database itself. */
export async function base64(name) {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('gradus', 1)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const request = database.transaction('files').objectStore('files').get(name)
  await new Promise((resolve) => {
    request.onsuccess = resolve
  })
  database.close()
  return btoa(Array.from(request.result, (byte) => String.fromCharCode(byte)).join(''))
}
