// Audits Fivetran every morning. A pipeline job reads it as its script path; the credentials
// fivetran-api are a "username with password": the API key and its secret.
pipeline {
  agent any
  environment { FIVETRAN_AUDITOR_CONFIG = '@CONFIG@' }
  triggers { cron('H 5 * * *') }
  stages {
    stage('Install') {
      steps {
        sh '''
          # A workspace is kept between runs: no older report may be taken for this one's.
          rm -rf audit-report
          python3 -m venv .fivetran-venv
          .fivetran-venv/bin/pip install --quiet fivetran-auditor==@VERSION@
        '''
      }
    }
    stage('Policies') {
      steps {
        sh '.fivetran-venv/bin/fivetran-auditor validate'
        sh '.fivetran-venv/bin/fivetran-auditor test'
      }
    }
    stage('Audit') {
      steps {
        withCredentials([usernamePassword(
          credentialsId: 'fivetran-api',
          usernameVariable: 'FIVETRAN_API_KEY',
          passwordVariable: 'FIVETRAN_API_SECRET'
        )]) {
          sh '.fivetran-venv/bin/fivetran-auditor audit --report html --report junit --report json --output-dir audit-report'
        }
      }
    }
  }
  post {
    always {
      junit testResults: 'audit-report/junit.xml', allowEmptyResults: true
      archiveArtifacts artifacts: 'audit-report/**', allowEmptyArchive: true
    }
  }
}
