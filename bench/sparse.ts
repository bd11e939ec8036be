/**
 * A table of 5,000 rows with 32 numbers each, of which a batch looks up 32 rows: a step with SparseAdam is compared with a step with Adam, which
 * passes over the whole table. They take turns; medians of processor time. `node --import tsx bench/sparse.ts [rows]`
 */
import { Adam, createBackend, Dense, Embedding, Generator, mse, type Optimizer, Sequential, tensor } from '../ts/index.js'
import { SparseAdam } from '../ts/optim/index.js'

const rows = Number(process.argv[2] ?? 5000)
const [width, batch, turns, steps] = [32, 32, 15, 500]
const backend = createBackend()
const microseconds = () => process.cpuUsage().user + process.cpuUsage().system
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

function trainer(optimizersOf: (table: Embedding, output: Dense<number, number>) => Optimizer[]): () => void {
  const [table, output] = [new Embedding(rows, width), new Dense(width, 1)]
  const model = new Sequential([table, output], { seed: 1, backend }).build()
  const optimizers = optimizersOf(table, output as never)
  const targets = tensor(new Float32Array(batch), [batch, 1], { backend })
  const generator = new Generator(2)
  return () => {
    const words = Int32Array.from({ length: batch }, () => Math.floor(generator.next() * rows))
    mse(model.forward(tensor(words, [batch], { backend })), targets).backward()
    for (const optimizer of optimizers) optimizer.step()
  }
}

const ways = {
  Adam: trainer((table, output) => [new Adam([...table.parameters(), ...output.parameters()])]),
  SparseAdam: trainer((table, output) => [new SparseAdam(table.parameters()), new Adam(output.parameters())]),
}
const times: Record<keyof typeof ways, number[]> = { Adam: [], SparseAdam: [] }
for (let turn = -3; turn < turns; turn++) {
  const names = Object.keys(ways) as (keyof typeof ways)[]
  for (const name of turn % 2 === 0 ? names : names.reverse()) {
    const started = microseconds()
    for (let i = 0; i < steps; i++) ways[name]()
    if (turn >= 0) times[name].push((microseconds() - started) / steps)
  }
}
const [dense, sparse] = [median(times.Adam), median(times.SparseAdam)]
console.log(`Node ${process.versions.node}, ${backend.variant}, ${rows} × ${width}, batch ${batch}, microseconds a step:`)
console.log(`Adam ${dense.toFixed(1)}, SparseAdam ${sparse.toFixed(1)}: ${(dense / sparse).toFixed(2)} times as fast`)
