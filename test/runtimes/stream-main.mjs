import * as gradus from 'gradus'
import * as data from 'gradus/data'
import * as stream from 'gradus/stream'
import { readAhead } from './stream.mjs'

console.log(JSON.stringify(await readAhead(gradus, data, stream)))
