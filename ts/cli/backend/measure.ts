/** Training speed of WebAssembly and JavaScript on this machine, with an interpretation in words: for `gradus bench` and a page in a browser. */
import { Adam, type Backend, crossEntropy, Dense, fit, Generator, type Loss, mse, Sequential, type Tensor, tensor } from '../../index.js'
import { rate, table } from '../terminal/format.js'

/** A net with the rows per step, and the steps per epoch, which is the least that is measured. */
export interface Net {
  sizes: readonly number[]
  batch: number
  batches: number
}

/** Steps/s of both backends; null without WebAssembly. */
export interface Speeds {
  wasm: number | null
  js: number
  ratio: number | null
}

/** Speeds of a net by `fit`, which runs recorded steps, many in one call of WebAssembly, and by a hand-written loop, step by step. */
export interface Measurement extends Speeds {
  net: string
  batch: number
  byHand: Speeds
}

/** The nets that are measured, from small to large. */
export const NETS: readonly Net[] = [
  { sizes: [2, 8, 1], batch: 4, batches: 64 },
  { sizes: [2, 16, 16, 1], batch: 32, batches: 32 },
  { sizes: [32, 64, 64, 1], batch: 64, batches: 16 },
  { sizes: [784, 128, 10], batch: 64, batches: 8 },
  { sizes: [784, 512, 512, 10], batch: 128, batches: 2 },
]
/** The net that digits are learned with. */
const DIGITS = '784-128-10'
const WINDOWS = 6
/** Up to this ratio both count as equally fast. */
const EQUAL = 1.5

/** Best of several windows, alternating between the backends, so that a busy moment of the machine affects both. */
export async function measure(net: Net, wasm: Backend | null, js: Backend, seconds: number): Promise<Measurement> {
  const runs = [wasm, js].flatMap((backend) => (backend === null ? [null, null] : makeRuns(net, backend)))
  const best = runs.map(() => 0)
  const took = runs.map(() => 0)
  // a longer window first, in which the engine compiles
  for (const window of [seconds / 4, ...Array(WINDOWS).fill(seconds / 2 / WINDOWS)]) {
    for (const [i, run] of runs.entries()) {
      // an epoch of a large net may take longer than a window should
      if (!run || took[i] > seconds) continue
      const started = performance.now()
      best[i] = Math.max(best[i], await stepsPerSecond(run, net.batches, window))
      took[i] += (performance.now() - started) / 1000
    }
  }
  const speeds = (w: number, j: number): Speeds => ({ wasm: wasm && w, js: j, ratio: wasm && w / j })
  const [wasmFit, wasmByHand, jsFit, jsByHand] = best
  return { net: net.sizes.join('-'), batch: net.batch, ...speeds(wasmFit, jsFit), byHand: speeds(wasmByHand, jsByHand) }
}

type Run = (epochs: number) => Promise<unknown>

/** Training on random data in memory: with `fit`, and with a hand-written loop. */
function makeRuns({ sizes, batch, batches }: Net, backend: Backend): [fit: Run, byHand: Run] {
  const last = sizes.length - 2
  const layers = sizes.slice(0, -1).map((size, i) => new Dense(size, sizes[i + 1], i < last ? { activation: 'relu' } : {}))
  const model = new Sequential(layers, { seed: 1, backend })
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
  const random = new Generator(1)
  const [count, outputs] = [batch * batches, sizes[sizes.length - 1]]
  const inputs = tensor(Float32Array.from(random.uniforms(count * sizes[0])), [count, sizes[0]], { backend })
  const draws = random.uniforms(count)
  const targets =
    outputs === 1 ? tensor(Float32Array.from(draws), [count, 1], { backend }) : Int32Array.from(draws, (u) => Math.floor(u * outputs))
  const options = { inputs, targets, loss: outputs === 1 ? mse : crossEntropy, optimizer, batchSize: batch, shuffle: false, verbose: false }
  const loss: Loss = options.loss
  const rows = Array.from({ length: batches }, (_, i) => {
    const [from, to] = [i * batch, (i + 1) * batch]
    const y = targets instanceof Int32Array ? targets.slice(from, to) : tensor(targets.data().slice(from, to), [batch, 1], { backend })
    return { x: tensor(inputs.data().slice(from * sizes[0], to * sizes[0]), [batch, sizes[0]], { backend }), y: y as Tensor }
  })
  const byHand: Run = async (epochs) => {
    for (let epoch = 0; epoch < epochs; epoch++)
      for (const { x, y } of rows) {
        const value = loss(model.forward(x), y)
        if (!Number.isFinite(value.item())) throw new Error('bench: the loss is not finite')
        value.backward()
        optimizer.step()
      }
  }
  return [(epochs) => fit(model, { ...options, epochs }), byHand]
}

async function stepsPerSecond(run: Run, batches: number, seconds: number): Promise<number> {
  const started = performance.now()
  let [elapsed, epochs, next] = [0, 0, 1]
  while (elapsed < 1000 * seconds) {
    await run(next)
    epochs += next
    elapsed = performance.now() - started
    // as many epochs as fill the remaining time, estimated from more than one epoch
    next = Math.max(1, Math.min(next * 4, Math.floor((epochs * (1000 * seconds - elapsed)) / elapsed)))
  }
  return (1000 * epochs * batches) / elapsed
}

/** The lines of the table. */
export function resultLines(results: readonly Measurement[]): string[] {
  const rows = results.map(({ net, batch, byHand, ...byFit }) => [net, String(batch), ...cells(byFit), ...cells(byHand)])
  const names = ['net', 'batch', ...['fit', 'by hand'].flatMap((loop) => [`${loop}: WASM`, 'JS', 'WASM / JS'])]
  return table([names, ...rows])
}

/** Cells of one loop: `1,200`, `1,000`, `1.20 ×`. */
export function cells({ wasm, js, ratio }: Speeds): string[] {
  return [wasm === null ? '-' : rate(wasm), rate(js), ratio === null ? '-' : `${rate(ratio)} ×`]
}

/** The meaning of the table, in words. */
export function reading(results: readonly Measurement[]): string[] {
  const measured = results.filter((r): r is Measurement & { wasm: number; ratio: number } => r.wasm !== null && r.ratio !== null)
  if (measured.length === 0) return ['This runtime has no WebAssembly SIMD, so there is only the JS backend.']
  const most = measured.reduce((a, b) => (b.ratio > a.ratio ? b : a))
  const digits = measured.find(({ net }) => net === DIGITS)
  return [
    most.ratio > EQUAL
      ? `On this machine WebAssembly trains ${most.net} ${rate(most.ratio)} times as fast as JavaScript, by fit.`
      : 'On this machine WebAssembly is no faster than JavaScript: something is wrong, or very busy.',
    aboutSmall(measured),
    ...(digits ? [aboutDigits(digits)] : []),
    byHandToo(measured[0]),
    'One core; best of several windows, the backends by turns. A busy machine lowers all numbers.',
  ]
}

/** Why the two loops differ. */
function byHandToo({ net, byHand }: Measurement): string {
  return `fit runs recorded steps, in WebAssembly many of a small net in one call. In a loop by hand (forward, loss, backward, step) ${net} is ${rate(byHand.ratio as number)} times as fast with WebAssembly.`
}

/** Two digits: `1.3`, `830`. */
const rough = (n: number) => String(Number(n.toPrecision(2)))

function aboutSmall(measured: readonly { net: string; wasm: number; js: number; ratio: number }[]): string {
  const [smallest] = measured
  const equal = measured.filter(({ ratio }) => ratio <= EQUAL).at(-1)
  const micro = (stepsPerSecond: number) => `${rough(1e6 / stepsPerSecond)} µs`
  if (equal === undefined)
    return `Even on a net as small as ${smallest.net} it is ${rate(smallest.ratio)} times as fast: a step of fit takes ${micro(smallest.wasm)}, not ${micro(smallest.js)}.`
  if (equal.ratio < 1 / EQUAL) return `On a net as small as ${equal.net} JavaScript is ${rate(1 / equal.ratio)} times as fast.`
  return `For nets as small as ${equal.net} both are about equal: a step of fit takes ${micro(equal.wasm)} with WebAssembly and ${micro(equal.js)} with JavaScript.`
}

function aboutDigits({ net, batch, wasm, js }: { net: string; batch: number; wasm: number; js: number }): string {
  const epoch = (stepsPerSecond: number) => `${rough(60_000 / batch / stepsPerSecond)} s`
  return `An epoch of MNIST's 60,000 digits on ${net} takes ${epoch(wasm)} with WebAssembly and ${epoch(js)} with JavaScript.`
}
