/** LBFGS follows PyTorch. */
import { describe, expect, test } from 'vitest'
import { LBFGS, type LBFGSOptions } from '../../../ts/solve/optimizers/lbfgs.js'
import { oracleCases } from '../../tools/optim-problems.js'
import { backends, follow } from '../../tools/optim-runner.js'

const CASES: [id: string, options: LBFGSOptions][] = [
  ['lbfgs_fixed_step', { maxIterations: 1, maxEvaluations: 25, historySize: 5, lineSearch: 'none' }],
  ['lbfgs_strong_wolfe_iter1', { maxIterations: 1, maxEvaluations: 25, historySize: 10 }],
  ['lbfgs_strong_wolfe', { maxIterations: 20, historySize: 100 }],
]

describe('LBFGS follows torch.optim.LBFGS', () => {
  const [{ make }] = backends
  for (const [id, options] of CASES) {
    for (const [problem, trajectory] of Object.entries(oracleCases.get(id)!.results)) {
      test(`${id}, ${problem}`, () => {
        const { deviation, compared } = follow(problem, trajectory, make(), (s) => {
          const optimizer = new LBFGS(s.parameters, { learningRate: s.learningRate, ...options })
          return { step: () => void optimizer.step(() => s.gradient()) }
        })
        expect(deviation).toBeUndefined()
        expect(compared).toBeGreaterThan(3)
      })
    }
  }
})
