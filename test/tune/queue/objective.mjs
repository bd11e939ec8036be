/** An objective for tests of queues: a few steps with a wait in each, and a value that depends on the parameters alone. */
export default async function objective({ x, y }, trial) {
  for (let step = 0; step < 3; step++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    await trial.report((x - 0.3) ** 2 + (y + 0.2) ** 2 + 1 / (step + 1), step)
    if (trial.shouldPrune()) trial.prune()
  }
  return (x - 0.3) ** 2 + (y + 0.2) ** 2
}
