# What moves, is forgotten and is imported: after. A schedule is taken out, too.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

resource "fivetran_connector" "new_name" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "moved" }
}

moved {
  from = fivetran_connector.old_name
  to   = fivetran_connector.new_name
}

removed {
  from = fivetran_connector.forgotten
  lifecycle { destroy = false }
}

resource "fivetran_connector" "kept" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "Directly"
  destination_schema { prefix = "kept" }
}

import {
  to = fivetran_connector.imported
  id = "imported_1"
}

resource "fivetran_connector" "imported" {
  group_id          = "g_imported"
  service           = "mysql"
  networking_method = "SshTunnel"
  destination_schema { prefix = "imported_db" }
}
