//! Alerts: receivers and rules, under the official paths.

pub(super) mod alert_receivers;
pub(super) mod alert_rules;
mod receiver_body;
mod receiver_change;
mod receiver_view;
mod rule_body;
mod rule_change;
mod rule_view;
