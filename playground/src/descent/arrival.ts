/** The first step from which a track stays within ε of the lowest value; null if there is none. */
export function arrivalOf({ values, steps }: { values: Float64Array; steps: number }, lowest: number, epsilon: number): number | null {
  let step = steps + 1
  while (step > 0 && values[step - 1] - lowest <= epsilon) step--
  return step > steps ? null : step
}
