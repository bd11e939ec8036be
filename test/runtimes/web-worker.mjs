import * as gradus from '/gradus/index.js'
import * as pure from '/gradus/modules/js/entries/js-file.js'
import { smoke } from './program.mjs'

postMessage(await smoke(gradus, pure))
