//! Schedules, pure: the expression, the policy that settles each time, and who keeps the time.

pub mod expression;
pub mod keeper;
pub mod policy;
