//! Tests of the policy.

use serde_json::json;

use super::super::fixtures::spec;
use super::{Concurrency, MissedRuns, Policy};

#[test]
fn without_settings_it_is_as_kubernetes_does() {
    let policy = Policy::of(&spec("* * * * *", "UTC", json!({})));
    let expected = Policy {
        missed: MissedRuns::Latest,
        starting_deadline: None,
        concurrency: Concurrency::Forbid,
        suspended: false,
    };
    assert_eq!(policy, expected);
}
