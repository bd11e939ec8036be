/** Trains on a long table twice, which a worker reads ahead if there is one, and which this thread reads alone. Nothing is specific to a runtime. */
const PIECE = 1 << 20
const PIECES = 9

/** The bytes of a table. With `wait` the source waits in the midst, as a network would: a worker begins with the fourth block, and needs time to start. */
function table(wait = false, pieces = PIECES) {
  let state = 1
  const next = () => (state = (state * 48271) % 2147483647) % 1000
  const encoder = new TextEncoder()
  let sent = 0
  return new ReadableStream({
    async pull(controller) {
      if (wait && sent === 6) await new Promise((resolve) => setTimeout(resolve, 1500))
      if (sent === pieces) return controller.close()
      let text = sent++ === 0 ? 'a,b,c,y\n' : ''
      while (text.length < PIECE) {
        const [a, b, c] = [next(), next(), next()]
        text += `${a},${b},${c},${a + b - c}\n`
      }
      controller.enqueue(encoder.encode(text))
    },
  })
}

/**
 * @param gradus the modules `gradus`, `gradus/data` and `gradus/stream`
 * @returns of a training with a worker and one without: rows, blocks that went to a worker, and the weights
 */
export async function readAhead(gradus, { encoderFromStream, streamTable }, { fitStream }) {
  const { Adam, Dense, load, mse, Sequential } = gradus
  await load({ reproducible: true })
  const encoder = await encoderFromStream(streamTable(table(false, 1)), { target: 'y' })
  const { postMessage } = MessagePort.prototype
  let blocks = 0
  MessagePort.prototype.postMessage = function (message, ...others) {
    if (message instanceof Uint8Array) blocks++
    return postMessage.call(this, message, ...others)
  }
  const trained = async (worker) => {
    blocks = 0
    const model = new Sequential([new Dense(encoder.features, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed: 1 })
    const optimizer = new Adam(model.parameters())
    const data = () => streamTable(table(worker))
    const { rows } = await fitStream(model, { data, encoder, loss: mse, optimizer, batchSize: 2048, worker })
    return {
      rows,
      blocks,
      weights: model
        .parameters()
        .map((p) => Array.from(p.data()).join())
        .join(';'),
    }
  }
  try {
    return { ahead: await trained(true), alone: await trained(false) }
  } catch (error) {
    return { error: String(error?.stack ?? error) }
  } finally {
    MessagePort.prototype.postMessage = postMessage
  }
}
