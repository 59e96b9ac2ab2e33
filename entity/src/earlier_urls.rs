//! URLs that a credential was used with before credentials belonged to a host.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// The URLs of repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct EarlierUrls(pub Vec<String>);
