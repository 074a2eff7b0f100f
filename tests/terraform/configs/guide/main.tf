# A pipeline from nothing, as the provider's guides build one: a group, its destination, a connection,
# which columns it syncs, and then when. The schedule waits for the columns: it has their resource's id.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

provider "fivetran" {}

resource "fivetran_group" "shop" { name = "Shop" }

resource "fivetran_destination" "shop" {
  group_id         = fivetran_group.shop.id
  service          = "postgres_rds_warehouse"
  time_zone_offset = "0"
  region           = "GCP_US_EAST4"
  run_setup_tests  = "true"
  config {
    host     = "warehouse.internal"
    port     = 5432
    user     = "fivetran"
    password = "hunter2" # planted: it must not come out of anything that reads the plan
    database = "shop"
  }
  timeouts { create = "60m" }
}

resource "fivetran_connector" "log" {
  group_id        = fivetran_group.shop.id
  service         = "fivetran_log"
  run_setup_tests = true
  destination_schema { name = "shop_log" }
  config { is_account_level_connector = "false" }
  timeouts { create = "60m" }
  depends_on = [fivetran_destination.shop]
}

resource "fivetran_connector_schema_config" "log" {
  connector_id           = fivetran_connector.log.id
  schema_change_handling = "BLOCK_ALL"
  schema {
    name = "shop_log"
    table {
      name = "log"
      column {
        name    = "event"
        enabled = "true"
      }
      column {
        name    = "customer_email"
        enabled = "true"
        hashed  = "false"
      }
    }
  }
}

resource "fivetran_connector_schedule" "log" {
  connector_id      = fivetran_connector_schema_config.log.id
  paused            = "false"
  pause_after_trial = "false"
  sync_frequency    = "5"
}

# The same for several, and the columns as a map; the schedules go over the columns.
resource "fivetran_connector" "team" {
  for_each          = toset(["blue", "green"])
  group_id          = fivetran_group.shop.id
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = each.key }
}

resource "fivetran_connector_schema_config" "team" {
  for_each               = fivetran_connector.team
  connector_id           = each.value.id
  schema_change_handling = "ALLOW_COLUMNS"
  schemas = {
    (each.key) = {
      enabled = true
      tables = {
        people = { enabled = true, columns = { email = { hashed = true } } }
      }
    }
  }
}

resource "fivetran_connector_schedule" "team" {
  for_each       = fivetran_connector_schema_config.team
  connector_id   = each.value.connector_id
  sync_frequency = each.key == "blue" ? 5 : 60
  paused         = false
}
