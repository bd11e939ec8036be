/** The net of the oracles of optimizers, and its parameters in their order: their weights are [outputs, inputs], ours [inputs, outputs]. */
import { type Backend, Dense, type Module, Sequential } from '../../ts/index.js'
import { oracle } from './optim-problems.js'

const { mlp } = oracle.problems

const transposed = (rows: number[][]) => Float64Array.from(rows[0].flatMap((_, j) => rows.map((row) => row[j])))

/** The net of the oracles: its weights are [outputs, inputs], ours [inputs, outputs]. */
export function oracleNet(backend: Backend): Sequential {
  const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)], { backend })
  const start = [transposed(mlp.W1), mlp.b1, transposed(mlp.W2), mlp.b2]
  model.parameters().forEach((p, i) => p.view().set(start[i]))
  return model
}

/** Parameters in the oracles' order. */
export function flat(model: Module): number[] {
  return model.parameters().flatMap((p) => {
    const values = [...p.view()]
    if (p.rank < 2) return values
    const [rows, columns] = p.shape
    return Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => values[i * columns + j])).flat()
  })
}
