# The least that the token of CONSUL_TOKEN must be allowed, with REGISTRY_PREFIX=service-discovery.

# Our records, and our nodes in the catalog.
key_prefix "service-discovery/" {
  policy = "write"
}
node_prefix "service-discovery-" {
  policy = "write"
}

# What is registered through us, whatever its name.
service_prefix "" {
  policy = "write"
}

# What others have registered: without it they are not shown.
node_prefix "" {
  policy = "read"
}
