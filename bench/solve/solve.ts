/**
 * Second order: Levenberg-Marquardt on a small net compared with Adam, curve fits with ml-levenberg-marquardt, L-BFGS iterations with SciPy. Figures
 * are those of the best of many short windows, all in one run.
 *
 *     node --import tsx bench/solve/solve.ts [lm] [curves] [lbfgs] [write]
 *
 * With `write` the figures go to bench/results/solve.json, each under its name.
 * The peer is not a development dependency: `npm install --prefix P ml-levenberg-marquardt@5.1.0` and PEERS=P. lbfgs takes
 * minutes: all of MNIST, five times.
 */
import { writeSolve } from '../results.js'
import { benchCurves } from './curves.js'
import { benchLBFGS } from './lbfgs.js'
import { benchLevenbergMarquardt } from './levenberg-marquardt.js'

const benchmarks: Record<string, () => unknown> = { lm: benchLevenbergMarquardt, curves: benchCurves, lbfgs: benchLBFGS }

async function main(args: string[]): Promise<void> {
  const wanted = args.filter((name) => name !== 'write')
  for (const [name, run] of Object.entries(benchmarks)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const figures = await run()
    if (args.includes('write')) writeSolve(name, figures)
  }
}

void main(process.argv.slice(2))
