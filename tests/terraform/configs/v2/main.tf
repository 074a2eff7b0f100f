# fivetran_connection_v2: a manual schedule that is not sent at creation, and a pause state.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connection_v2" "api" {
  group_id                 = "g1"
  service                  = "postgres"
  destination_schema_names = "FIVETRAN_NAMING"
  schedule_type            = "manual"
  networking_method        = "Directly"
  config = {
    schema_prefix = "api"
    host          = "db.internal"
  }
  auth = { token = "hunter2" }
}

resource "fivetran_connection_v2_pause_state" "api" {
  connection_id = fivetran_connection_v2.api.id
  paused        = false
}

resource "fivetran_connection_v2" "often" {
  group_id                 = "g1"
  service                  = "kafka"
  destination_schema_names = "FIVETRAN_NAMING"
  networking_method        = "PrivateLink"
  schedule = {
    schedule_type = "INTERVAL"
    interval      = 5
  }
  config = { schema_prefix = "often" }
}
