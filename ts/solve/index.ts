/** Minimization, least squares and the optimizers that use curvature. */
export { type ArmijoOptions, armijo } from './armijo.js'
export { type AutomaticFunction, automatic } from './automatic.js'
export { BFGS } from './bfgs.js'
export type { BoundOptions } from './box.js'
export { type Closure, ClosureOptimizer, type ClosureResult, type ClosureState } from './closure.js'
export { type ConjugateFormula, conjugateBeta } from './conjugate.js'
export { ConjugateGradient, type ConjugateGradientOptions } from './conjugate-gradient.js'
export type { DampingOptions } from './damped.js'
export type { DenseOptimizerOptions, NaturalGradientResult } from './dense-optimizer.js'
export type { DescentOptions } from './descent-optimizer.js'
export { type CurveFit, type CurveModel, type FitCurveOptions, fitCurve } from './fit-curve.js'
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
} from './functions.js'
export { KFAC, type KFACOptions } from './kfac.js'
export { LBFGS, type LBFGSOptions } from './lbfgs.js'
export {
  gaussNewton,
  type LeastSquaresOptions,
  type LeastSquaresProgress,
  type LeastSquaresResult,
  levenbergMarquardt,
} from './least-squares.js'
export { LevenbergMarquardt, type LevenbergMarquardtOptions, type LevenbergMarquardtResult } from './levenberg-marquardt.js'
export { type MinimizeMethod, type MinimizeOptions, minimize } from './minimize.js'
export { NaturalGradient } from './natural-gradient.js'
export type { HessianProduct } from './newton.js'
export { NewtonCG, type NewtonCGOptions } from './newton-cg.js'
export type { Evaluation, PlainFunction } from './objective.js'
export type { CurvatureLoss } from './output-loss.js'
export type { Jacobian, Residuals } from './residuals.js'
export type { SolveResult, StopReason } from './result.js'
export type { SolveProgress, StopOptions } from './stop.js'
export type { TrustRegionOptions } from './trust-region.js'
export { TrustRegionNewton, type TrustRegionNewtonOptions } from './trust-region-newton.js'
export { cubicMinimum, type LineSearchResult, strongWolfe, type Trial, type WolfeOptions } from './wolfe.js'
