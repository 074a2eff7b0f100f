# What ends, or is taken from under a schedule: before.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "ads" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "ads" }
}

resource "fivetran_connector" "billing" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "billing" }
}

resource "fivetran_connector_schedule" "billing" {
  connector_id   = "billing_7ece" # by an id, and not by fivetran_connector.billing.id
  sync_frequency = "60"
}

resource "fivetran_connector" "stock" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "stock" }
}

resource "fivetran_connector_schedule" "stock" {
  connector_id = fivetran_connector.stock.id
  paused       = "false"
}

resource "fivetran_connection_v2_pause_state" "stock" {
  connection_id = fivetran_connector.stock.id
  paused        = false
}
