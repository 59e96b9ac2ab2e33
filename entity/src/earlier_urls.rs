//! URLs that a credential was used with, by which it belongs to their hosts.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// The URLs of repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct EarlierUrls(pub Vec<String>);
