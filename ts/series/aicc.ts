/** Akaike's information criterion with the correction for few values (Hurvich & Tsai 1989), by which the classics choose their forms. */

/** Added to a mean squared error, as a share of the scale: a series without noise would have a likelihood of infinity. */
const NO_ERROR = 1e-20

/** The criterion, less is better: Infinity where there are as many parameters as values. @param deviance −2 times the log likelihood */
export function aiccOf(deviance: number, values: number, parameters: number): number {
  const spare = values - parameters - 1
  return spare > 0 ? deviance + 2 * parameters + (2 * parameters * (parameters + 1)) / spare : Infinity
}

/** −2 times the log likelihood of normal errors with these squares, without its constant. */
export const devianceOf = (squares: number, values: number): number => values * Math.log(squares / values + NO_ERROR)
