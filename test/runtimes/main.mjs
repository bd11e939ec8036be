import * as gradus from 'gradus'
import * as pure from 'gradus/js'
import { smoke } from './program.mjs'

console.log(JSON.stringify(await smoke(gradus, pure)))
