# A destination and a connection into it: before.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_destination" "prod" {
  group_id         = "g_prod"
  service          = "snowflake"
  time_zone_offset = "0"
  region           = "GCP_EUROPE_WEST3"
  config { password = "hunter2" } # planted: it must not come out of anything that reads the plan
}

resource "fivetran_connector" "orders" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}
