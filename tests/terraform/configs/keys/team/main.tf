# A connection, and the provider that makes it.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

variable "key" {}

provider "fivetran" { api_key = var.key }

resource "fivetran_connector" "orders" {
  group_id          = "g_prod"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "orders" }
}
