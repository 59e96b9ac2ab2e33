//! Organization requests.

use entity::organization;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::{Deserialize, Serialize};

use super::subscription_plan::PlanEnum;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::secret::has_secret;

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationRequest {
    pub(super) name: String,
    pub(super) plan: PlanEnum,
    #[serde(flatten)]
    #[oai(flatten)]
    pub(super) rest: OptionalFields,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationEditRequest {
    #[oai(default)]
    pub(super) name: Option<String>,
    #[oai(default)]
    pub(super) plan: Option<PlanEnum>,
    #[serde(flatten)]
    #[oai(flatten)]
    pub(super) rest: OptionalFields,
}

/// Optional fields. An absent field keeps the stored value; null clears it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct OptionalFields {
    description: MaybeUndefined<String>,
    website_url: MaybeUndefined<String>,
    repository: MaybeUndefined<String>,
    logo_url: MaybeUndefined<String>,
    icon_url: MaybeUndefined<String>,
    admin_emails: MaybeUndefined<Vec<String>>,
}

impl OptionalFields {
    /// Validates the fields and writes them to a row.
    pub(super) fn apply(self, row: &mut organization::Model) -> Result<()> {
        let Self { description, website_url, repository, logo_url, icon_url, admin_emails } = self;
        let texts = [
            ("description", description, &mut row.description),
            ("website_url", website_url, &mut row.website_url),
            ("repository", repository, &mut row.repository),
            ("logo_url", logo_url, &mut row.logo_url),
            ("icon_url", icon_url, &mut row.icon_url),
        ];
        for (field, given, stored) in texts {
            match given {
                MaybeUndefined::Undefined => {}
                MaybeUndefined::Null => *stored = None,
                MaybeUndefined::Value(text) if field != "description" && has_secret(&text) => {
                    return Err(Error::invalid(
                        field,
                        "must not contain a password or a token, because members see it",
                    ));
                }
                MaybeUndefined::Value(text) => *stored = Some(limits::text(field, text)?),
            }
        }
        match admin_emails {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => row.admin_emails = None,
            MaybeUndefined::Value(emails) => {
                row.admin_emails = Some(limits::list("admin_emails", emails)?.into());
            }
        }
        Ok(())
    }
}
