// Package azuretest is a stand-in for Azure Key Vault that speaks its wire protocol, as
// far as secrets go: versions, tags, attributes, soft delete, challenges and errors, as
// Microsoft's REST reference (2025-07-01) and published answers of the service have them.
// It knows nothing of the rotator.
package azuretest
