// A step for a Jenkins shared library: audits the account, shows what was found, and is the gate.
//
//   fivetranAudit(policy: './policies', failOn: 'high')
//
// `credentials` is the id of a "username with password": the API key and its secret. The agent has
// fivetran-auditor on its path, or `python` (3.11 or newer) to install `version` with. What is not
// given, auditor.yaml decides, then the option's own default.

import groovy.transform.Field

@Field static final Map<String, String> SETTINGS = [
  policy   : 'FIVETRAN_AUDITOR_POLICY',
  waivers  : 'FIVETRAN_AUDITOR_WAIVERS',
  baseline : 'FIVETRAN_AUDITOR_BASELINE',
  failOn   : 'FIVETRAN_AUDITOR_FAIL_ON',
  group    : 'FIVETRAN_AUDITOR_GROUP',
  strict   : 'FIVETRAN_AUDITOR_STRICT',
  report   : 'FIVETRAN_AUDITOR_REPORT',
]
@Field static final List<String> OTHERS = ['credentials', 'python', 'version', 'outputDir']

def call(Map given = [:]) {
  def unknown = given.keySet().findAll { !(it in SETTINGS.keySet()) && !(it in OTHERS) }
  if (unknown) {
    error("fivetranAudit takes no ${unknown.join(', ')}; it takes ${(SETTINGS.keySet() + OTHERS).join(', ')}")
  }
  def reports = given.outputDir ?: 'audit-report'
  // Values reach the shell as variables, never as a part of a script.
  def env = SETTINGS.findAll { given[it.key] != null }.collect { "${it.value}=${given[it.key]}".toString() }
  env << "FIVETRAN_AUDITOR_OUTPUT_DIR=${reports}".toString()
  env << "AUDITOR_PYTHON=${given.python ?: ''}".toString()
  env << "AUDITOR_RELEASE=${given.version ?: '0.1.0'}".toString()
  def code = 4
  // A workspace is kept between runs: no older report may be taken for this one's, whatever fails.
  withEnv(env) {
    sh(label: 'Remove older reports', script: 'rm -rf -- "$FIVETRAN_AUDITOR_OUTPUT_DIR"')
  }
  try {
    withCredentials([usernamePassword(
      credentialsId: given.credentials ?: 'fivetran-api',
      usernameVariable: 'FIVETRAN_API_KEY',
      passwordVariable: 'FIVETRAN_API_SECRET',
    )]) {
      withEnv(env) {
        code = sh(returnStatus: true, label: 'Audit Fivetran', script: '''
          if [ -n "$AUDITOR_PYTHON" ]; then
            "$AUDITOR_PYTHON" -m venv .fivetran-auditor || exit 4
            .fivetran-auditor/bin/python -m pip install --quiet --only-binary :all: \\
              "fivetran-auditor==$AUDITOR_RELEASE" || exit 4
            PATH="$PWD/.fivetran-auditor/bin:$PATH"
          fi
          fivetran-auditor audit
        '''.stripIndent())
      }
    }
  } finally {
    junit(testResults: "${reports}/junit.xml", allowEmptyResults: true)
    archiveArtifacts(artifacts: "${reports}/**", allowEmptyArchive: true)
  }
  if (code != 0) {
    def meaning = [1: 'violations', 2: 'nothing was judged', 3: 'inconclusive'][code] ?: 'failed'
    error("fivetran-auditor: ${meaning} (exit ${code})")
  }
}
