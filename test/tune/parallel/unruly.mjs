/** An objective for tests of threads: by its number a trial returns, reports late, reports nonsense, throws, dies or hangs. */
export const KINDS = ['returns', 'reports', 'does not wait', 'reports later', 'reports nonsense', 'throws', 'dies', 'hangs', 'is slow']

export function kindOf(number, seed) {
  let x = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  return KINDS[((x ^ (x >>> 13)) >>> 0) % KINDS.length]
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export function make({ seed }) {
  return async (_, trial) => {
    const { number } = trial
    const kind = kindOf(number, seed)
    if (kind === 'reports') for (let step = 0; step < 3; step++) await trial.report(number, step)
    if (kind === 'does not wait') for (let step = 0; step < 3; step++) trial.report(number, step)
    if (kind === 'reports later')
      setTimeout(() => {
        trial.setAttribute('mine', number)
        trial.report(number, 99)
      }, 20)
    if (kind === 'reports nonsense') await trial.report(`${number}`, 0)
    if (kind === 'throws') throw new Error(`error of ${number}`)
    if (kind === 'dies') process.exit(1)
    if (kind === 'hangs') for (;;);
    if (kind === 'is slow') await pause(40)
    trial.setAttribute('mine', number)
    return 10 + number
  }
}
