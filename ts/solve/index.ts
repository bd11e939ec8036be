/**
 * `gradus/solve`: minimizers of plain functions, least squares, and second-order solvers that train nets.
 * @module gradus/solve
 */

// Minimizers

export type { BoundOptions } from './box.js'
export { type ArmijoOptions, armijo } from './line-search/armijo.js'
export { cubicMinimum, type LineSearchResult, strongWolfe, type Trial, type WolfeOptions } from './line-search/wolfe.js'
export { type AutomaticFunction, automatic } from './minimize/automatic.js'
export { type ConjugateFormula, conjugateBeta } from './minimize/conjugate-gradient.js'
export { type MinimizeMethod, type MinimizeOptions, minimize } from './minimize/minimize.js'
export type { HessianProduct } from './minimize/newton.js'
export {
  ackley,
  asObjective,
  beale,
  booth,
  himmelblau,
  matyas,
  monkeySaddle,
  plateau,
  rastrigin,
  rosenbrock,
  saddle,
  styblinskiTang,
  type TestFunction,
  testFunctions,
} from './minimize/test-functions.js'
export type { TrustRegionOptions } from './minimize/trust-region.js'
export type { Evaluation, PlainFunction } from './objective.js'
export type { SolveResult, StopReason } from './result.js'
export type { SolveProgress, StopOptions } from './stop.js'

// Least squares

export type { DampingOptions } from './least-squares/damped.js'
export { type CurveFit, type CurveModel, type FitCurveOptions, fitCurve } from './least-squares/fit-curve.js'
export { gaussNewton, type LeastSquaresResult, levenbergMarquardt } from './least-squares/least-squares.js'
export type { LeastSquaresOptions, LeastSquaresProgress } from './least-squares/options.js'
export type { Jacobian, Residuals } from './least-squares/residuals.js'

// Solvers that train nets

export type { DenseOptimizerOptions, NaturalGradientResult } from './dense-nets/dense-optimizer.js'
export { KFAC, type KFACOptions } from './dense-nets/kfac.js'
export { LevenbergMarquardt, type LevenbergMarquardtOptions, type LevenbergMarquardtResult } from './dense-nets/levenberg-marquardt.js'
export { NaturalGradient } from './dense-nets/natural-gradient.js'
export type { CurvatureLoss } from './dense-nets/output-loss.js'
export { BFGS } from './optimizers/bfgs.js'
export { type Closure, ClosureOptimizer, type ClosureResult, type ClosureState } from './optimizers/closure.js'
export { ConjugateGradient, type ConjugateGradientOptions } from './optimizers/conjugate-gradient.js'
export type { DescentOptions } from './optimizers/descent-optimizer.js'
export { LBFGS, type LBFGSOptions } from './optimizers/lbfgs.js'
export { NewtonCG, type NewtonCGOptions } from './optimizers/newton-cg.js'
export { TrustRegionNewton, type TrustRegionNewtonOptions } from './optimizers/trust-region-newton.js'
