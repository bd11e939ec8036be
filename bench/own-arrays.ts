/**
 * An optimizer alone, in the two forms that users write: gradients put into the memory of a Parameter, and the user's own arrays, which are copied in
 * before each step and back after it. Both are compared with the update that bench/optim.ts and bench/peers time, which copies no gradient. All take
 * turns step by step (or run by run, for short steps); nanoseconds a parameter are medians, and so are the ratios of neighbors.
 *
 *     node_modules/node/bin/node --import tsx bench/own-arrays.ts [--sizes 1000,100000] [--turns 41]
 */
import process from 'node:process'
import { Adam, createBackend, Momentum, Parameter } from '../ts/index.js'
import { cpuName } from './tools/cpu.js'

const argument = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]
}
const sizes = argument('sizes', '1000,100000,1000000,10000000').split(',').map(Number)
const turns = Number(argument('turns', '41'))
const backend = createBackend({ backend: 'wasm' })

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Nanoseconds of each form in each turn, for one call. */
function inTurns(forms: readonly (() => void)[], repeats: number): number[][] {
  const times: number[][] = forms.map(() => [])
  for (let turn = -2; turn < turns; turn++) {
    for (const [i, form] of forms.entries()) {
      const start = performance.now()
      for (let k = 0; k < repeats; k++) form()
      if (turn >= 0) times[i].push(((performance.now() - start) * 1e6) / repeats)
    }
  }
  return times
}

console.log(`${cpuName()}, Node ${process.versions.node}, ${backend.variant}, ${new Date().toISOString().slice(0, 10)}`)
console.log('optimizer   parameters   update alone ns   in place   own arrays   (over the update alone, medians of ratios)')
for (const Class of [Adam, Momentum]) {
  for (const n of sizes) {
    const options = { learningRate: 1e-6 }
    const gradient = Float32Array.from({ length: n }, (_, i) => Math.sin(i))
    const alone = new Parameter(gradient, { backend })
    const parameter = new Parameter(gradient, { backend })
    for (const p of [alone, parameter]) p.gradientView().set(gradient)
    const own = { value: gradient.slice(), gradient }
    const [first, second] = [new Class([alone], options), new Class([parameter], options)]
    const third = new Class([own], { ...options, backend })
    const forms = [
      () => {
        alone.gradientState = 'ready'
        first.step()
      },
      () => {
        // the work of a program that computes its own gradient, except the computation
        parameter.view()
        parameter.gradientView()
        second.step()
      },
      () => third.step(),
    ]
    const times = inTurns(forms, Math.max(1, Math.round(1e6 / (n + 500))))
    const ratio = (i: number) => median(times[i].map((ns, turn) => ns / times[0][turn]))
    const cells = [(median(times[0]) / n).toFixed(3).padStart(17), ...[1, 2].map((i) => `${ratio(i).toFixed(2)} ×`.padStart(11))]
    console.log(`${Class.name.padEnd(10)}${String(n).padStart(12)}${cells.join('')}`)
  }
}
