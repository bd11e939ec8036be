/** Iterations of L-BFGS compared with those of SciPy's L-BFGS-B on all digits of MNIST: in doubles, and as an optimizer in single precision. */
import { CLASSES, type MnistOracle, mnistObjective, mnistOracles } from '../../test/tools/mnist-softmax.js'
import { type Dataset, loadMnist } from '../../ts/data/index.js'
import { add, createBackend, crossEntropy, Dense, mul, Sequential, square, sum, tensor } from '../../ts/index.js'
import { LBFGS, minimize } from '../../ts/solve/index.js'

/** minimize() on a function written by hand in doubles. */
function inDoubles(train: Dataset, { rows, decay, tolerance }: MnistOracle) {
  const start = new Float64Array((train.features + 1) * CLASSES)
  return minimize(mnistObjective(train, rows, decay), start, { gradientTolerance: tolerance, valueTolerance: 0, stepTolerance: 0 })
}

/** The optimizer on a model, in WebAssembly. */
function inSingles(train: Dataset, { rows, decay, tolerance }: MnistOracle) {
  const backend = createBackend()
  const model = new Sequential([new Dense(train.features, CLASSES, { weightInitializer: 'zeros' })], { backend })
  const x = tensor(train.inputs.subarray(0, rows * train.features), [rows, train.features], { backend })
  const y = tensor(Int32Array.from(train.targets.subarray(0, rows)), { backend })
  const [weight] = model.parameters()
  const optimizer = new LBFGS(model.parameters(), { maxIterations: 1000, gradientTolerance: tolerance, changeTolerance: 0 })
  const { loss, ...rest } = optimizer.step(() => add(crossEntropy(model.forward(x), y), mul(sum(square(weight)), 0.5 * decay)))
  return { value: loss, ...rest }
}

export async function benchLBFGS(): Promise<object[]> {
  const rows: object[] = []
  const { train } = await loadMnist()
  console.log("\nL-BFGS, softmax regression on MNIST from zeros, beside SciPy's L-BFGS-B (goal: iterations within 1.3)")
  for (const oracle of mnistOracles) {
    console.log(`  ${oracle.rows} rows, decay ${oracle.decay}, |g| ≤ ${oracle.tolerance}`)
    console.log(`    SciPy           ${oracle.iterations} iterations, ${oracle.evaluations} evaluations, ${oracle.value.toFixed(9)}`)
    for (const [name, run] of [
      ['doubles', inDoubles],
      ['single precision', inSingles],
    ] as const) {
      const from = performance.now()
      const { iterations, evaluations, value, reason } = run(train, oracle)
      const seconds = ((performance.now() - from) / 1000).toFixed(1)
      rows.push({ ...oracle, in: name, scipyIterations: oracle.iterations, iterations, evaluations, value, reason })
      const ratio = (iterations / oracle.iterations).toFixed(2)
      console.log(
        `    ${name.padEnd(16)}${iterations} iterations, ${evaluations} evaluations, ${value.toFixed(9)} (${reason}), ${seconds} s: ratio ${ratio}`,
      )
    }
  }
  return rows
}
