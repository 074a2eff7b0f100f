# The walk through a change, as it begins: four connections, two of them scheduled.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "orders" {
  group_id = "g_prod"
  service  = "postgres"
  destination_schema { prefix = "orders" }
  networking_method = "PrivateLink"
  private_link_id   = "pl_1"
}

resource "fivetran_connector_schedule" "orders" {
  connector_id   = fivetran_connector.orders.id
  sync_frequency = "60"
  paused         = "false"
}

resource "fivetran_connector" "crm" {
  group_id = "g_prod"
  service  = "salesforce"
  destination_schema { name = "crm" }
  networking_method = "Directly"
}

resource "fivetran_connector" "legacy" {
  group_id = "g_prod"
  service  = "mysql"
  destination_schema { prefix = "legacy" }
  networking_method = "SshTunnel"
}

resource "fivetran_connector" "sheet" {
  group_id = "g_prod"
  service  = "google_sheets"
  destination_schema {
    name  = "sheets"
    table = "budget"
  }
  networking_method = "Directly"
}
