//! Real Terraform and OpenTofu.
