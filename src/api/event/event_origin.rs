//! The origins of events, under their official names.

use entity::deployment::Origin;
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationEventOrigin {
    Api,
    Cli,
    Console,
    Git,
    QoveryInternal,
    Skill,
    TerraformProvider,
}

impl From<Origin> for OrganizationEventOrigin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Api => Self::Api,
            Origin::Cli => Self::Cli,
            Origin::Console => Self::Console,
            Origin::TerraformProvider => Self::TerraformProvider,
        }
    }
}

/// The stored origin; `None` for origins that this server never records.
pub(super) fn stored_origin(origin: OrganizationEventOrigin) -> Option<Origin> {
    match origin {
        OrganizationEventOrigin::Api => Some(Origin::Api),
        OrganizationEventOrigin::Cli => Some(Origin::Cli),
        OrganizationEventOrigin::Console => Some(Origin::Console),
        OrganizationEventOrigin::TerraformProvider => Some(Origin::TerraformProvider),
        OrganizationEventOrigin::Git | OrganizationEventOrigin::QoveryInternal | OrganizationEventOrigin::Skill => None,
    }
}
