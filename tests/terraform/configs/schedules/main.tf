# Schedules as blocks, of connections that are there and of those that are not in the plan.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "c" {
  for_each          = toset(["interval", "daily", "cron", "manual"])
  group_id          = "g1"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = each.key }
}

resource "fivetran_connector_schedule" "interval" {
  connector_id = fivetran_connector.c["interval"].id
  paused       = "false"
  schedule {
    schedule_type = "INTERVAL"
    interval      = 5
  }
}

resource "fivetran_connector_schedule" "daily" {
  connector_id = fivetran_connector.c["daily"].id
  schedule {
    schedule_type = "TIME_OF_DAY"
    time_of_day   = "03:00"
    days_of_week  = ["MONDAY"]
  }
}

resource "fivetran_connector_schedule" "cron" {
  connector_id = fivetran_connector.c["cron"].id
  schedule {
    schedule_type = "CRON"
    cron          = "0 3 * * *"
  }
}

resource "fivetran_connector_schedule" "manual" {
  connector_id = fivetran_connector.c["manual"].id
  schedule { schedule_type = "MANUAL" }
}

resource "fivetran_connector_schedule" "elsewhere" {
  connector_id   = "made_by_hand"
  sync_frequency = "5"
}

resource "fivetran_connector_schedule" "by_name" {
  group_id       = "g_other"
  connector_name = "by_hand_too"
  sync_frequency = "60"
  paused         = "true"
}

data "fivetran_connection" "known" { id = "known_by_data" }

resource "fivetran_connector_schedule" "by_data" {
  connector_id   = data.fivetran_connection.known.id
  sync_frequency = "30"
}
