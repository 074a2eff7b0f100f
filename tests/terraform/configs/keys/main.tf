# Two accounts through one module: each call of it has a provider of its own.
terraform {
  required_providers {
    fivetran = { source = "fivetran/fivetran" }
  }
}

module "us" {
  source = "./team"
  key    = "us"
}

module "eu" {
  source = "./team"
  key    = "eu"
}
