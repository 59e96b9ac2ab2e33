//! Pure: what an identity token says.

use serde::Serialize;

/// How long a token is valid, in seconds.
pub(super) const LIFETIME: i64 = 2 * 60 * 60;

/// How much clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// The part of a run that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Plan,
    Apply,
    /// Scripts that are neither.
    Script,
}

impl Phase {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Script => "script",
        }
    }
}

/// The place that a token is about: ids and names.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) organization: (String, String),
    /// Empty if the workspace belongs to none.
    pub(super) project: (String, String),
    pub(super) workspace: (String, String),
    pub(super) job: i32,
    pub(super) phase: Phase,
}

/// The claims of a token. The names are those that guides for HCP Terraform tell people to compare, except for the first ones, which
/// OIDC prescribes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct IdentityClaims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    terraform_organization_id: String,
    terraform_organization_name: String,
    terraform_project_id: String,
    terraform_project_name: String,
    terraform_workspace_id: String,
    terraform_workspace_name: String,
    terraform_full_workspace: String,
    terraform_run_id: String,
    terraform_run_phase: &'static str,
}

impl IdentityClaims {
    /// `now` is in seconds since 1970.
    pub(super) fn new(issuer: &str, audience: &str, of: &Place, (jti, now): (String, i64)) -> Self {
        let Place { organization, project, workspace, job, phase } = of;
        let [organization_part, project_part, workspace_part] =
            [organization, project, workspace].map(|of| part(&of.1));
        let whole = format!("organization:{organization_part}:project:{project_part}:workspace:{workspace_part}");
        Self {
            iss: issuer.to_owned(),
            aud: audience.to_owned(),
            sub: format!("{whole}:run_phase:{}", phase.word()),
            jti,
            iat: now,
            nbf: now - LEEWAY,
            exp: now + LIFETIME,
            terraform_organization_id: organization.0.clone(),
            terraform_organization_name: organization.1.clone(),
            terraform_project_id: project.0.clone(),
            terraform_project_name: project.1.clone(),
            terraform_workspace_id: workspace.0.clone(),
            terraform_workspace_name: workspace.1.clone(),
            terraform_full_workspace: whole,
            terraform_run_id: format!("run-{job}"),
            terraform_run_phase: phase.word(),
        }
    }
}

/// A name as a part of a subject. Names may have any characters, and those who trust tokens compare the beginnings of subjects: a colon in a
/// name must not end its part, or whoever chooses one name could choose the parts behind it, too. Stars and question marks are
/// wildcards of such comparisons.
fn part(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '%' => part.push_str("%25"),
            ':' => part.push_str("%3A"),
            '*' => part.push_str("%2A"),
            '?' => part.push_str("%3F"),
            other => part.push(other),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::{IdentityClaims, LIFETIME, Phase, Place};

    #[test]
    fn the_subject_names_the_place_and_the_phase() {
        let pair = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        let of = Place {
            organization: pair("1", "acme"),
            project: pair("2", "platform"),
            workspace: pair("3", "network"),
            job: 7,
            phase: Phase::Apply,
        };
        let claims = IdentityClaims::new("https://jobs.example", "aws", &of, ("id".into(), 1000));
        assert_eq!(claims.sub, "organization:acme:project:platform:workspace:network:run_phase:apply");
        assert_eq!((claims.nbf, claims.exp - claims.iat), (940, LIFETIME));
        assert_eq!((claims.terraform_run_id.as_str(), claims.terraform_run_phase), ("run-7", "apply"));
    }

    #[test]
    fn no_name_ends_its_part_of_the_subject() {
        let of = |organization: &str, workspace: &str| {
            let pair = |name: &str| ("id".to_owned(), name.to_owned());
            let place = Place {
                organization: pair(organization),
                project: pair("100%"),
                workspace: pair(workspace),
                job: 7,
                phase: Phase::Script,
            };
            IdentityClaims::new("https://jobs.example", "aws", &place, ("id".into(), 1000))
        };
        let forged = of("acme:project:platform:workspace:network:run_phase:x", "a*?");
        let expected = "organization:acme%3Aproject%3Aplatform%3Aworkspace%3Anetwork%3Arun_phase%3Ax:project:100%25:workspace:a%2A%3F";
        assert_eq!(forged.sub, format!("{expected}:run_phase:script"));
        assert_eq!(forged.terraform_full_workspace, expected);
        assert_eq!(forged.terraform_workspace_name, "a*?");
        // An encoded name is not that of another place.
        assert_ne!(of("a:b", "x").sub, of("a%3Ab", "x").sub);
    }
}
