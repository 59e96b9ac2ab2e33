//! Pure: which identity tokens the variables of a workspace ask for, and what else the tools need to use them.
//!
//! The names of the variables are those of HCP Terraform
//! (<https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials>).

use super::identity_claims::Phase;

/// The variable with the audience of a token; a suffix names further tokens.
const AUDIENCE: &str = "TFC_WORKLOAD_IDENTITY_AUDIENCE";
/// The variable that a token is put in, with the same suffix.
const TOKEN: &str = "TFC_WORKLOAD_IDENTITY_TOKEN";

/// A token to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedToken {
    pub(super) audience: String,
    /// The variables that get the token.
    pub(super) variables: Vec<String>,
    /// The variables that get the path of a file with the token.
    pub(super) files: Vec<String>,
}

/// What the variables of a step ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tokens: Vec<WantedToken>,
    /// Further variables, which do not replace those of the workspace.
    pub(super) variables: Vec<(String, String)>,
}

/// Reads the environment of a step.
///
/// # Errors
/// What is missing, with the variable.
pub(super) fn wanted(environment: &[(&str, &str)], phase: Phase) -> Result<Wanted, String> {
    let value = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let is_on = |name: &str| value(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let mut found = Wanted::default();
    for (name, audience) in environment {
        let Some(suffix) = name.strip_prefix(AUDIENCE).filter(|rest| rest.is_empty() || rest.starts_with('_')) else {
            continue;
        };
        if audience.is_empty() {
            return Err(format!("{name} must not be empty: it is the audience of a token"));
        }
        found.tokens.push(WantedToken {
            audience: (*audience).to_owned(),
            variables: vec![format!("{TOKEN}{suffix}")],
            files: vec![format!("{TOKEN}_FILE{suffix}")],
        });
    }
    let of_phase = |cloud: &str, what: &str| {
        let own = match phase {
            Phase::Plan => value(&format!("TFC_{cloud}_PLAN_{what}")),
            Phase::Apply => value(&format!("TFC_{cloud}_APPLY_{what}")),
            Phase::Script => None,
        };
        own.or_else(|| value(&format!("TFC_{cloud}_RUN_{what}")))
            .ok_or_else(|| format!("TFC_{cloud}_RUN_{what} is missing: TFC_{cloud}_PROVIDER_AUTH needs it"))
    };
    let audience = |cloud: &str, usual: &str| {
        value(&format!("TFC_{cloud}_WORKLOAD_IDENTITY_AUDIENCE")).unwrap_or_else(|| usual.to_owned())
    };
    if is_on("TFC_AWS_PROVIDER_AUTH") {
        found.tokens.push(WantedToken {
            audience: audience("AWS", "aws.workload.identity"),
            variables: Vec::new(),
            files: vec!["AWS_WEB_IDENTITY_TOKEN_FILE".into()],
        });
        found.variables.push(("AWS_ROLE_ARN".into(), of_phase("AWS", "ROLE_ARN")?));
        found.variables.push(("AWS_ROLE_SESSION_NAME".into(), "windlass".into()));
    }
    if is_on("TFC_AZURE_PROVIDER_AUTH") {
        found.tokens.push(WantedToken {
            audience: audience("AZURE", "api://AzureADTokenExchange"),
            variables: vec!["ARM_OIDC_TOKEN".into()],
            files: Vec::new(),
        });
        found.variables.push(("ARM_USE_OIDC".into(), "true".into()));
        found.variables.push(("ARM_CLIENT_ID".into(), of_phase("AZURE", "CLIENT_ID")?));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::identity_claims::Phase;
    use super::{Wanted, WantedToken, wanted};

    fn token(audience: &str, variable: &str, file: &str) -> WantedToken {
        let list = |name: &str| if name.is_empty() { Vec::new() } else { vec![name.to_owned()] };
        WantedToken { audience: audience.into(), variables: list(variable), files: list(file) }
    }

    #[test]
    fn audiences_with_and_without_a_name() {
        let found = wanted(
            &[
                ("TFC_WORKLOAD_IDENTITY_AUDIENCE", "vault"),
                ("TFC_WORKLOAD_IDENTITY_AUDIENCE_GCP", "//iam"),
                ("TFC_WORKLOAD_IDENTITY_AUDIENCES", "another variable"),
            ],
            Phase::Plan,
        )
        .unwrap();
        let expected = [
            token("vault", "TFC_WORKLOAD_IDENTITY_TOKEN", "TFC_WORKLOAD_IDENTITY_TOKEN_FILE"),
            token("//iam", "TFC_WORKLOAD_IDENTITY_TOKEN_GCP", "TFC_WORKLOAD_IDENTITY_TOKEN_FILE_GCP"),
        ];
        assert_eq!(found, Wanted { tokens: expected.into(), variables: Vec::new() });
        assert!(wanted(&[("TFC_WORKLOAD_IDENTITY_AUDIENCE", "")], Phase::Plan).is_err());
        assert_eq!(wanted(&[("OTHER", "x")], Phase::Plan).unwrap(), Wanted::default());
    }

    #[test]
    fn roles_by_phase() {
        let environment = [
            ("TFC_AWS_PROVIDER_AUTH", "true"),
            ("TFC_AWS_RUN_ROLE_ARN", "any"),
            ("TFC_AWS_PLAN_ROLE_ARN", "reader"),
            ("TFC_AZURE_PROVIDER_AUTH", "true"),
            ("TFC_AZURE_RUN_CLIENT_ID", "client"),
        ];
        for (phase, role) in [(Phase::Plan, "reader"), (Phase::Apply, "any"), (Phase::Script, "any")] {
            let found = wanted(&environment, phase).unwrap();
            assert_eq!(found.variables[0], ("AWS_ROLE_ARN".to_owned(), role.to_owned()), "{phase:?}");
            assert_eq!(found.tokens[0], token("aws.workload.identity", "", "AWS_WEB_IDENTITY_TOKEN_FILE"));
            assert_eq!(found.tokens[1], token("api://AzureADTokenExchange", "ARM_OIDC_TOKEN", ""));
        }
        let missing = wanted(&[("TFC_AWS_PROVIDER_AUTH", "true")], Phase::Plan).unwrap_err();
        assert_eq!(missing, "TFC_AWS_RUN_ROLE_ARN is missing: TFC_AWS_PROVIDER_AUTH needs it");
        assert_eq!(wanted(&[("TFC_AWS_PROVIDER_AUTH", "false")], Phase::Plan).unwrap(), Wanted::default());
    }
}
