/** An objective for the proof: some trials hang, some throw, the others have a value that depends on the parameters alone. */
export default async function objective({ x, y }, trial) {
  await new Promise((resolve) => setTimeout(resolve, 60))
  if (trial.number % 97 === 5) for (;;);
  if (trial.number % 97 === 55) return await new Promise(() => {})
  if (trial.number % 89 === 7) throw new Error('boom')
  await trial.report(x + y, 0)
  return (x - 0.3) ** 2 + (y + 0.2) ** 2
}
