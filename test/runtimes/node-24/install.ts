/** Node 24 for `make test`: 190 MB in .cache/node-24, a quarter of a minute once. */
import { installTools } from '../consumer.js'

installTools('node-24', 'test/runtimes/node-24')
