//! Steps as Jobs: the contract of all runners, and what is special about this one.

use std::time::Duration;

use super::{connected, image};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn jobs_conform() {
    let runner = connected(Duration::from_secs(60)).await;
    crate::conformance::conforms(&runner, &image()).await;
}
