// What the runtime APPSYNC_JS does not have, as AWS's own linter knows it.

import appsync from '@aws-appsync/eslint-plugin'

const files = ['stock.js', 'cart.js', 'specimen.js']

export default [
  { files, languageOptions: { parserOptions: { projectService: { allowDefaultProject: files } } } },
  { ...appsync.configs.recommended, files },
]
