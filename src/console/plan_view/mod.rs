//! A plan of Terraform or OpenTofu as a readable difference, pure.

mod attribute_changes;
mod plan_document;

pub use self::attribute_changes::{AttributeChange, PlanValue};
pub use self::plan_document::{OutputChange, PlanAction, PlanCounts, PlanView, ResourceChange, read};
