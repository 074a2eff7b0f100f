# The walk through a change, as it ends: one connection added, one rescheduled, one replaced, one gone.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "events" {
  group_id = "g_prod"
  service  = "kafka"
  destination_schema { prefix = "events" }
  networking_method = "PrivateLink"
  private_link_id   = "pl_1"
}

resource "fivetran_connector_schedule" "events" {
  connector_id   = fivetran_connector.events.id
  sync_frequency = "5"
  paused         = "false"
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
  sync_frequency = "5"
  paused         = "false"
}

resource "fivetran_connector" "crm" {
  group_id = "g_prod"
  service  = "salesforce_sandbox"
  destination_schema { name = "crm" }
  networking_method = "Directly"
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
