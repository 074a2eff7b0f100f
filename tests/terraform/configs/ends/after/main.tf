# What ends, or is taken from under a schedule: after. One connection is forgotten; one is replaced,
# and its schedule names the old one; and two resources differ on whether the third is paused.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

removed {
  from = fivetran_connector.ads
  lifecycle { destroy = false }
}

resource "fivetran_connector" "billing" {
  group_id          = "g_prod"
  service           = "mysql"
  networking_method = "SshTunnel"
  destination_schema { prefix = "billing" }
}

resource "fivetran_connector_schedule" "billing" {
  connector_id   = "billing_7ece" # by an id, and not by fivetran_connector.billing.id
  sync_frequency = "5"
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
  paused        = true
}
