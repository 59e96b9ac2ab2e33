//! Runs on push: what the webhooks of repositories deliver, what it starts, and what is reported back.

pub mod accept_hook_delivery;
pub mod accept_push;
mod asked_branches;
pub mod auto_deployed;
mod bitbucket_payload;
pub mod delivery_headers;
mod delivery_signature;
mod github_payload;
mod gitlab_payload;
pub mod heard;
pub mod path_filter;
mod payload_parts;
pub mod push_filter;
pub mod report_request;
pub mod report_rows;
pub mod report_text;
pub mod repository_path;
pub mod superseded;
pub mod webhook_setting;
