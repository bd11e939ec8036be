const gradus = require('gradus')
const pure = require('gradus/js')

import('./program.mjs').then(async ({ smoke }) => console.log(JSON.stringify(await smoke(gradus, pure))))
