# Modules: with for_each and count, an id through a variable, through an output, and through none.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

module "team" {
  source   = "./team"
  for_each = { sales = "5", ops = "60" }
  name     = each.key
  minutes  = each.value
}

module "pair" {
  source = "./team"
  count  = 2
  name   = "pair_${count.index}"
  minutes = "30"
}

resource "fivetran_connector" "root" {
  group_id          = "g1"
  service           = "postgres"
  networking_method = "SshTunnel"
  destination_schema { prefix = "root_db" }
}

module "schedule" {
  source = "./schedule"
  cid    = fivetran_connector.root.id
}

module "single" {
  source  = "./team"
  name    = "single"
  minutes = "60"
}

# An output of a module that is there once.
resource "fivetran_connector_schedule" "of_single" {
  connector_id = module.single.cid
  paused       = "false"
}

resource "fivetran_connector" "many" {
  count             = 2
  group_id          = "g1"
  service           = "mysql"
  networking_method = "SshTunnel"
  destination_schema { prefix = "many_${count.index}" }
}

resource "fivetran_connector_schedule" "many" {
  count          = 2
  connector_id   = fivetran_connector.many[count.index].id
  sync_frequency = 30
  paused         = false
}
