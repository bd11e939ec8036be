/** With GRADUS_CLOCK the clock of the library goes otherwise in all tests, of which `make steady` shows that none fails by it. */
import { clock } from '../../ts/common/clock.js'

const { now } = clock
const start = now()
let leaps = 0

const OTHERS: Record<string, () => number> = {
  fast: () => start + 20 * (now() - start),
  slow: () => start + (now() - start) / 20,
  // a second now and then, as after a pause of the machine
  jumps: () => now() + 1000 * Math.floor(leaps++ / 997),
}
const other = OTHERS[process.env.GRADUS_CLOCK ?? '']
if (other) clock.now = other
