# A destination that is moved, another that comes, and a connection into each: after.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_destination" "prod" {
  group_id         = "g_prod"
  service          = "snowflake"
  time_zone_offset = "0"
  region           = "GCP_US_EAST4"
  config { password = "hunter2" } # planted: it must not come out of anything that reads the plan
}

resource "fivetran_connector" "orders" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}

resource "fivetran_destination" "lab" {
  group_id         = "g_lab"
  service          = "snowflake"
  time_zone_offset = "0"
  region           = "GCP_US_EAST4"
}

resource "fivetran_connector" "trial" {
  group_id          = "g_lab"
  service           = "github"
  networking_method = "Directly"
  destination_schema { name = "trial" }
}
