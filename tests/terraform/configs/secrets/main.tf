# fivetran_connection with its settings as JSON, and the rest of them in a resource of its own.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "password" {
  default   = "hunter2" # planted: it must not come out of anything that reads the plan
  sensitive = true
}

resource "fivetran_connection" "db" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "db" }
  config = jsonencode({ host = "db.internal", password = "hunter2" })
}

resource "fivetran_connection_config" "db" {
  connection_id = fivetran_connection.db.id
  config        = jsonencode({ port = 5432, secret_key = var.password })
  auth          = jsonencode({ token = "hunter2" })
}

# By group and name, the name from a secret.
resource "fivetran_connector" "named" {
  group_id          = "g1"
  service           = "mysql"
  networking_method = "SshTunnel"
  destination_schema { prefix = var.password }
  config {
    host     = "db.internal"
    password = var.password
  }
}

resource "fivetran_connector_schedule" "named" {
  group_id       = "g1"
  connector_name = "db"
  sync_frequency = "5"
  paused         = "false"
}

# Of a connection outside the plan, by an id that is not to be shown.
resource "fivetran_connector_schedule" "elsewhere" {
  connector_id   = var.password
  sync_frequency = "60"
}
