# What moves, is forgotten and is imported: before.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "old_name" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "moved" }
}

resource "fivetran_connector" "forgotten" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "forgotten" }
}

resource "fivetran_connector" "kept" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "kept" }
}

resource "fivetran_connector_schedule" "kept" {
  connector_id   = fivetran_connector.kept.id
  sync_frequency = "5"
}
