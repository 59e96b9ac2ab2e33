//! Startup: the first organization, the default templates, the sample jobs, and the greeting.

pub use self::api_token::new_api_token;
pub use self::default_templates::{add_default_templates, add_missing_templates};
pub use self::demo::{Demo, demo};
pub use self::first::{FirstOrganization, create_first_organization};
pub use self::first_person::first_person;
pub use self::greeting::greeting;
pub use self::local_cluster::local_cluster;
pub use self::new_organization::{create_organization, found_organization, may_create_organization};

mod api_token;
mod default_templates;
mod demo;
mod first;
mod first_alert_rule;
mod first_person;
mod greeting;
mod local_cluster;
mod new_organization;
