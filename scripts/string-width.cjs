// cli-table3 asks for `string-width` 4, which compiles a regular expression of 10 kB at every call. This one measures
// the same, without.
module.exports = require('fast-string-width').default;
