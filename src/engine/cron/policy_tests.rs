//! Tests of the policy.

use serde_json::json;

use super::super::fixtures::spec;
use super::{Concurrency, MissedRuns, Policy};

#[test]
fn the_default_policy_is_that_of_kubernetes() {
    let policy = Policy::of(&spec("* * * * *", "UTC", json!({})));
    let expected = Policy {
        missed: MissedRuns::Latest,
        starting_deadline: None,
        concurrency: Concurrency::Forbid,
        suspended: false,
    };
    assert_eq!(policy, expected);
}
