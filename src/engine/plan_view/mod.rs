//! A plan of Terraform or OpenTofu as a readable difference, pure.

mod attribute_changes;
mod hidden_texts;
mod plan_document;
mod redacted_plan;
mod stored_view;
mod used_schemas;

pub use self::attribute_changes::{AttributeChange, PlanValue};
pub use self::plan_document::{OutputChange, PlanAction, PlanCounts, PlanView, ResourceChange, read};
pub use self::redacted_plan::redacted;
pub use self::stored_view::{of_json, stored};
pub use self::used_schemas::used as used_schemas;
