# Least privilege for kind: vault, with the mount "secret" and a key at the path
# "growth/instantly"; one set of these for each secret of a key, and for that of the
# admin key where admin_key has rotate:
#
#   vault policy write instantly-rotator deploy/iam/vault-policy.hcl
#
# Consumers need read on secret/data/growth/instantly only. That a token renews itself, the
# policy default allows, which each has unless it is made without it.

# What consumers read: it is read back, and a promotion writes it.
path "secret/data/growth/instantly" {
  capabilities = ["create", "read", "update"]
}

# A revoked key leaves the old versions that held it.
path "secret/destroy/growth/instantly" {
  capabilities = ["update"]
}

# The rotator's state, the value under test and the one before.
path "secret/data/growth/instantly-rotator" {
  capabilities = ["create", "read", "update"]
}

# Once: of that path only the newest version is kept.
path "secret/metadata/growth/instantly-rotator" {
  capabilities = ["create", "update"]
}
