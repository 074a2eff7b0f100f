# Two accounts in one plan, and two names for one of them.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "key" { default = "k" }

provider "fivetran" { api_key = var.key }

provider "fivetran" {
  alias   = "same"
  api_key = var.key
}

provider "fivetran" {
  alias   = "eu"
  api_key = "other"
}

resource "fivetran_connector" "us" {
  group_id          = "g_us"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}

resource "fivetran_connector" "us_too" {
  provider          = fivetran.same
  group_id          = "g_us"
  service           = "mysql"
  networking_method = "SshTunnel"
  destination_schema { prefix = "people" }
}

resource "fivetran_connector" "eu" {
  provider          = fivetran.eu
  group_id          = "g_eu"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}
