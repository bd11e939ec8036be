/** A process with a study, to be killed: study.mjs LIBRARY STORAGE TRIALS. It prints each trial whose result was confirmed as stored. */
const [library, storage, trials] = process.argv.slice(2)
const { createStudy, float, int } = await import(library)
const study = await createStudy({ space: { x: float(-1, 1), n: int(1, 9) }, storage, seed: 3 })
await study.optimize(
  async ({ x, n }, trial) => {
    for (let step = 0; step < 2; step++) await trial.report(x * x + n / 10 + 1 / (step + 1), step)
    return x * x + n / 10
  },
  { trials: Number(trials), onTrial: ({ number, value }) => console.log(`kept ${number} ${value}`) },
)
await study.close()
console.log('over')
