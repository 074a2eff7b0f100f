# A schedule whose connection is given.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "cid" {}

resource "fivetran_connector_schedule" "given" {
  connector_id   = var.cid
  sync_frequency = "5"
  paused         = "false"
}
