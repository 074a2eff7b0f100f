# A connection and its schedule.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "name" {}
variable "minutes" {}

resource "fivetran_connector" "db" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = var.name }
}

resource "fivetran_connector_schedule" "db" {
  connector_id   = fivetran_connector.db.id
  sync_frequency = var.minutes
}

output "cid" { value = fivetran_connector.db.id }
