import * as gradus from '/gradus/index.js'
import * as pure from '/gradus/js.js'
import { smoke } from './program.mjs'

postMessage(await smoke(gradus, pure))
