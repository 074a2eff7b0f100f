# Two accounts whose credentials look alike in a plan: a function tells them apart.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "keys" { default = "us,eu" }

provider "fivetran" { api_key = split(",", var.keys)[0] }

provider "fivetran" {
  alias   = "eu"
  api_key = split(",", var.keys)[1]
}

resource "fivetran_connector" "us" {
  group_id          = "g_us"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}

resource "fivetran_connector" "eu" {
  provider          = fivetran.eu
  group_id          = "g_eu"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}
