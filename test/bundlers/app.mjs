/** A small app with named imports: trains in the page and posts its results. */
import {
  Activation,
  Adam,
  AdamW,
  BatchNorm,
  crossEntropy,
  Dense,
  Dropout,
  fit,
  fitMany,
  load,
  Sequential,
  SGD,
  schedules,
  tensor,
} from 'gradus'
import { supportedVariants } from 'gradus/debug'
import * as pure from 'gradus/js'
import { smoke } from './program.mjs'

const gradus = {
  ...{ Activation, Adam, AdamW, BatchNorm, crossEntropy, Dense, Dropout, fit, fitMany },
  ...{ load, SGD, Sequential, schedules, supportedVariants, tensor },
}
const page = new URLSearchParams(location.search).get('page')

smoke(gradus, pure)
  .catch((error) => ({ error: String(error?.stack ?? error) }))
  .then((report) => fetch('/report', { method: 'POST', body: JSON.stringify({ page, ...report }) }))
  .then((answer) => answer.text())
  .then((next) => {
    if (next !== '') location.href = next
  })
